// Writes npm/: the package of each platform in `napi.targets`, without the binaries, which scripts/pack.mjs adds.
//   node scripts/platform-packages.mjs
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { parseTriple } from '@napi-rs/cli'

const root = fileURLToPath(new URL('..', import.meta.url))
const LIBC = { gnu: 'glibc', musl: 'musl' }

/**
 * @typedef {object} PlatformPackage
 * @property {string} platform `linux-x64-gnu`
 * @property {string} triple the name that Rust has for it
 * @property {{ name: string, version: string, main: string, files: string[] }} manifest its package.json
 * @property {string[]} binaries the names of the addon and the runner
 * @property {string} readme
 */

/**
 * The package of every platform.
 * @returns {PlatformPackage[]}
 */
export function platformPackages() {
  const { name, version, description, license, engines, napi } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  return napi.targets.map((triple) => {
    const { platform: os, arch: cpu, abi, platformArchABI: platform } = parseTriple(triple)
    const addon = `${napi.binaryName}.${platform}.node`
    const runner = os === 'win32' ? 'locus-runner.exe' : 'locus-runner'
    const manifest = {
      ...{ name: `${name}-${platform}`, version, description: `${description} For ${platform}.` },
      ...{ license, engines, os: [os], cpu: [cpu], ...(os === 'linux' ? { libc: [LIBC[abi]] } : {}) },
      ...{ main: addon, files: [addon, runner, 'THIRD-PARTY.md'] },
      // Yarn would keep it in an archive, from which nothing can be run.
      preferUnplugged: true,
    }
    const readme = `# \`${manifest.name}\`\n\nThe binaries of \`${name}\` for \`${triple}\`; it installs this package where it fits.\n`
    return { platform, triple, manifest, binaries: [addon, runner], readme }
  })
}

/** The files of `npm/`: their contents by their paths, relative to the repository. */
export function platformFiles() {
  return new Map(
    platformPackages().flatMap(({ platform, manifest, readme }) => [
      [`npm/${platform}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`],
      [`npm/${platform}/README.md`, readme],
    ]),
  )
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  rmSync(join(root, 'npm'), { recursive: true, force: true })
  for (const [path, content] of platformFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}
