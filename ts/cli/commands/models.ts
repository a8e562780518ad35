import { type AgentInfo, listAgents } from '../../agents.js'
import { execError } from '../../errors.js'
import { type ModelPrice, modelPrices, type OfferedModel, offeredModels } from '../../probe.js'
import { formatTokens } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { CommonFlags } from '../sessions/command.js'
import type { Screen } from '../sessions/screen.js'
import { table } from '../sessions/table.js'
import { addCommonFlags, runProjectCommand } from './sessions.js'

/** A model of an agent, as `--json` prints it. */
export interface ListedModel {
  agent: string
  id: string
  isDefault: boolean
  /** Who says that there is such a model: the agent itself, or the registry. */
  source: 'agent' | 'registry'
  contextTokens?: number
  /** US dollars per million tokens, where they are known. */
  price?: ModelPrice
}

/** When an agent that does not answer is ended. */
const LIMIT_MS = 10_000

/** Runs `locus exec models`; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runModels(args: string[], dir?: string): Promise<number> {
  return await runProjectCommand('models', args, dir, (root, start) => {
    addCommonFlags(root.description('the models that are known, with their prices'))
      .argument('[provider]', 'the agent (default: all)')
      .option('--trust-project', "ask agents as the project's .locus/agents.toml says, without asking you")
      .action(async (provider: string | undefined, flags: CommonFlags & { trustProject?: boolean }) => {
        const [{ screen, json }, projectPath] = start(flags)
        const models = await modelsOf(projectPath, provider, flags.trustProject ?? false)
        if (json) {
          screen.json(models)
        } else {
          show(cleanValue(models), screen)
        }
      })
  })
}

async function modelsOf(
  projectPath: string,
  provider: string | undefined,
  trustProject: boolean,
): Promise<ListedModel[]> {
  const { agents } = listAgents({ projectPath, trustProject })
  const asked = agents.filter(({ name }) => provider === undefined || name === provider)
  if (asked.length === 0) {
    const known = agents.map(({ name }) => name).join(', ')
    throw execError('UNKNOWN_PROVIDER', `unknown provider '${provider}'; known providers: ${known}`)
  }
  const prices = modelPrices(projectPath)
  const lists = await Promise.all(
    asked.map(async (agent) => {
      // An agent that is not there, or that does not answer, leaves what is known of it.
      const target = { provider: agent.name, projectPath, trustProject }
      const offered = await offeredModels(target, LIMIT_MS).catch(() => undefined)
      return modelsOfAgent(agent, offered, prices)
    }),
  )
  return lists.flat()
}

/** An agent's models: those that it offers itself, else those of the registry. */
export function modelsOfAgent(
  agent: AgentInfo,
  offered: OfferedModel[] | undefined,
  prices: Record<string, ModelPrice>,
): ListedModel[] {
  const known = agent.models.map(({ id }) => ({ id, isDefault: false }))
  const source = offered === undefined ? 'registry' : 'agent'
  const ids = offered ?? known
  // What the registry names as default is what is asked for, whatever the agent would choose.
  const all =
    agent.model && !ids.some(({ id }) => id === agent.model)
      ? [{ id: agent.model, isDefault: true }, ...ids]
      : ids
  return all.map(({ id, isDefault }) => {
    const contextTokens = agent.models.find((model) => model.id === id)?.contextTokens
    const price = prices[id]
    return {
      ...{ agent: agent.name, id, source },
      isDefault: agent.model === undefined ? isDefault : id === agent.model,
      ...(contextTokens !== undefined && { contextTokens }),
      ...(price && { price }),
    }
  })
}

function show(models: ListedModel[], screen: Screen): void {
  const { chalk } = screen
  const columns = [
    { title: 'AGENT', style: chalk.dim },
    { title: 'MODEL', style: chalk.cyan },
    { title: 'DEFAULT', style: chalk.green, fromWidth: 70 },
    { title: 'CONTEXT', right: true, fromWidth: 80 },
    { title: 'INPUT', right: true, fromWidth: 50 },
    { title: 'OUTPUT', right: true, fromWidth: 50 },
    { title: 'FROM', style: chalk.dim, fromWidth: 90 },
  ]
  const rows = models.map(({ agent, id, isDefault, contextTokens, price, source }) => [
    ...[agent, id, isDefault ? 'default' : ''],
    contextTokens === undefined ? '' : formatTokens(contextTokens),
    ...[dollars(price?.input), dollars(price?.output), source],
  ])
  for (const line of table(columns, rows, screen.columns)) {
    screen.print(line)
  }
  screen.remark(
    screen.remarks.dim(
      'prices: US dollars per million tokens; no mark: the agent chooses its default itself',
    ),
  )
}

const dollars = (price: number | undefined) => (price === undefined ? '' : `$${price}`)
