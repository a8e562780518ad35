import { shorten } from './text.js'

/** What the prompt is made of. */
export interface ContextPromptParts {
  /** What there is, by `ContextTracker.buildContextSummary`. */
  summary?: string
  /** What was said, oldest first. */
  messages: ReadonlyArray<{
    role: 'user' | 'assistant'
    content: string
    metadata?: { interrupted?: boolean }
  }>
  /** The prompt of this turn. */
  request: string
  /** How many messages are told, the newest ones (default 10). */
  maxMessages?: number
}

/** How much longer than the request the prompt is at most, in characters (UTF-16 units). */
export const MAX_CONTEXT_CHARS = 40_000

/** What of it the summary may take. */
const MAX_SUMMARY_CHARS = 8000
/** What is left at least of a message that has to be shortened. */
const LEAST_MESSAGE_CHARS = 300
/** The words around it all. */
const FRAME_CHARS = 1000

/**
 * The prompt for an agent that cannot resume the conversation: what it is told of it, then the request.
 *
 * It is at most `MAX_CONTEXT_CHARS` longer than the request, which is never shortened. Where the messages are too long
 * together, the oldest are shortened first: their middle goes. Where there is nothing to tell, it is the request.
 */
export function buildContextPrompt({
  summary = '',
  messages,
  request,
  maxMessages = 10,
}: ContextPromptParts): string {
  const said = messages.filter(({ content }) => content.trim() !== '')
  const told = maxMessages > 0 ? said.slice(-maxMessages) : []
  if (told.length === 0 && summary.trim() === '') {
    return request
  }
  const sections = [INTRODUCTION]
  let budget = MAX_CONTEXT_CHARS - FRAME_CHARS
  if (summary.trim() !== '') {
    const kept = shorten(summary.trim(), MAX_SUMMARY_CHARS)
    sections.push(kept)
    budget -= kept.length
  }
  if (told.length > 0) {
    sections.push('# Conversation History', ...history(told, said.length, budget))
  }
  return [...sections, '# Current Request', request].join('\n\n')
}

const INTRODUCTION =
  'This continues a conversation that began in another session, of which you know only what follows. ' +
  'Take it as background; do what the current request at the end asks.'

function history(told: ContextPromptParts['messages'], all: number, budget: number): string[] {
  const texts = told.map(({ role, content, metadata }) => ({
    frame: metadata?.interrupted ? `role="${role}" interrupted="true"` : `role="${role}"`,
    content: unframed(content.trim()),
  }))
  let excess = texts.reduce((sum, text) => sum + costOf(text), 0) - budget
  for (const text of texts) {
    if (excess <= 0) {
      break
    }
    const kept = shorten(text.content, Math.max(LEAST_MESSAGE_CHARS, text.content.length - excess))
    excess -= text.content.length - kept.length
    text.content = kept
  }
  // Very many messages: even shortened they are too long.
  let dropped = 0
  for (const text of texts.slice(0, -1)) {
    if (excess <= 0) {
      break
    }
    excess -= costOf(text)
    dropped++
  }
  const left = all - texts.length + dropped
  return [
    ...(left > 0 ? [`(${left} earlier ${left === 1 ? 'message' : 'messages'} left out)`] : []),
    ...texts.slice(dropped).map(framed),
  ]
}

interface Text {
  frame: string
  content: string
}

function framed({ frame, content }: Text): string {
  return `<message ${frame}>\n${content}\n</message>`
}

/** With the lines between it and the next one. */
function costOf(text: Text): number {
  return framed(text).length + '\n\n'.length
}

/** A message cannot end its own frame. */
function unframed(content: string): string {
  return content.replace(/<(?=\/?message\b)/gi, '&lt;')
}
