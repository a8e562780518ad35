import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import pkg from '../package.json'
import { pack } from '../scripts/pack.mjs'
import { platformPackages } from '../scripts/platform-packages.mjs'
import { PLATFORMS, packageOf, platformOf, thisHost } from '../ts/platform.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const HOST = platformOf(thisHost()) ?? 'linux-x64-gnu'
const run = promisify(execFile)

let folder: string
let main: ReturnType<typeof pack>[number]
let native: ReturnType<typeof pack>[number]

/** Installs both tarballs in an empty project, from nowhere but this machine. */
async function install(name: string): Promise<string> {
  const project = join(folder, name)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{"private":true}')
  const options = ['--offline', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...options, main.path, native.path], { cwd: project })
  return project
}

const installedIn = (project: string, name: string) => join(project, 'node_modules', ...name.split('/'))

let project: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'locus-exec-pack-test-'))
  const tarballs = pack({ out: join(folder, 'tarballs') })
  const find = (name: string) => {
    const found = tarballs.find((tarball) => tarball.name === name)
    if (!found) throw new Error(`'${name}' was not packed`)
    return found
  }
  main = find(pkg.name)
  native = find(packageOf(HOST))
  project = await install('project')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the tarballs', () => {
  it('have what is meant to be in them, and nothing else', () => {
    const paths = main.files.map(({ path }) => path)
    const within = (name: string) => paths.filter((path) => path.startsWith(`${name}/`))
    const others = paths.filter((path) => !/^(dist|types|docs)\//.test(path))
    expect(others.toSorted()).toEqual([
      ...['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY.md', 'index.d.ts', 'package.json'],
    ])
    expect(within('dist').filter((path) => !/-[\w-]{8}\.cjs$/.test(path))).toEqual([
      ...['dist/cli.cjs', 'dist/index.cjs', 'dist/index.mjs', 'dist/sdk.cjs', 'dist/sdk.mjs'],
    ])
    expect(within('types').filter((path) => !/\.d\.m?ts$/.test(path))).toEqual([])
    expect(within('docs').toSorted()).toEqual(filesIn('docs').toSorted())
    expect(native.files.map(({ path }) => path)).toEqual([
      ...[
        'LICENSE',
        'README.md',
        'THIRD-PARTY.md',
        `locus-exec.${HOST}.node`,
        'locus-runner',
        'package.json',
      ],
    ])
  })

  it('have every chunk that is loaded later, and none that nobody loads', () => {
    const dist = join(installedIn(project, pkg.name), 'dist')
    const reached = new Set(['index.mjs', 'sdk.mjs', 'cli.cjs'])
    for (const file of reached) {
      for (const [, name = ''] of readFileSync(join(dist, file), 'utf8').matchAll(LOADS)) {
        reached.add(name)
      }
    }
    expect([...reached].toSorted()).toEqual(readdirSync(dist).toSorted())
  })

  it('stay small: the limits are a fifth above what is in docs/packaging.md', () => {
    expect(main.size).toBeLessThan(620_000)
    expect(main.unpackedSize).toBeLessThan(2_400_000)
    expect(native.size).toBeLessThan(4_000_000)
    expect(native.unpackedSize).toBeLessThan(8_500_000)
  })

  it('know nothing of the machine that made them', () => {
    for (const { path } of main.files) {
      const content = readFileSync(join(installedIn(project, pkg.name), path), 'utf8')
      for (const place of [ROOT, homedir(), tmpdir()].filter((place) => place.length > '/root'.length)) {
        expect(content.includes(place), `${path}: ${place}`).toBe(false)
      }
      expect(content.includes('sourceMappingURL='), path).toBe(false)
    }
  })

  it('ask for every platform in the version of the package, and for no dependency: they are bundled', () => {
    const { optionalDependencies, dependencies, devDependencies, scripts } = JSON.parse(
      readFileSync(join(installedIn(project, pkg.name), 'package.json'), 'utf8'),
    )
    expect(Object.keys(optionalDependencies)).toHaveLength(pkg.napi.targets.length)
    expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([pkg.version]))
    expect({ dependencies, devDependencies, scripts }).toEqual({})
    const licences = readFileSync(join(installedIn(project, pkg.name), 'THIRD-PARTY.md'), 'utf8')
    for (const name of Object.keys(pkg.dependencies)) {
      expect(licences).toMatch(new RegExp(`^## ${name} \\d`, 'm'))
    }
  })

  it('have the licence of every crate that is in the binaries, and of none that is only built with', () => {
    const page = readFileSync(join(installedIn(project, packageOf(HOST)), 'THIRD-PARTY.md'), 'utf8')
    const crates = [...page.matchAll(/^## (.+)$/gm)].flatMap(([, names = '']) =>
      names.split(/, (?=[\w-]+ \d)/),
    )
    const names = crates.map((crate) => crate.split(' ')[0] ?? '')
    expect(names).toEqual(expect.arrayContaining(['tokio', 'napi', 'rusqlite', 'serde_json', 'zstd-sys']))
    for (const builder of ['serde_derive', 'syn', 'proptest', 'insta', 'napi-build', 'locus-exec']) {
      expect(names).not.toContain(builder)
    }
    for (const [, text = ''] of page.matchAll(/^## .+\n\n((?: {4}.*\n|\n)+)/gm)) {
      expect(text).toMatch(/permission|licen[cs]e/i)
      expect(text.length).toBeGreaterThan(400)
    }
    expect(
      page.match(/^ +TERMS AND CONDITIONS FOR USE/gm)?.length,
      'where MIT can be chosen it is',
    ).toBeLessThan(5)
  })

  it('keep the runner and the command executable', () => {
    const runner = join(installedIn(project, packageOf(HOST)), 'locus-runner')
    const command = join(installedIn(project, pkg.name), pkg.bin.locus)
    expect([runner, command].map((path) => statSync(path).mode & 0o111)).toEqual([0o111, 0o111])
  })
})

describe('a release', { timeout: 60_000 }, () => {
  const binaries = () => join(folder, 'binaries')
  const packAll = () => pack({ out: join(folder, 'release'), binaries: binaries() })

  it('needs the binaries of every platform', () => {
    mkdirSync(join(binaries(), HOST), { recursive: true })
    expect(packAll).toThrow(`has no binaries for ${PLATFORMS.join(', ')}`)
  })

  it('has a tarball for each, the main one first, and its binaries can be executed', () => {
    for (const { platform, binaries: names } of platformPackages()) {
      mkdirSync(join(binaries(), platform), { recursive: true })
      for (const name of names) writeFileSync(join(binaries(), platform, name), platform, { mode: 0o644 })
    }
    const tarballs = packAll()
    expect(tarballs.map(({ name }) => name)).toEqual([pkg.name, ...PLATFORMS.map(packageOf)])
    for (const { files } of tarballs.slice(1)) {
      expect(files.filter(({ mode }) => mode & 0o111)).toHaveLength(2)
    }
  })
})

describe('the package that is installed from them', { timeout: 60_000 }, () => {
  it('answers by npx', async () => {
    const args = ['--offline', 'locus', 'exec', '--no-save', '--provider', 'demo', 'hi']
    const { stdout } = await run('npx', args, { cwd: project })
    expect(stdout).toContain('You asked: *hi*')
  })

  const turn = (open: string) => `${open}
    const main = async () => {
      const session = await ExecSession.create({ provider: 'demo', save: false, extraArgs: ['--pace=0'] })
      let [events, words] = [0, 0]
      session.on(ExecEventType.TEXT_DELTA, () => events++)
      for await (const chunk of session.executeStreaming('hi')) if (chunk.type === 'text_delta') words++
      await session.end()
      console.log(events === words && words > 100, typeof createAiRunner)
    }
    main()`

  it.each([
    [
      'program.mjs',
      `import { ExecEventType, ExecSession } from '@locus/exec-native'
       import { createAiRunner } from '@locus/exec-native/sdk'`,
    ],
    [
      'program.cjs',
      `const { ExecEventType, ExecSession } = require('@locus/exec-native')
       const { createAiRunner } = require('@locus/exec-native/sdk')`,
    ],
  ])('streams a turn in %s, and has its SDK', async (name, open) => {
    writeFileSync(join(project, name), turn(open))
    expect((await run(process.execPath, [name], { cwd: project })).stdout).toBe('true function\n')
  })

  it.each([
    ['nodenext', 'nodenext'],
    ['node16', 'node16'],
    ['preserve', 'bundler'],
  ])('has types for module %s, resolved as %s', async (module, moduleResolution) => {
    const types = join(project, `types-${moduleResolution}`)
    mkdirSync(types)
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2023', lib: ['es2023', 'esnext.disposable'] },
      ...{ strict: true, noEmit: true, skipLibCheck: false },
      ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules', '@types')] },
    }
    writeFileSync(join(types, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }))
    for (const name of ['module.mts', 'common.cts', 'plain.ts']) {
      writeFileSync(join(types, name), TYPED)
    }
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout } = await run(process.execPath, [tsc, '-p', types]).catch((failure) => failure)
    expect(stdout).toBe('')
  })

  it('says which package is missing, and what to do', async () => {
    const lonely = await install('without-binaries')
    rmSync(installedIn(lonely, packageOf(HOST)), { recursive: true })
    expect(await failureOf(lonely)).toMatch(
      new RegExp(
        `^✗ BROKEN_INSTALLATION 'locus-runner' of .* on ${process.platform} ${process.arch}.*'${packageOf(HOST)}'`,
      ),
    )
    expect(await failureOf(lonely, { LOCUS_RUNNER_PATH: '/bin/true' })).toMatch(
      new RegExp(
        `^✗ BROKEN_INSTALLATION the native addon of .*'${packageOf(HOST)}' is not installed.*--include=optional`,
      ),
    )
  })

  it('says what the system said of an addon that cannot be loaded', async () => {
    const broken = await install('with-a-broken-addon')
    writeFileSync(
      join(installedIn(broken, packageOf(HOST)), `locus-exec.${HOST}.node`),
      'not an addon\n'.repeat(9),
    )
    const message = await failureOf(broken)
    expect(message).toMatch(
      /^✗ BROKEN_INSTALLATION the native addon of @locus\/exec-native cannot be loaded on /,
    )
    expect(message).toContain(`locus-exec.${HOST}.node: `)
    expect(message).not.toContain('is not installed')
  })
})

/** How a file of `dist` loads another. */
const LOADS = /(?:require\(|from )["']\.\/([^"'/]+)["']/g

/** What each kind of file can say of the types. */
const TYPED = `
import { ExecSession, type StreamChunk, type ExecError } from '@locus/exec-native'
import { createAiRunner, ExecSession as SdkSession } from '@locus/exec-native/sdk'

export async function turn(): Promise<string> {
  const session = await ExecSession.create({ provider: 'demo', projectPath: '.' })
  const chunks: StreamChunk[] = []
  for await (const chunk of session.executeStreaming('hi')) chunks.push(chunk)
  session.on('turn:completed', (event) => event.seq.toFixed())
  // @ts-expect-error: no such option
  await ExecSession.create({ provide: 'demo' })
  return (await session.execute('hi')).content
}
export const code = (error: ExecError): string => error.code
export const session = new SdkSession({
  aiRunner: createAiRunner('claude', { projectPath: '.', model: 'sonnet' }),
  projectPath: '.', model: 'sonnet', provider: 'claude',
})
`

async function failureOf(cwd: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const cli = join(cwd, 'node_modules', '.bin', 'locus')
  const failure = await run(cli, ['exec', '--provider', 'demo', '--no-save', 'hi'], {
    ...{ cwd, env: { PATH: dirname(process.execPath), HOME: cwd, ...env } },
  }).then(
    () => ({ stderr: 'it did not fail' }),
    (error: { stderr: string }) => error,
  )
  return failure.stderr
}

function filesIn(name: string): string[] {
  return readdirSync(join(ROOT, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
}
