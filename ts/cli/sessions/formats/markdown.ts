import type { ConversationMessage } from '../../../conversation.js'
import type { StoredSession } from '../../../history.js'
import { shownName } from '../../file-names.js'
import { costText, formatCount, formatDuration, formatTime } from '../../format.js'
import { cleanValue } from '../../renderers/clean-text.js'
import { titleOf } from '../find-session.js'
import { agentOf } from '../list.js'

/** A conversation as Markdown: what was said stands in it as it was said, less what a terminal would obey. */
export function sessionToMarkdown(stored: StoredSession): string {
  const { summary, messages } = cleanValue(stored)
  const { id, provider, model, turns, createdAt, updatedAt } = summary
  const facts = [
    `- Session: \`${id}\``,
    `- Agent: ${agentOf(provider, model)}`,
    `- ${formatCount(turns, 'turn')}, ${formatTime(createdAt)} to ${formatTime(updatedAt)}`,
    ...(summary.costUsd === undefined ? [] : [`- Cost: ${costText(summary)}`]),
  ]
  const sections = messages.map((message) => section(message, provider))
  return `# ${escaped(titleOf(summary))}\n\n${facts.join('\n')}\n\n${sections.join('\n\n')}\n`
}

function section({ role, content, timestamp, metadata = {} }: ConversationMessage, provider: string): string {
  const { toolsUsed = [], durationMs, interrupted, errorCode, images = [] } = metadata
  const who = role === 'user' ? 'You' : provider || 'Agent'
  const facts = [
    formatTime(timestamp),
    ...(durationMs === undefined ? [] : [formatDuration(durationMs)]),
    ...(toolsUsed.length > 0 ? [`tools: ${toolsUsed.join(', ')}`] : []),
    ...images.map(({ name }) => `image: ${shownName(name)}`),
  ]
  return [
    `## ${escaped(who)}`,
    `*${escaped(facts.join(' · '))}*`,
    ...(content.trim() === '' ? [] : [content.trim()]),
    ...(interrupted ? ['*(interrupted)*'] : []),
    ...(errorCode === undefined ? [] : [`*(failed: ${escaped(errorCode)})*`]),
  ].join('\n\n')
}

/** A text in which nothing is Markdown or HTML. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>#|]/g, '\\$&')
}
