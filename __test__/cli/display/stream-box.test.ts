import { describe, expect, it } from 'vitest'

import { runCli } from '../../support/cli.js'
import { returns, saying, uses, wait, words } from '../../support/lines.js'
import { CTRL_C } from '../../support/repl.js'
import { startInTerminal, type TerminalSetup } from '../../support/terminal.js'

const FAKE = 'says-the-lines-of-a-file'
const STEPS = ['Create the endpoint', 'Validate 数量 e\u0301', 'Hash \u001b[31mpasswords\u0007', 'Return it']
let lists = 0

/** The agent says how far it is: so many steps are done, the next one is under way. */
const done = (count: number) => {
  const id = `list-${++lists}`
  const todos = STEPS.map((content, index) => ({
    ...{ content, activeForm: content },
    status: index < count ? 'completed' : index === count ? 'in_progress' : 'pending',
  }))
  return [uses(id, 'TodoWrite', { todos }), returns(id, 'ok')]
}

const lines = () => [
  words('I will plan.\n'),
  ...done(0),
  wait('first'),
  ...done(1),
  uses('run', 'Bash', { command: 'make test' }),
  wait('second'),
  returns('run', 'made'),
  wait('third'),
  ...done(4),
  words('All done.'),
  { result: 'All **done**.\n\n- one' },
]

function started(setup: TerminalSetup = {}, flags: string[] = []) {
  const { env, goOn } = saying(...lines())
  const args = ['exec', '--yes', '--no-save', '--stream', ...flags, 'build it']
  const terminal = startInTerminal(args, FAKE, env, { columns: 80, rows: 24, ...setup })
  return { terminal, goOn }
}

/** A screen without what differs from run to run. */
const stable = (rows: string[] | string) =>
  (Array.isArray(rows) ? rows.join('\n') : rows)
    .replaceAll(/~?\b\d+s (elapsed|remaining)/g, '…s $1')
    .replaceAll(/( \|.*remaining|elapsed) +║/g, '$1 ║')
    .replaceAll(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, '⠋')
    .replaceAll(/ (\d+s|\d+ms)$/gm, ' …s')
    .trimEnd()

describe('--stream', () => {
  it('shows the list in a box that is drawn over, and the answer below it', async () => {
    const { terminal, goOn } = started()
    await terminal.shown('0/4 0%')
    expect(terminal.screen()).toContain('– remaining')
    goOn('first')
    await terminal.shown('make test')
    expect(stable(terminal.visible())).toMatchInlineSnapshot(`
      "╔═════════════════════════════════════════════════════════════════════════════╗
      ║ Task: build it                                                              ║
      ║ Progress: [█████░░░░░░░░░░░░░░░] 1/4 25%                                    ║
      ╠═════════════════════════════════════════════════════════════════════════════╣
      ║ Current: Validate 数量 é                                                    ║
      ║ Time: …s elapsed | …s remaining ║
      ║                                                                             ║
      ║   ✅ Create the endpoint                                                    ║
      ║   ⏳ Validate 数量 é                                                        ║
      ║   ○  Hash passwords                                                         ║
      ║   ○  Return it                                                              ║
      ╚═════════════════════════════════════════════════════════════════════════════╝

      ⠋ ⚡ Running command make test
      claude fake-1 · …s"
    `)
    goOn('second')
    await terminal.hidden('make test')
    expect(terminal.visible().filter((row) => row.includes('╔'))).toHaveLength(1)
    goOn('third')
    const { screen, bytes } = await terminal.finished
    expect(stable(screen).split('\n\n───')[0]).toMatchInlineSnapshot(`
      "╔═════════════════════════════════════════════════════════════════════════════╗
      ║ Task: build it                                                              ║
      ║ Progress: [████████████████████] 4/4 100%                                   ║
      ╠═════════════════════════════════════════════════════════════════════════════╣
      ║ Current: –                                                                  ║
      ║ Time: …s elapsed ║
      ║                                                                             ║
      ║   ✅ Create the endpoint                                                    ║
      ║   ✅ Validate 数量 é                                                        ║
      ║   ✅ Hash passwords                                                         ║
      ║   ✅ Return it                                                              ║
      ╚═════════════════════════════════════════════════════════════════════════════╝

      All done.

      • one"
    `)
    expect(bytes).not.toContain('\u0007')
    expect(bytes.lastIndexOf('\u001b[?25h')).toBeGreaterThan(bytes.lastIndexOf('\u001b[?25l'))
  })

  it('fits into 40×10, and into another size when that changes', async () => {
    const { terminal, goOn } = started({ columns: 40, rows: 10 })
    await terminal.shown('0/4 0%')
    goOn('first')
    await terminal.shown('make test')
    expect(stable(terminal.visible())).toMatchInlineSnapshot(`
      "╔═════════════════════════════════════╗
      ║ Progress: [███░░░░░░░░░░░░] 1/4 25% ║
      ║ Time: …s elapsed | …s remaining ║
      ║   ⏳ Validate 数量 é                ║
      ║   … and 3 more                      ║
      ╚═════════════════════════════════════╝

      ⠋ ⚡ Running command make test
      claude fake-1 · …s"
    `)
    terminal.resize(80, 24)
    await terminal.shown('Current: Validate')
    expect(terminal.visible().filter((row) => row.includes('╔'))).toHaveLength(1)
    terminal.resize(40, 10)
    await terminal.hidden('Current: Validate')
    goOn('second')
    goOn('third')
    const { screen } = await terminal.finished
    expect(screen).toContain('All done.\n\n• one')
  })

  it('leaves the list as far as it got when it is interrupted', async () => {
    const { terminal, goOn } = started()
    goOn('first')
    await terminal.shown('1/4 25%')
    terminal.type(CTRL_C)
    const { screen, exitCode } = await terminal.finished
    expect(exitCode).toBe(130)
    expect(screen).toMatch(/1\/4 25%[\s\S]*╝\n\n[\s\S]*✗ CANCELLED/)
    expect(screen.match(/╔/g)).toHaveLength(1)
  })

  it('goes on in its box when the turn is tried again', async () => {
    const { env } = saying(...done(2), { result: 'overloaded', is_error: true, api_error_status: 529 })
    const flags = ['--no-save', '--stream', '--retries', '0', '--on-error', 'retry']
    const terminal = startInTerminal(['exec', ...flags, 'go'], FAKE, env, { columns: 80, rows: 24 })
    const { screen } = await terminal.finished
    expect(screen).toContain('↻ trying again')
    expect(screen.match(/╔/g)).toHaveLength(1)
    expect(screen.indexOf('↻ trying again')).toBeLessThan(screen.indexOf('╔'))
  })

  it('shows the answer alone where there is no list', async () => {
    const { env } = saying(words('x'), { result: 'The answer.' })
    const terminal = startInTerminal(['exec', '--no-save', '--stream', 'go'], FAKE, env)
    expect((await terminal.finished).screen).toMatch(/^The answer\.\n/)
  })

  it.each([
    ['a pipe', {}],
    ['CI', { CI: '1' }],
  ])('appends a line for each change in %s', async (_, env) => {
    const said = saying(...lines())
    for (const gate of ['first', 'second', 'third']) {
      said.goOn(gate)
    }
    const run = await runCli(['exec', '--yes', '--no-save', '--stream', 'go'], {
      agent: FAKE,
      env: { ...said.env, ...env },
    })
    expect(run.stdout).toBe('I will plan.\nAll done.\n')
    expect(run.stderr.match(/^\[.*/gm)).toEqual([
      '[0/4 0%] ⏳ Create the endpoint',
      '[0/4 0%] ○ Validate 数量 e\u0301',
      '[0/4 0%] ○ Hash passwords',
      '[0/4 0%] ○ Return it',
      '[1/4 25%] ✅ Create the endpoint',
      '[1/4 25%] ⏳ Validate 数量 e\u0301',
      '[4/4 100%] ✅ Validate 数量 e\u0301',
      '[4/4 100%] ✅ Hash passwords',
      '[4/4 100%] ✅ Return it',
    ])
    expect(run.stderr).not.toContain('\u001b')
  })

  it('is not for the interactive mode', async () => {
    const { exitCode, stderr } = await runCli(['exec', '-i', '--stream'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--stream is for a single prompt')
  })
})
