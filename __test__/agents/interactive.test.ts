import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { CTRL_C, CTRL_D, send } from '../support/repl.js'
import { startInTerminal } from '../support/terminal.js'
import { RealClaude } from './real-agent.js'

const real = new RealClaude()

/** What the human had typed in the last conversation that the model was asked about. */
const heard = () => real.server.requests.findLast(({ prompts }) => prompts.length > 0)?.prompts ?? []

test('the interactive mode with the real claude: turns, a permission, an interruption, one process', async () => {
  const args = ['exec', '-i', '--executable', real.executable, '--dir', real.project]
  const terminal = startInTerminal(args, 'answers-with-the-prompt', real.environment())
  await terminal.shown('❯')
  send(terminal, 'UNICODE')
  await terminal.shown('❯ UNICODE')
  await terminal.shown('日本語')
  await terminal.shown('\n\n❯\nclaude')

  const path = join(real.project, 'made.txt')
  send(terminal, `WRITETOOL path=${path}`)
  await terminal.shown('Write asks for permission')
  expect(existsSync(path)).toBe(false)
  terminal.type('y')
  await terminal.shown('✓ allowed')
  await terminal.shown('That is what came of it.')
  expect(existsSync(path)).toBe(true)
  await terminal.shown('\n\n❯\nclaude')

  send(terminal, 'HANG')
  await terminal.shown('❯ HANG')
  await expect.poll(() => heard().at(-1)).toBe('HANG')
  terminal.type(CTRL_C)
  await terminal.shown('⏹ interrupted')
  send(terminal, 'ECHO')
  await terminal.shown('❯ ECHO')
  await expect.poll(heard).toEqual(['UNICODE', `WRITETOOL path=${path}`, 'HANG', 'ECHO'])
  await terminal.shown('\n\n❯\nclaude')
  terminal.type(CTRL_D)
  expect((await terminal.finished).exitCode).toBe(0)
})

test('what was always allowed holds when the real claude goes on with the conversation', async () => {
  const args = ['exec', '-i', '--executable', real.executable, '--dir', real.project]
  const write = async (name: string, more: string[], answer: string) => {
    const terminal = startInTerminal([...args, ...more], 'answers-with-the-prompt', real.environment())
    await terminal.shown('❯')
    send(terminal, `WRITETOOL path=${join(real.project, name)}`)
    if (answer !== '') {
      await terminal.shown('Write asks for permission')
      terminal.type(answer)
    }
    await terminal.shown('That is what came of it.')
    terminal.type(CTRL_D)
    const { screen, exitCode } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(existsSync(join(real.project, name))).toBe(true)
    return screen
  }
  await write('one.txt', [], 'a')
  const resumed = await write('two.txt', ['-c'], '')
  expect(resumed).toContain('always allowed in this conversation (/forbid takes it back): Write')
  expect(resumed).not.toContain('asks for permission')
})
