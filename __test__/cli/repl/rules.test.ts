import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { type CliOptions, runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { CTRL_D, send, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const agent = 'asks-permission'

/** A conversation in which a command was always allowed. */
async function conversation() {
  const setup = { cwd: temporaryFolder(), env: { HOME: temporaryFolder() } }
  const terminal = await startRepl(agent, setup)
  send(terminal, 'clean up')
  await terminal.shown('a always allow this very command')
  terminal.type('a')
  await terminal.shown('✓ allowed, and always in this conversation')
  await terminal.shown('out\n\n❯')
  terminal.type(CTRL_D)
  await terminal.finished
  return setup
}

/** The file of the only conversation of a project. */
function fileIn(cwd: string): string {
  const folder = join(cwd, '.locus', 'exec-history')
  const [name = ''] = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  return join(folder, name)
}

const again = (setup: CliOptions) => runCli(['exec', '--continue', 'again'], { agent, ...setup })

describe('what was always allowed', () => {
  it('holds when the conversation is gone on with, until it is taken back', async () => {
    const setup = await conversation()
    const terminal = await startRepl(agent, { ...setup, flags: ['-c', '--permission-mode', 'default'] })
    await terminal.shown('always allowed in this conversation (/forbid takes it back): Bash(rm -rf build)')
    send(terminal, 'again')
    await terminal.shown('"behavior":"allow"')
    send(terminal, '/status')
    await terminal.shown(
      'Mode:     default\nAllowed:  what you allow when you are asked\nAlways:   1 Bash(rm -rf',
    )
    send(terminal, '/forbid 2')
    await terminal.shown('which one? /forbid with its number, or all:\n  1 Bash(rm -rf build)')
    send(terminal, '/forbid')
    await terminal.shown('asked again from now on: Bash(rm -rf build)')
    send(terminal, '/forbid all')
    await terminal.shown('nothing was always allowed in this conversation')
    send(terminal, 'once more')
    await terminal.shown('y allow once')
    terminal.type('y')
    await terminal.shown('❯ once more')
    terminal.type(CTRL_D)
    await terminal.finished
    expect((await again(setup)).stdout).toContain('nobody is there to be asked')
  })

  it('holds for `resume`, and not in the conversation before it', async () => {
    const setup = await conversation()
    const terminal = await startRepl(agent, setup)
    send(terminal, 'another one')
    await terminal.shown('y allow once')
    terminal.type('y')
    await terminal.shown('out\n\n❯')
    send(terminal, '/resume')
    await terminal.shown('(/forbid takes it back): Bash(rm -rf build)')
    send(terminal, 'again')
    await terminal.shown('❯ again')
    await terminal.shown('out\n\n❯')
    expect(terminal.screen().match(/asks for permission/g)).toHaveLength(1)
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('holds for a single run, where nobody can be asked too; a denial is stronger', async () => {
    const setup = await conversation()
    expect((await again(setup)).stdout).toContain('"behavior":"allow"')
    const denied = await runCli(['exec', '-c', '--deny', 'Bash', 'again'], { agent, ...setup })
    expect(denied.stdout).toContain('is denied by the user')
    const fresh = await runCli(['exec', 'again'], { agent, ...setup })
    expect(fresh.stdout).toContain('nobody is there to be asked')
  })

  it('in a single run is kept too', async () => {
    const setup = { cwd: temporaryFolder(), env: { HOME: temporaryFolder() } }
    const terminal = startInTerminal(['exec', 'clean up'], agent, setup.env, setup)
    await terminal.shown('n deny:')
    terminal.type('a\r')
    await terminal.finished
    expect((await again(setup)).stdout).toContain('"behavior":"allow"')
  })

  it('does not hold for another user, for a copy, or where the file was changed', async () => {
    const setup = await conversation()
    const asked = 'nobody is there to be asked'
    expect((await again({ ...setup, env: { HOME: temporaryFolder() } })).stdout).toContain(asked)

    const path = fileIn(setup.cwd)
    const stored = readFileSync(path, 'utf8')
    expect(stored.match(/"rules":\[\{"command":"rm -rf build","seal":"[^"]{44}","tool":"Bash"\}\]/)).not.toBe(
      null,
    )
    writeFileSync(path, stored.replace('"command":"rm -rf build","seal"', '"seal"'))
    expect((await again(setup)).stdout).toContain(asked)
    writeFileSync(path, stored)
    expect((await again(setup)).stdout).toContain('"behavior":"allow"')

    await runCli(['exec', 'sessions', 'fork', path.slice(-42, -6)], { agent, ...setup })
    expect((await again(setup)).stdout).toContain(asked)
  })
  it('is asked again where a secret was taken out of it', async () => {
    const HOME = temporaryFolder()
    const setup = { cwd: temporaryFolder(), env: { HOME, DEPLOY_TOKEN: 'rm -rf build' } }
    const terminal = startInTerminal(['exec', 'clean up'], agent, setup.env, setup)
    await terminal.shown('n deny:')
    terminal.type('a\r')
    await terminal.finished
    expect(readFileSync(fileIn(setup.cwd), 'utf8')).toContain('"rules":[{"command":"[redacted]"')
    expect((await again(setup)).stdout).toContain('nobody is there to be asked')
  })
})
