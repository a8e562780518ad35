import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import pkg from '../package.json'
import { platformFiles, platformPackages } from '../scripts/platform-packages.mjs'
import { type Host, PLATFORMS, packageOf, platformOf, thisHost, whyMissing } from '../ts/platform.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

describe('the platform packages', () => {
  it('are those of `napi.targets`', () => {
    expect(platformPackages().map(({ platform }) => platform)).toEqual([...PLATFORMS])
    expect(platformPackages().map(({ manifest }) => manifest.name)).toEqual(PLATFORMS.map(packageOf))
  })

  it('are what their generator makes (node scripts/platform-packages.mjs)', () => {
    const written = readdirSync(join(ROOT, 'npm'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /(package\.json|README\.md)$/.test(path))
      .map((path) => `npm/${path}`)
    const files = platformFiles()
    expect(written.toSorted()).toEqual([...files.keys()].toSorted())
    for (const [path, content] of files) {
      expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(content)
    }
  })

  it('say on which machines they are installed, and what is in them', () => {
    const [gnu, , musl] = platformPackages().map(({ manifest }) => manifest)
    expect(gnu).toMatchObject({ os: ['linux'], cpu: ['x64'], libc: ['glibc'], version: pkg.version })
    expect(musl).toMatchObject({
      libc: ['musl'],
      main: 'locus-exec.linux-x64-musl.node',
      files: ['locus-exec.linux-x64-musl.node', 'locus-runner', 'THIRD-PARTY.md'],
    })
    const windows = platformPackages().at(-1)?.manifest
    expect(windows).not.toHaveProperty('libc')
    expect(windows).toMatchObject({
      ...{ os: ['win32'], cpu: ['arm64'] },
      files: ['locus-exec.win32-arm64-msvc.node', 'locus-runner.exe', 'THIRD-PARTY.md'],
    })
  })

  it('have the version of the crates', () => {
    const cargo = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8')
    expect(/^version = "(.+)"$/m.exec(cargo)?.[1]).toBe(pkg.version)
  })
})

describe('a machine', () => {
  it.each<[Host, string | undefined]>([
    [{ platform: 'linux', arch: 'x64', glibc: '2.28' }, 'linux-x64-gnu'],
    [{ platform: 'linux', arch: 'arm64', glibc: '2.28' }, 'linux-arm64-gnu'],
    [{ platform: 'linux', arch: 'x64' }, 'linux-x64-musl'],
    [{ platform: 'darwin', arch: 'arm64' }, 'darwin-arm64'],
    [{ platform: 'win32', arch: 'x64' }, 'win32-x64-msvc'],
    [{ platform: 'linux', arch: 'arm', glibc: '2.28' }, undefined],
    [{ platform: 'freebsd', arch: 'x64' }, undefined],
  ])('%o is the platform %s', (host, platform) => {
    expect(platformOf(host)).toBe(platform)
  })

  it('that this is has a package', () => {
    expect(PLATFORMS).toContain(platformOf(thisHost()))
  })

  it('without a package is told so, with those that there are', () => {
    const message = whyMissing('the native addon', { platform: 'freebsd', arch: 'x64' })
    expect(message).toContain(
      `is not made for freebsd x64 with Node ${process.version}, only for linux-x64-gnu`,
    )
    expect(message).toContain('`npm run build`')
  })

  it('whose package is not installed is told its name, the C library, and what to do', () => {
    const message = whyMissing('the native addon', { platform: 'linux', arch: 'arm64', glibc: '2.28' })
    expect(message).toContain(`cannot be loaded on linux arm64 (glibc 2.28) with Node ${process.version}`)
    expect(message).toContain("the package '@locus/exec-native-linux-arm64-gnu' is not installed")
    expect(message).toContain('`npm install --include=optional`')
    expect(whyMissing('the native addon', { platform: 'linux', arch: 'x64' })).toContain('linux x64 (musl)')
  })

  it('that cannot load its package is told what the system said', () => {
    const message = whyMissing('the native addon', { platform: 'darwin', arch: 'x64' }, 'bad CPU type')
    expect(message).toContain(`on darwin x64 with Node ${process.version}: bad CPU type. Install again`)
  })
})
