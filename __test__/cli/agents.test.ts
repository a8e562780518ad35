import { describe, expect, it } from 'vitest'

import { entryOf, projectWithAgents, writeAgents } from '../support/agents-file.js'
import { runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { startInTerminal } from '../support/terminal.js'

const entry = entryOf('theirs', 'answers-with-the-prompt')
const RUN = ['exec', '--provider', 'theirs', '--no-save', 'hello']

describe("a project's agents", () => {
  it('are refused where nobody can be asked, and the error says what to do', async () => {
    const cwd = projectWithAgents(entry)
    const { exitCode, stderr } = await runCli(RUN, { cwd, agent: 'prints-garbage' })
    expect(exitCode).toBe(7)
    expect(stderr).toContain('AGENT_NOT_ALLOWED')
    expect(stderr).toContain('`locus exec agents allow`')
    const once = await runCli([...RUN, '--trust-project'], { cwd, agent: 'prints-garbage' })
    expect(once).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('hello') })
  })

  it('are allowed until they change, or until that is taken back', async () => {
    const cwd = projectWithAgents(entry)
    const env = { XDG_CONFIG_HOME: temporaryFolder() }
    const run = (args: string[]) => runCli(args, { cwd, env, agent: 'prints-garbage' })
    const unasked = await run(['exec', 'agents', 'allow'])
    expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('add --yes to do it') })
    const allowed = await run(['exec', 'agents', 'allow', '--yes'])
    expect(allowed).toMatchObject({ exitCode: 0, stdout: 'allowed, until it changes\n' })
    expect(allowed.stderr).toContain('  [agents.theirs]')
    expect(await run(RUN)).toMatchObject({ exitCode: 0 })
    expect(await run(['exec', 'agents', 'allow'])).toMatchObject({ stdout: 'it is allowed already\n' })
    expect(await run(['exec', 'agents', 'revoke'])).toMatchObject({ exitCode: 0 })
    expect(await run(RUN)).toMatchObject({ exitCode: 7 })
    expect(await run(['exec', 'agents', 'revoke'])).toMatchObject({ stdout: 'it was not allowed\n' })
  })

  it('are listed with whether they may be run', async () => {
    const cwd = projectWithAgents(`${entry}[agents."demo"]\nargs = ["\\u001b[31m"]\n`)
    const { stdout, exitCode } = await runCli(['exec', 'agents'], { cwd })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^theirs +project +claude +no +\//m)
    expect(stdout).toMatch(/^claude +built-in +claude +claude$/m)
    const { stdout: json } = await runCli(['exec', 'agents', '--json'], { cwd })
    const listed = JSON.parse(json) as Array<{ name: string; allowed: boolean }>
    expect(listed.filter(({ allowed }) => !allowed).map(({ name }) => name)).toEqual(['demo', 'theirs'])
  })

  it('need a file to be allowed', async () => {
    const { exitCode, stderr } = await runCli(['exec', 'agents', 'allow'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('this project has no .locus/agents.toml')
  })
})

describe('in a terminal', () => {
  it('the file is shown, all of it, and allowed by a yes', async () => {
    const cwd = projectWithAgents(`${entry}# \\u001b]0;no title\n`)
    const env = { XDG_CONFIG_HOME: temporaryFolder() }
    const first = startInTerminal(RUN, 'prints-garbage', env, { cwd })
    await first.shown('Allow this file, as it is? [y/N]')
    expect(first.screen()).toContain('[agents.theirs]')
    first.type('y\r')
    expect((await first.finished).exitCode).toBe(0)

    const second = startInTerminal(RUN, 'prints-garbage', env, { cwd })
    expect((await second.finished).screen).not.toContain('Allow this file')

    writeAgents(cwd, `${entry}args = ["--worse"]\n`)
    const third = startInTerminal(RUN, 'prints-garbage', env, { cwd })
    await third.shown('it has changed since you allowed it')
    expect(third.screen()).toContain('+ args = ["--worse"]')
    third.type('\r')
    expect((await third.finished).exitCode).toBe(7)
  })

  it('the interactive mode asks before it begins', async () => {
    const cwd = projectWithAgents(entry)
    const run = startInTerminal(
      ['exec', '-i', '--provider', 'theirs', '--no-save'],
      'prints-garbage',
      {},
      { cwd },
    )
    await run.shown('Allow this file, as it is? [y/N]')
    run.type('y\r')
    await run.shown('Locus Exec Interactive Mode')
    run.type('hello\r')
    await run.shown('theirs fake-1')
    run.type('exit\r')
    expect((await run.finished).exitCode).toBe(0)
  })
})
