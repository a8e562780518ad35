import { listAgents } from '../../agents.js'
import { type ErrorCode, execError } from '../../errors.js'
import { symbols } from '../display/symbols.js'
import { type AgentReport, checkAgent, type Problem } from '../doctor/agent-check.js'
import { checkEngine, type EngineCheck, problemsOf } from '../doctor/engine-check.js'
import { parseDuration } from '../duration.js'
import { EXIT_CODES } from '../exit-codes.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { CommonFlags } from '../sessions/command.js'
import type { Screen } from '../sessions/screen.js'
import { table } from '../sessions/table.js'
import { loadSettings } from '../settings.js'
import { addCommonFlags, runProjectCommand } from './sessions.js'

interface DoctorFlags extends CommonFlags {
  provider?: string
  trustProject?: boolean
  timeout?: string
}

/** What `--json` prints. */
export interface DoctorReport {
  /** Whether the default agent can be run. */
  usable: boolean
  engine: EngineCheck[]
  agents: AgentReport[]
}

/** When a program that does not answer is ended. */
const DEFAULT_LIMIT = '10s'
const DEFAULT_PROVIDER = 'claude'

/** The states that are no failure: what is lacking comes with the prompt. */
const USABLE: ReadonlySet<AgentReport['state']> = new Set(['ready', 'needs-command'])

/** What the state of the default agent is as an exit code; none where it is usable. */
const CODES: Partial<Record<AgentReport['state'], ErrorCode>> = {
  missing: 'CLI_NOT_FOUND',
  broken: 'SPAWN_FAILED',
  'logged-out': 'AUTH',
  'not-allowed': 'AGENT_NOT_ALLOWED',
}

/** Runs `locus exec doctor`; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runDoctor(args: string[], dir?: string): Promise<number> {
  let verdict = 0
  const exitCode = await runProjectCommand('doctor', args, dir, (root, start) => {
    addCommonFlags(
      root.description('whether the agents and the engine can be used, and what to do where not'),
    )
      .option('-p, --provider <name>', 'look at this agent only, as if it were the default')
      .option('--trust-project', "look at agents as the project's .locus/agents.toml says, without asking")
      .option('--timeout <duration>', `how long a program is waited for (default: ${DEFAULT_LIMIT})`)
      .action(async (flags: DoctorFlags) => {
        const [{ screen, json }, projectPath] = start(flags)
        const report = await examine(projectPath, flags)
        verdict = exitCodeOf(report)
        if (json) {
          screen.json(report)
        } else {
          show(cleanValue(report), screen)
        }
      })
  })
  return exitCode || verdict
}

async function examine(projectPath: string, flags: DoctorFlags): Promise<DoctorReport> {
  const { provider, trustProject = false } = flags
  const { agents } = listAgents({ projectPath, trustProject })
  const usual = provider ?? loadSettings(projectPath, process.env).provider ?? DEFAULT_PROVIDER
  const looked = agents.filter(({ name }) => provider === undefined || name === provider)
  if (!agents.some(({ name }) => name === usual)) {
    const known = agents.map(({ name }) => name).join(', ')
    throw execError('UNKNOWN_PROVIDER', `unknown provider '${usual}'; known providers: ${known}`)
  }
  const { env } = process
  const limitMs = parseDuration(flags.timeout ?? DEFAULT_LIMIT, '--timeout')
  const [engine, ...reports] = await Promise.all([
    checkEngine(projectPath, limitMs),
    ...looked.map((agent) =>
      checkAgent(agent, { projectPath, trustProject, env, isDefault: agent.name === usual }, limitMs),
    ),
  ])
  const isUsable = reports.some(({ isDefault, state }) => isDefault && USABLE.has(state))
  const usable = isUsable && engine.every(({ state }) => state !== 'failed')
  return { usable, engine, agents: reports }
}

function exitCodeOf({ usable, engine, agents }: DoctorReport): number {
  if (usable) {
    return 0
  }
  const usual = agents.find(({ isDefault }) => isDefault)
  const code = engine.some(({ state }) => state === 'failed') ? undefined : usual && CODES[usual.state]
  return EXIT_CODES[code ?? 'BROKEN_INSTALLATION']
}

const MARKS = { ok: symbols().ok, warning: symbols().open, failed: symbols().failed }

function show(report: DoctorReport, screen: Screen): void {
  const { engine, agents } = report
  const { chalk } = screen
  const painted = { ok: chalk.green, warning: chalk.yellow, failed: chalk.red }
  const paint = (text: string) => {
    const state = (Object.keys(MARKS) as Array<keyof typeof MARKS>).find((key) => text.startsWith(MARKS[key]))
    return state === undefined ? text : painted[state](text)
  }
  const width = screen.columns
  const rows = agents.map((agent) => [
    `${MARKS[levelOf(agent)]} ${agent.name}${agent.isDefault ? ' (default)' : ''}`,
    agent.state,
    agent.version ?? '',
    LOGINS[agent.login],
    agent.program ?? '',
  ])
  const columns = [
    { title: 'AGENT', style: paint },
    { title: 'STATE' },
    { title: 'VERSION', fromWidth: 50 },
    { title: 'LOGIN', fromWidth: 60 },
    { title: 'PROGRAM', style: chalk.dim, fromWidth: 80 },
  ]
  const checks = engine.map(({ name, state, detail }) => [`${MARKS[state]} ${name}`, detail])
  const engineColumns = [{ title: 'ENGINE', style: paint }, { title: '' }]
  const can = agents.map(({ name, capabilities }) => [name, capabilities?.join(', ') ?? 'unknown'])
  for (const line of [
    ...table(columns, rows, width),
    '',
    ...table([{ title: 'CAN', style: chalk.cyan }, { title: '' }], can, width),
    '',
    ...table(engineColumns, checks, width),
  ]) {
    screen.print(line)
  }
  tell([...agents.filter(isOfInterest).flatMap(named), ...problemsOf(engine)], screen)
  screen.print()
  screen.print(verdict(report, screen))
}

function verdict({ usable, agents }: DoctorReport, { chalk }: Screen): string {
  if (!usable) {
    return chalk.red(`${MARKS.failed} the default agent cannot be used`)
  }
  const isComplete = agents.some(({ isDefault, state }) => isDefault && state === 'ready')
  return isComplete
    ? chalk.green(`${MARKS.ok} ready`)
    : chalk.yellow(`${MARKS.warning} ready with --agent-command`)
}

const LOGINS: Record<AgentReport['login'], string> = {
  ...{ yes: 'yes', no: 'no', unknown: '?' },
  'not-needed': symbols().unknown,
}

function levelOf({ state, isDefault }: AgentReport): keyof typeof MARKS {
  if (USABLE.has(state)) {
    return state === 'ready' ? 'ok' : 'warning'
  }
  return isDefault || state === 'broken' ? 'failed' : 'warning'
}

/** An agent that nobody installed or has a command for, and that is not asked for, is no problem. */
const isOfInterest = ({ state, isDefault }: AgentReport) =>
  isDefault || (state !== 'missing' && state !== 'needs-command')

const named = ({ name, problems }: AgentReport): Problem[] =>
  problems.map(({ message, remedy }) => ({ message: `${name}: ${message}`, ...(remedy && { remedy }) }))

function tell(problems: Problem[], screen: Screen): void {
  const { yellow, dim } = screen.chalk
  for (const { message, remedy } of problems) {
    screen.print()
    screen.paragraph(message, { style: yellow })
    if (remedy) {
      screen.paragraph(remedy, { before: `  ${symbols().arrow} `, style: dim })
    }
  }
}
