import { type AgentInfo, allowAgents, listAgents, revokeAgents } from '../../agents.js'
import { execError } from '../../errors.js'
import { askForConsent, linesOf } from '../agents/consent.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { CommonFlags } from '../sessions/command.js'
import type { Screen } from '../sessions/screen.js'
import { table } from '../sessions/table.js'
import { addCommonFlags, runProjectCommand } from './sessions.js'

type HowItIsRun = Pick<AgentInfo, 'wrapper' | 'programs' | 'args' | 'version'>

interface AllowFlags extends CommonFlags {
  yes?: boolean
}

/** Runs `locus exec agents …`; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runAgents(args: string[], dir?: string): Promise<number> {
  const [first = ''] = args
  const isHelp = first === '-h' || first === '--help'
  const words = first === '' || (first.startsWith('-') && !isHelp) ? ['list', ...args] : args
  return await runProjectCommand('agents', words, dir, (root, start) => {
    root.description('the agents that can be named by --provider')
    const add = (name: string, description: string) =>
      addCommonFlags(root.command(name).description(description))

    add('list', 'which there are').action((flags) => {
      const [{ screen, json }, projectPath] = start(flags)
      const list = listAgents({ projectPath })
      if (json) {
        screen.json(list.agents)
      } else {
        show(list.agents, screen)
      }
    })

    add('allow', "allow the project's .locus/agents.toml, as it is")
      .option('-y, --yes', 'do not ask')
      .action(async (flags: AllowFlags) => {
        const [{ screen }, projectPath] = start(flags)
        await allow(projectPath, screen, flags)
      })

    add('revoke', 'take back what was allowed').action((flags) => {
      const [{ screen }, projectPath] = start(flags)
      const { path } = fileOf(projectPath)
      screen.print(revokeAgents(path) ? `${cleanValue(path)} is not allowed any more` : 'it was not allowed')
    })
  })
}

function fileOf(projectPath: string) {
  const { projectFile } = listAgents({ projectPath })
  if (projectFile === undefined) {
    throw execError('INVALID_INPUT', 'this project has no .locus/agents.toml; there is nothing to allow')
  }
  return projectFile
}

async function allow(projectPath: string, screen: Screen, { yes }: AllowFlags): Promise<void> {
  const file = fileOf(projectPath)
  if (file.allowed) {
    screen.print('it is allowed already')
    return
  }
  if (yes) {
    for (const line of linesOf(file, screen.remarks.green)) {
      screen.remark(line)
    }
  } else if (!(await askForConsent(file))) {
    screen.print('it stays as it is: not allowed')
    return
  }
  // The text that was shown, whatever the file says by now.
  allowAgents(file)
  screen.print('allowed, until it changes')
}

function show(agents: AgentInfo[], screen: Screen): void {
  const { chalk } = screen
  const columns = [
    { title: 'AGENT', style: chalk.cyan },
    { title: 'FROM', style: chalk.dim },
    { title: 'SPEAKS', style: chalk.dim, fromWidth: 50 },
    { title: 'ALLOWED', style: chalk.yellow, fromWidth: 60 },
    { title: 'RUN AS' },
  ]
  const rows = cleanValue(agents).map(({ name, origin, dialect, allowed, ...how }) => [
    name,
    origin,
    dialect,
    allowed ? '' : 'no',
    howItIsRun(how),
  ])
  for (const line of table(columns, rows, screen.columns)) {
    screen.print(line)
  }
}

function howItIsRun({ wrapper, programs, args, version }: HowItIsRun): string {
  if (programs.length > 0) {
    return [...wrapper, programs.join(' or '), ...args].join(' ')
  }
  return version.length === 0 ? '(comes with this package)' : '(what --agent-command names)'
}
