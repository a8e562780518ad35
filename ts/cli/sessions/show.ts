import type { ConversationMessage } from '../../conversation.js'
import type { StoredSession } from '../../history.js'
import type { ToolResultRecord, ToolUseRecord } from '../../records.js'
import { symbols } from '../display/symbols.js'
import { shownName } from '../file-names.js'
import { costText, formatAge, formatBytes, formatCount, formatDuration, formatTime } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import { toolTitle } from '../renderers/tool-display.js'
import { SHORT_ID } from '../short-id.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { findSession, titleOf } from './find-session.js'
import { countOf } from './flags.js'
import { agentOf, stateOf, tellProblems } from './list.js'
import type { Screen } from './screen.js'

export interface ShowFlags extends CommonFlags {
  last?: string
}

/** `sessions show` */
export async function showSession(
  { store, screen, json }: SessionsCommand,
  prefix: string,
  flags: ShowFlags,
): Promise<void> {
  const last = flags.last === undefined ? undefined : countOf('--last', flags.last, 1)
  const stored = await store.read(await findSession(store, prefix))
  if (json) {
    screen.json(last === undefined ? stored : { ...stored, messages: stored.messages.slice(-last) })
    return
  }
  const session = cleanValue(stored)
  tellProblems(screen, session.problems)
  head(screen, session)
  const messages = last === undefined ? session.messages : session.messages.slice(-last)
  if (messages.length < session.messages.length) {
    const left = formatCount(session.messages.length - messages.length, 'earlier message')
    screen.print(screen.chalk.dim(`${symbols().ellipsis} ${left}`))
    screen.print()
  }
  const tools = toolsByRun(session)
  const errors = errorsByRun(session)
  for (const message of messages) {
    if (message.role === 'user') {
      prompt(screen, message)
    } else {
      answer(screen, session, message, tools.get(message.runId) ?? [], errors.get(message.runId))
    }
  }
  screen.remark(
    screen.remarks.dim(
      `continue it: locus exec --session ${session.id.slice(0, SHORT_ID)} "${symbols().ellipsis}"`,
    ),
  )
}

function head(screen: Screen, { summary, forkedFrom, importedFrom }: StoredSession): void {
  const { blue, bold, dim } = screen.chalk
  const now = Date.now()
  const { id, provider, model, turns, createdAt, updatedAt, sizeBytes, compressed } = summary
  const facts = [
    agentOf(provider, model),
    formatCount(turns, 'turn'),
    ...(summary.costUsd === undefined ? [] : [costText(summary)]),
    `${formatBytes(sizeBytes)}${compressed ? ' compressed' : ''}`,
    ...(stateOf(summary) === '' ? [] : [stateOf(summary)]),
  ]
  screen.print(blue(bold(titleOf(summary))))
  screen.print(dim(id))
  screen.print(dim(facts.join(` ${symbols().dot} `)))
  screen.print(dim(`begun ${formatTime(createdAt)}, changed ${formatAge(updatedAt, now)}`))
  if (forkedFrom) {
    screen.print(dim(`forked from ${forkedFrom}`))
  }
  if (importedFrom) {
    screen.print(dim(`imported from ${importedFrom}`))
  }
  screen.print()
}

function prompt(screen: Screen, { content, timestamp, metadata }: ConversationMessage): void {
  const { cyan, bold, dim } = screen.chalk
  screen.print(`${cyan(bold('You'))} ${dim(formatTime(timestamp))}`)
  screen.print(content.trimEnd())
  for (const { name } of metadata?.images ?? []) {
    screen.print(dim(`image: ${shownName(name)}`))
  }
  screen.print()
}

function answer(
  screen: Screen,
  { summary }: StoredSession,
  message: ConversationMessage,
  tools: Tool[],
  error: string | undefined,
): void {
  const { green, bold, dim, red, yellow } = screen.chalk
  const { content, timestamp, metadata = {} } = message
  const { durationMs, interrupted, errorCode, usage } = metadata
  const facts = [
    formatTime(timestamp),
    ...(durationMs === undefined ? [] : [formatDuration(durationMs)]),
    ...(usage?.costUsd === undefined ? [] : [costText(usage)]),
  ]
  screen.print(`${green(bold(summary.provider || 'Agent'))} ${dim(facts.join(` ${symbols().dot} `))}`)
  for (const tool of tools) {
    screen.print(toolLine(screen, tool))
  }
  // Other formats keep only the names.
  if (tools.length === 0 && metadata.toolsUsed && metadata.toolsUsed.length > 0) {
    screen.print(dim(`tools: ${metadata.toolsUsed.join(', ')}`))
  }
  if (content.trim() !== '') {
    screen.print(content.trimEnd())
  }
  if (interrupted) {
    const why = summary.open ? 'this turn is under way' : 'interrupted: this turn was never finished'
    screen.print(yellow(`${symbols().warning} ${why}`))
  } else if (errorCode !== undefined) {
    screen.print(red(`${symbols().failed} ${errorCode}${error === undefined ? '' : ` ${error}`}`))
  }
  screen.print()
}

interface Tool {
  use: ToolUseRecord
  result: ToolResultRecord | undefined
}

function toolLine({ chalk }: Screen, { use, result }: Tool): string {
  const { icons, ok, failed: bad } = symbols()
  const { icon, message, detail } = toolTitle(use.tool, use.parameters)
  const mark = result === undefined ? chalk.yellow('?') : result.success ? chalk.green(ok) : chalk.red(bad)
  const took = result?.durationMs === undefined ? '' : ` (${formatDuration(result.durationMs)})`
  const failed = result?.error === undefined ? '' : `: ${result.error.split('\n', 1)[0]}`
  const indent = use.parentToolUseId === undefined ? '' : '  '
  return `${indent}${mark} ${icons[icon]}${message} ${chalk.dim(`${detail}${took}`)}${chalk.red(failed)}`
}

function toolsByRun({ records }: StoredSession): Map<string, Tool[]> {
  const runs = new Map<string, Tool[]>()
  const open = new Map<string, Tool>()
  for (const record of records) {
    if (record.type === 'tool_use') {
      const tool: Tool = { use: record, result: undefined }
      open.set(record.id, tool)
      const tools = runs.get(record.runId) ?? []
      tools.push(tool)
      runs.set(record.runId, tools)
    } else if (record.type === 'tool_result') {
      const tool = open.get(record.id)
      if (tool) {
        tool.result = record
      }
    }
  }
  return runs
}

function errorsByRun({ records }: StoredSession): Map<string, string> {
  return new Map(
    records.flatMap((record) =>
      record.type === 'turn' && record.error !== undefined ? [[record.runId, record.error]] : [],
    ),
  )
}
