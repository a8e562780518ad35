import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import pkg from '../package.json'
import * as source from '../ts/index.js'
import * as sdk from '../ts/sdk/index.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { openLifeline } from './support/lifeline.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program in a project that has this package installed; resolves when it has ended by itself. */
async function runProgram(
  name: 'program.mjs' | 'program.cjs',
  code: string,
  env: Record<string, string> = {},
) {
  const project = temporaryFolder()
  mkdirSync(join(project, 'node_modules', '@locus'), { recursive: true })
  symlinkSync(root, join(project, 'node_modules', '@locus', 'exec-native'))
  writeFileSync(join(project, name), code)
  const child = spawn(process.execPath, [name], { cwd: project, env: { ...process.env, ...env } })
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, exitCode }
}

const IMPORT = "import { ExecSession, ExecEventType, ExecError } from '@locus/exec-native'\n"
const create = (fake: string) =>
  `const session = await ExecSession.create({ executable: ${JSON.stringify(fakeAgent(fake))}, save: false })\n`

describe('the package', () => {
  it('gives the same names to import and to require, those of the source', async () => {
    const list = (names: string) =>
      `console.log(Object.keys(${names}).filter((name) => name !== 'default').sort().join())`
    const names = Object.keys(source).toSorted().join()
    const imported = await runProgram(
      'program.mjs',
      `import * as names from '@locus/exec-native'\n${list('names')}`,
    )
    expect(imported).toEqual({ stdout: `${names}\n`, stderr: '', exitCode: 0 })
    const required = await runProgram('program.cjs', list("require('@locus/exec-native')"))
    expect(required).toEqual(imported)
  })

  it('gives the same names of its SDK to both, and shares its classes with it', async () => {
    const names = Object.keys(sdk).toSorted().join()
    const imported = await runProgram(
      'program.mjs',
      `import * as names from '@locus/exec-native/sdk'
      import { ContextTracker, ExecError } from '@locus/exec-native'
      console.log(Object.keys(names).sort().join(), names.ContextTracker === ContextTracker, names.ExecError === ExecError)`,
    )
    expect(imported).toEqual({ stdout: `${names} true true\n`, stderr: '', exitCode: 0 })
    const required = await runProgram(
      'program.cjs',
      `const names = require('@locus/exec-native/sdk')
      const { ContextTracker, ExecError } = require('@locus/exec-native')
      console.log(Object.keys(names).sort().join(), names.ContextTracker === ContextTracker, names.ExecError === ExecError)`,
    )
    expect(required).toEqual(imported)
  })

  it('has its classes once, so that instanceof works across both', async () => {
    const { stdout } = await runProgram(
      'program.mjs',
      `${IMPORT}
      import * as imported from '@locus/exec-native'
      import { createRequire } from 'node:module'
      const required = createRequire(import.meta.url)('@locus/exec-native')
      const failure = await ExecSession.create({ provider: 'hal' }).catch((error) => error)
      const other = await required.ExecSession.create({ provider: 'hal' }).catch((error) => error)
      console.log(JSON.stringify([
        failure instanceof required.UnknownProviderError,
        failure instanceof required.ExecError,
        other instanceof imported.UnknownProviderError,
        failure.name,
        failure.constructor.name,
        required.ExecSession === ExecSession,
      ]))`,
    )
    expect(JSON.parse(stdout)).toEqual([
      true,
      true,
      true,
      'UnknownProviderError',
      'UnknownProviderError',
      true,
    ])
  })

  it('runs the example of the README', async () => {
    const { stdout, stderr, exitCode } = await runProgram(
      'program.mjs',
      `${IMPORT}${create('says-everything')}
      session.on(ExecEventType.TOOL_STARTED, (e) => console.error(e.data.toolName))
      for await (const chunk of session.executeStreaming('look')) {
        if (chunk.type === 'text_delta') process.stdout.write(chunk.content)
      }
      await session.end()`,
    )
    expect(stdout).toBe('I will look. I am a subagent.That is all.')
    expect({ stderr, exitCode }).toEqual({ stderr: 'Read\nTask\nGrep\n', exitCode: 0 })
  })

  it('says where its files are, and they are there', () => {
    const paths = [pkg.bin.locus, pkg.main, pkg.types, ...leaves(pkg.exports)]
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect(readFileSync(join(root, pkg.bin.locus), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it('can be asked for its version', async () => {
    const { stdout } = await runProgram(
      'program.cjs',
      "console.log(require('@locus/exec-native/package.json').version)",
    )
    expect(stdout).toBe(`${pkg.version}\n`)
  })

  it('loads no addon when it is imported', async () => {
    const code = `process.dlopen = () => { throw new Error('the addon was loaded') }\n`
    for (const name of ['@locus/exec-native', '@locus/exec-native/sdk']) {
      const imported = await runProgram('program.mjs', `${code}await import('${name}')`)
      expect(imported).toEqual({ stdout: '', stderr: '', exitCode: 0 })
    }
    const used = await runProgram(
      'program.mjs',
      `${code}const { ExecSession } = await import('@locus/exec-native')\n${create('kills-itself')}`,
    )
    expect(used.stderr).toContain('the native addon of @locus/exec-native cannot be loaded')
  })
})

describe('a program ends by itself', () => {
  it('after a session was made and not used', async () => {
    expect(await runProgram('program.mjs', `${IMPORT}${create('answers-with-its-pid')}`)).toMatchObject({
      exitCode: 0,
    })
  })

  it('after turns and the end of the session', async () => {
    const { stdout, exitCode } = await runProgram(
      'program.mjs',
      `${IMPORT}${create('answers-with-the-prompt')}
      console.log((await session.execute('one')).content)
      console.log((await session.execute('two')).content)
      await session.end()`,
    )
    expect({ stdout, exitCode }).toEqual({ stdout: 'one\ntwo\n', exitCode: 0 })
  })

  it('after a turn, although the session was not ended, and the idle agent goes with it', async () => {
    const lifeline = await openLifeline()
    const program = runProgram(
      'program.mjs',
      `${IMPORT}${create('answers-with-its-pid')}
      console.log((await session.execute('hi')).content)`,
      lifeline.env,
    )
    const pid = await lifeline.pid
    expect(await program).toEqual({ stdout: `${pid}\n`, stderr: '', exitCode: 0 })
    await lifeline.closed
  })

  it('not before a turn under way has ended', async () => {
    const { stdout, exitCode } = await runProgram(
      'program.mjs',
      `${IMPORT}${create('answers-with-the-prompt')}
      session.execute('hi').then(({ content }) => console.log(content))`,
    )
    expect({ stdout, exitCode }).toEqual({ stdout: 'hi\n', exitCode: 0 })
  })

  it('by process.exit in the middle of a turn, and the agent goes with it', async () => {
    const lifeline = await openLifeline()
    const program = runProgram(
      'program.mjs',
      `${IMPORT}${create('waits-for-interrupt')}
      session.on(ExecEventType.TEXT_DELTA, () => process.exit(5))
      await session.execute('hi')`,
      lifeline.env,
    )
    await lifeline.pid
    expect(await program).toMatchObject({ exitCode: 5 })
    await lifeline.closed
  })
})

describe('a listener that throws', () => {
  it('is an uncaught exception, as with every other emitter, and the loop loses nothing', async () => {
    const { stdout } = await runProgram(
      'program.mjs',
      `${IMPORT}${create('streams-deltas')}
      let uncaught = 0
      process.on('uncaughtException', () => uncaught++)
      session.on(ExecEventType.TEXT_DELTA, () => { throw new Error('the listener failed') })
      let chunks = 0
      for await (const chunk of session.executeStreaming('hi')) {
        if (chunk.type === 'text_delta') chunks++
      }
      const { content } = await session.execute('again')
      await session.end()
      process.on('exit', () => console.log(JSON.stringify({ chunks, uncaught, content })))`,
    )
    expect(JSON.parse(stdout)).toEqual({ chunks: 10, uncaught: 20, content: 'done' })
  })
})

/** The strings in a tree of objects. */
function leaves(tree: object): string[] {
  return Object.values(tree).flatMap((value) => (typeof value === 'string' ? [value] : leaves(value)))
}
