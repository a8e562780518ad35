import type { StoredSession } from '../../../history.js'
import { forTerminal } from '../../terminal-json.js'

/** A conversation as one readable JSON object, in the shape of the first Locus sessions. */
export function sessionToJson({ id, projectPath, messages, summary }: StoredSession): string {
  const { createdAt, updatedAt, provider, model, title } = summary
  const session = {
    id,
    ...(title !== undefined && { title }),
    projectPath,
    messages: messages.map(({ role, content, timestamp, metadata }) => {
      const { toolsUsed, durationMs: duration, interrupted, errorCode, usage, images } = metadata ?? {}
      const known = metadata && { metadata: { toolsUsed, duration, interrupted, errorCode, usage, images } }
      return { role, content, timestamp, ...known }
    }),
    createdAt,
    updatedAt,
    metadata: { model, provider },
  }
  return `${forTerminal(JSON.stringify(session, undefined, 2))}\n`
}
