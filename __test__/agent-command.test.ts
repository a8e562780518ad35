import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

import { ExecSession } from '../ts/index.js'
import { runCli } from './support/cli.js'
import { temporaryFolder } from './support/folder.js'

const agent = fileURLToPath(new URL('../tests/agents/acp-that-repeats-its-prompt', import.meta.url))
// A path with a space must survive as one word.
const command = `'${agent}' --acp`

describe.skipIf(process.platform === 'win32')('an agent by its command', () => {
  test('answers, and is the provider `acp`', async () => {
    const session = await ExecSession.create({ agentCommand: command, projectPath: temporaryFolder() })
    expect(session.provider).toBe('acp')
    expect((await session.execute('a word')).content).toBe('a word ')
    await session.end()
  })

  test('is gone on with by whoever names it again', async () => {
    const projectPath = temporaryFolder()
    const first = await ExecSession.create({ agentCommand: command, projectPath })
    await first.execute('quokka')
    await first.end()
    await expect(
      ExecSession.load(first.id, { projectPath }).then((session) => session.execute('hello')),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('--agent-command') })
    const second = await ExecSession.load(first.id, { agentCommand: command, projectPath })
    // It cannot resume, so it is told what was said.
    expect((await second.execute('hello')).content).toContain('Conversation History')
    await second.end()
  })

  test('is dropped with its provider, and takes its place', async () => {
    const session = await ExecSession.create({ agentCommand: command, projectPath: temporaryFolder() })
    await session.use({ provider: 'demo' })
    expect(session.provider).toBe('demo')
    await session.use({ agentCommand: command })
    expect(session.provider).toBe('acp')
    expect((await session.execute('again')).content).toBe('again ')
    await session.end()
  })

  test.each([
    [{ provider: 'claude', agentCommand: command }, "not for 'claude'"],
    [{ provider: 'acp' }, 'say which'],
    [{ agentCommand: "'" }, 'a quote that does not end'],
    [{ agentCommand: '' }, 'a non-empty string'],
  ])('is refused where it is none: %j', async (options, message) => {
    const run = ExecSession.create({ ...options, save: false, projectPath: temporaryFolder() })
    await expect(run.then((session) => session.execute('hello'))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    })
  })

  test('is stronger on the command line than a provider in the settings', async () => {
    const { stdout, exitCode } = await runCli(
      ['exec', '--agent-command', command, '--no-save', 'one', 'two'],
      {
        env: { LOCUS_PROVIDER: 'codex' },
      },
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain('one two')
  })
})
