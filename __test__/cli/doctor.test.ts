import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { isAtLeast } from '../../ts/cli/doctor/agent-check.js'
import { writeAgents } from '../support/agents-file.js'
import { runCli, unhideableClaude } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { program } from '../support/programs.js'
import { startInTerminal } from '../support/terminal.js'

const VERSION = 'if [ "$1" = --version ]; then echo "2.2.0 (Fake Code)"; exit 0; fi'

/** Runs `doctor` where these programs, and no others, are the agents. */
async function doctor(
  programs: Record<string, string>,
  args: string[] = [],
  env: Record<string, string> = {},
) {
  const folder = temporaryFolder()
  for (const [name, script] of Object.entries(programs)) {
    program(folder, name, script)
  }
  const PATH = [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(':')
  const run = await runCli(['exec', 'doctor', '--json', ...args], { env: { PATH, ...env } })
  const { agents, engine, usable } = JSON.parse(run.stdout)
  const agent = (name: string) => agents.find((agent: { name: string }) => agent.name === name)
  return { ...run, agents, engine, usable, agent, folder }
}

describe('doctor', () => {
  it('finds an agent that is there and logged in, and ends with 0', async () => {
    const { exitCode, agent, usable, engine, folder } = await doctor({
      claude: `${VERSION}\n[ "$*" = "auth status" ]`,
    })
    expect([exitCode, usable]).toEqual([0, true])
    expect(agent('claude')).toMatchObject({
      ...{ state: 'ready', version: '2.2.0', login: 'yes', isDefault: true, problems: [] },
      program: join(folder, 'claude'),
    })
    expect(agent('demo')).toMatchObject({ state: 'ready', login: 'not-needed' })
    // Which program it is depends on --agent-command.
    expect(agent('acp')).toMatchObject({ state: 'needs-command', login: 'unknown' })
    const names = engine.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['addon', 'runner', 'node', 'project', 'git', 'terminal'])
  })

  it.skipIf(unhideableClaude)('tells what to install where it is missing', async () => {
    const { exitCode, agent } = await doctor({})
    expect(exitCode).toBe(5)
    expect(agent('claude')).toMatchObject({
      state: 'missing',
      problems: [{ message: expect.stringContaining('npm install -g @anthropic-ai/claude-code') }],
    })
  })

  it('tells how to log in', async () => {
    const { exitCode, agent } = await doctor({ claude: `${VERSION}\nexit 1` })
    expect(exitCode).toBe(22)
    expect(agent('claude')).toMatchObject({
      ...{ state: 'logged-out', login: 'no' },
      problems: [{ message: 'not logged in', remedy: expect.stringContaining('/login') }],
    })
  })

  it('does not ask a version that might take the question for a prompt', async () => {
    const folder = temporaryFolder()
    const old = `echo "$*" >> '${folder}/calls'\nif [ "$1" = --version ]; then echo 2.1.39; exit 0; fi`
    const { exitCode, agent } = await doctor({ claude: old })
    expect([exitCode, agent('claude').login]).toEqual([0, 'unknown'])
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('--version\n')
    const keyed = await doctor({ claude: old }, [], { ANTHROPIC_API_KEY: 'k' })
    expect(keyed.agent('claude').login).toBe('yes')
    const first = 'if [ "$1" = --version ]; then echo 2.1.40; exit 0; fi\nexit 1'
    expect((await doctor({ claude: first })).agent('claude').login).toBe('no')
  })

  it('tells what an agent wrote that does not run', async () => {
    const { exitCode, agent } = await doctor({ claude: 'echo "no such library" >&2; exit 127' })
    expect(exitCode).toBe(6)
    expect(agent('claude')).toMatchObject({
      state: 'broken',
      problems: [{ message: '`claude --version` ends with exit code 127: no such library' }],
    })
  })

  it('looks at one agent where it is named, as if it were the default', async () => {
    const { exitCode, agents } = await doctor({ claude: 'exit 1' }, ['--provider', 'demo'])
    expect(exitCode).toBe(0)
    expect(agents).toHaveLength(1)
    const unknown = await runCli(['exec', 'doctor', '-p', 'hal'])
    expect(unknown.exitCode).toBe(3)
    expect(unknown.stderr).toContain("unknown provider 'hal'; known providers: acp, claude,")
  })

  it('says of the agent that is any of them that it needs a command, which is no failure', async () => {
    const { exitCode, stdout } = await runCli(['exec', 'doctor', '-p', 'acp'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^○ acp \(default\) +needs-command/m)
    expect(stdout).toContain('acp: any agent that speaks ACP\n  → name its command: --agent-command "')
    expect(stdout).toMatch(/○ ready with --agent-command\n$/)
    const all = await runCli(['exec', 'doctor'], { env: { LOCUS_PROVIDER: 'demo' } })
    expect(all.exitCode).toBe(0)
    expect(all.stdout).not.toContain('any agent that speaks ACP')
  })

  it('tells a runner that cannot be run apart from an agent', async () => {
    const { exitCode, usable } = await doctor({}, ['-p', 'demo'], {
      LOCUS_RUNNER_PATH: join(temporaryFolder(), 'missing'),
    })
    expect([exitCode, usable]).toEqual([8, false])
  })

  it('does not run what a project names before that is allowed', async () => {
    const cwd = temporaryFolder()
    const evil = program(cwd, 'evil', `touch '${cwd}/run'; echo 1.0`)
    writeAgents(cwd, `[agents.theirs]\ndialect = "claude"\nprograms = ["${evil}"]\n`)
    const { stdout } = await runCli(['exec', 'doctor', '--json'], { cwd, agent: 'prints-garbage' })
    const { agents } = JSON.parse(stdout)
    expect(agents.find(({ name }: { name: string }) => name === 'theirs')).toMatchObject({
      ...{ state: 'not-allowed', problems: [{ remedy: expect.stringContaining('locus exec agents allow') }] },
    })
    expect(existsSync(join(cwd, 'run'))).toBe(false)
  })

  it('does not hang on a program that does, and leaves nothing of it', async () => {
    const folder = temporaryFolder()
    const hung = `sleep 1000 & echo $! > '${folder}/pid'; trap '' TERM; wait; wait`
    const { exitCode, agent } = await doctor({ claude: hung }, ['--timeout', '1s'])
    expect(exitCode).toBe(6)
    expect(agent('claude').problems).toMatchObject([{ message: '`claude --version` does not end' }])
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('is a table for people, which fits a narrow terminal', async () => {
    const wide = await startInTerminal(['exec', 'doctor'], 'prints-garbage', {}, { columns: 120 }).finished
    expect(wide.screen).toMatch(/^AGENT +STATE +VERSION +LOGIN +PROGRAM$/m)
    expect(wide.screen).toMatch(/^✗ claude \(default\) +broken/m)
    expect(wide.screen).toMatch(/^✓ demo +ready/m)
    expect(wide.bytes).toContain('\u001b[31m')
    const narrow = await startInTerminal(
      ['exec', 'doctor'],
      'prints-garbage',
      { NO_COLOR: '1' },
      { columns: 40 },
    ).finished
    expect(narrow.screen).toMatch(/^AGENT +STATE$/m)
    expect(narrow.bytes).not.toContain('\u001b[3')
    // Broken between words.
    const words = narrow.screen.slice(narrow.screen.indexOf('claude: `claude')).split('\n')
    expect(words[0]).toBe('claude: `claude --version` prints no')
  })
})

describe('models', () => {
  it('are those of the registry with their prices, where the agent does not tell', async () => {
    const { stdout, exitCode } = await runCli(['exec', 'models', 'claude', '--json'])
    expect(exitCode).toBe(0)
    const models = JSON.parse(stdout)
    expect(models.length).toBeGreaterThan(3)
    for (const model of models) {
      expect(model).toMatchObject({
        ...{ agent: 'claude', source: 'registry', isDefault: false },
        price: { input: expect.any(Number), output: expect.any(Number) },
      })
    }
  })

  it('are those that codex itself offers, where it answers', async () => {
    const folder = temporaryFolder()
    const answer = (id: number, result: object) => JSON.stringify({ id, result })
    const data = [{ id: 'gpt-5.1-codex', isDefault: true }, { id: 'secret', hidden: true }, { id: 'other' }]
    program(
      folder,
      'codex',
      `[ "$1" = app-server ] || exit 9
while read -r line; do
  case "$line" in
    *initialize\\"*) echo '${answer(1, {})}' ;;
    *model/list*) echo '${answer(2, { data })}' ;;
  esac
done`,
    )
    const PATH = [folder, '/usr/bin', '/bin'].join(':')
    const { stdout } = await runCli(['exec', 'models', 'codex', '--json'], { env: { PATH } })
    expect(JSON.parse(stdout)).toMatchObject([
      { id: 'gpt-5.1-codex', isDefault: true, source: 'agent', price: { input: expect.any(Number) } },
      { id: 'other', isDefault: false, source: 'agent' },
    ])
  })

  it('have the default and the context windows that the registry says', async () => {
    const cwd = temporaryFolder()
    writeAgents(
      cwd,
      '[agents.mine]\ndialect = "claude"\nmodel = "b"\nmodels = ["a", { id = "b", context = 200000 }]\n',
    )
    const { stdout } = await runCli(['exec', 'models', 'mine'], { cwd })
    expect(stdout).toMatch(/^mine +a +registry$/m)
    expect(stdout).toMatch(/^mine +b +default +200\.0k +registry$/m)
  })

  it('of an agent that is not known are an error', async () => {
    expect((await runCli(['exec', 'models', 'hal'])).exitCode).toBe(3)
  })
})

it.each([
  ['2.1.100', '2.1.100', true],
  ['2.2', '2.1.100', true],
  ['10.0.0', '9.9.9', true],
  ['2.1.99', '2.1.100', false],
  ['codex-cli 0.169.0', '0.2', true],
  ['unknown', '1.0', false],
  [undefined, '1.0', false],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected)
})
