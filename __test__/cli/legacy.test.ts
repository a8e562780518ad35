import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { protocolLines, runCli, unhideableClaude } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'

const agent = 'answers-in-plain-text'

describe('--legacy', () => {
  it('runs the agent once with its plain text output, and the prompt on stdin', async () => {
    const cwd = temporaryFolder()
    const { exitCode, stdout, stderr } = await runCli(['exec', '--legacy', 'explain', 'this'], { agent, cwd })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      args: ['--print', '--output-format=text'],
      prompt: 'explain this',
      cwd,
    })
  })

  it('passes the flags on', async () => {
    const dir = temporaryFolder()
    const flags = [
      '--model',
      'opus',
      '--permission-mode',
      'plan',
      '--allow',
      'Read',
      '--deny',
      'Bash',
      '--yes',
      '--dir',
      dir,
    ]
    const { stdout } = await runCli(['exec', '--legacy', ...flags, '-'], { agent, input: 'from stdin' })
    expect(JSON.parse(stdout)).toEqual({
      args: [
        ...[
          '--print',
          '--output-format=text',
          '--model=opus',
          '--permission-mode=plan',
          '--allowedTools=Read',
        ],
        ...['--disallowedTools=Bash', '--dangerously-skip-permissions'],
      ],
      prompt: 'from stdin',
      cwd: dir,
    })
  })

  it("has the agent's own exit code, and its stderr", async () => {
    expect(
      (await runCli(['exec', '--legacy', 'hi'], { agent, env: { FAKE_EXIT_CODE: '42' } })).exitCode,
    ).toBe(42)
    const broken = await runCli(['exec', '--legacy', 'hi'], { agent: 'exits-before-init' })
    expect(broken).toMatchObject({ exitCode: 3, stderr: 'fake: the configuration is broken\n' })
  })

  it('has the exit code of a signal that ended the agent', async () => {
    const killed = await runCli(['exec', '--legacy', '{"type":"user","message":{"content":"hi"}}'], {
      agent: 'kills-itself',
    })
    expect(killed.exitCode).toBe(13)
  })

  it('runs only claude', async () => {
    const { exitCode, stderr } = await runCli(['exec', '--legacy', '--provider', 'demo', 'hi'])
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: "✗ INVALID_INPUT --legacy runs only claude, not 'demo'\n",
    })
  })

  it('takes no images', async () => {
    const { exitCode, stderr } = await runCli(['exec', '--legacy', '--image', 'a.png', 'hi'], { agent })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: '✗ INVALID_INPUT --legacy takes no images\n',
    })
  })

  it.skipIf(unhideableClaude)('tells a missing agent', async () => {
    const { exitCode, stderr } = await runCli(['exec', '--legacy', 'hi'])
    expect(exitCode).toBe(5)
    expect(stderr).toMatch(/^✗ CLI_NOT_FOUND cannot start 'claude' in '.*'/)
  })

  it('does not blame the agent for a folder that cannot be used', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    for (const dir of ['/no/such/folder', file]) {
      const { exitCode, stderr } = await runCli(['exec', '--legacy', '--dir', dir, 'hi'], { agent })
      expect(exitCode).toBe(4)
      expect(stderr).toMatch(/^✗ INVALID_DIRECTORY /)
    }
  })

  it('tells an empty prompt', async () => {
    const { exitCode, stderr } = await runCli(['exec', '--legacy', ''], { agent })
    expect({ exitCode, stderr }).toEqual({
      ...{ exitCode: 2, stderr: '✗ INVALID_INPUT the prompt is empty; say what the agent is to do\n' },
    })
  })

  it('tells what is wrong with the command line as JSON where that is asked for', async () => {
    const { exitCode, stdout } = await runCli(['exec', '--legacy', '--json-stream', ''], { agent })
    expect(protocolLines(stdout).map(({ type }) => type)).toEqual(['start', 'error', 'done'])
    expect(exitCode).toBe(2)
  })
})
