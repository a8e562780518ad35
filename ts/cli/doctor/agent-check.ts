import type { AgentInfo } from '../../agents.js'
import { ExecError } from '../../errors.js'
import { type Probed, type ProbeTarget, probeAgent } from '../../probe.js'

/** Something that is wrong, with what to do about it. */
export interface Problem {
  message: string
  remedy?: string
}

/** What is known of one agent. */
export interface AgentReport {
  name: string
  /** Whether it is the one that is run where none is named. */
  isDefault: boolean
  dialect: string
  origin: AgentInfo['origin']
  /**
   * `ready`; `needs-command`: it is any agent that a command names; `logged-out`; `missing`: not installed; `broken`: it does
   * not run; `not-allowed`: the project's file has a say in it.
   */
  state: 'ready' | 'needs-command' | 'logged-out' | 'missing' | 'broken' | 'not-allowed'
  /** Where its executable is. */
  program?: string
  version?: string
  /** Whether it is logged in; `unknown` where it cannot be asked without using tokens. */
  login: 'yes' | 'no' | 'unknown' | 'not-needed'
  capabilities?: string[]
  problems: Problem[]
}

/** Looks at an agent without a turn, for at most twice `limitMs`. */
export async function checkAgent(
  agent: AgentInfo,
  target: Omit<ProbeTarget, 'provider'> & { isDefault: boolean; env: NodeJS.ProcessEnv },
  limitMs: number,
): Promise<AgentReport> {
  const { isDefault, env, ...place } = target
  const { name, dialect, origin, capabilities } = agent
  const report: AgentReport = {
    ...{ name, isDefault, dialect, origin, state: 'ready', login: 'unknown' },
    ...(capabilities && { capabilities }),
    problems: [],
  }
  const probe = (args: string[]) => probeAgent({ ...place, provider: name }, args, limitMs)
  if (!agent.allowed) {
    return failed(report, 'not-allowed', {
      message: "the project's .locus/agents.toml has a say in it, and is not allowed",
      remedy: 'read it, then `locus exec agents allow`',
    })
  }
  if (agent.programs.length === 0) {
    // What comes with this package has no version of its own to be asked for.
    return agent.version.length === 0
      ? { ...report, login: 'not-needed' }
      : failed(report, 'needs-command', {
          message: 'any agent that speaks ACP',
          remedy: 'name its command: --agent-command "gemini --acp"',
        })
  }
  try {
    const versioned = await probe(agent.version)
    report.program = versioned.program
    const version = versionIn(versioned)
    if (version === undefined) {
      return failed(report, 'broken', {
        message: `\`${[name, ...agent.version].join(' ')}\` ${howItEnded(versioned)}${lastLine(versioned.stderr)}`,
        remedy: agent.install ?? 'run it by hand to see why',
      })
    }
    report.version = version
  } catch (error) {
    return failed(report, stateOf(error), problemOf(error))
  }
  return await checkLogin(agent, report, probe, env)
}

async function checkLogin(
  agent: AgentInfo,
  report: AgentReport,
  probe: (args: string[]) => Promise<Probed>,
  env: NodeJS.ProcessEnv,
): Promise<AgentReport> {
  const { status, statusSince, keys, login } = agent
  const canAsk = status.length > 0 && (statusSince === undefined || isAtLeast(report.version, statusSince))
  if (!canAsk) {
    // A key that is there may be refused: only the model's API knows.
    return { ...report, login: keys.some((key) => env[key]) ? 'yes' : 'unknown' }
  }
  const asked = await probe(status).catch(() => undefined)
  if (asked === undefined || asked.timedOut) {
    report.problems.push({ message: `\`${[agent.name, ...status].join(' ')}\` does not answer` })
    return report
  }
  if (asked.exitCode === 0) {
    return { ...report, login: 'yes' }
  }
  return failed({ ...report, login: 'no' }, 'logged-out', { message: 'not logged in', remedy: login })
}

function failed(report: AgentReport, state: AgentReport['state'], problem: Problem): AgentReport {
  const { message, remedy } = problem
  return { ...report, state, problems: [...report.problems, { message, ...(remedy && { remedy }) }] }
}

function stateOf(error: unknown): AgentReport['state'] {
  return error instanceof ExecError && error.code === 'CLI_NOT_FOUND' ? 'missing' : 'broken'
}

function problemOf(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error)
  // What is missing says in its message what to do.
  return error instanceof ExecError && error.code !== 'CLI_NOT_FOUND'
    ? { message, remedy: error.remedy }
    : { message }
}

/** The version in what a program printed: its first number with a dot, else its first line. */
function versionIn({ exitCode, stdout }: Probed): string | undefined {
  const [first = ''] = stdout.trim().split('\n')
  if (exitCode !== 0 || !/\d/.test(first)) {
    return undefined
  }
  return /\d+\.\d+[\w.+-]*/.exec(stdout)?.[0] ?? first
}

function howItEnded({ exitCode, signal, timedOut }: Probed): string {
  if (timedOut) {
    return 'does not end'
  }
  return exitCode === 0 ? 'prints no version' : `ends with ${signal ?? `exit code ${exitCode}`}`
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return line === '' ? '' : `: ${line}`
}

/** Whether a version is another one or later. */
export function isAtLeast(version: string | undefined, least: string): boolean {
  const numbers = (text: string) => (/\d+(\.\d+)*/.exec(text)?.[0] ?? '').split('.').map(Number)
  const [have, need] = [numbers(version ?? ''), numbers(least)]
  const differing = need.findIndex((number, index) => (have[index] ?? 0) !== number)
  return differing === -1 || (have[differing] ?? 0) > (need[differing] ?? 0)
}
