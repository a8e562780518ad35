/**
 * A session option, for the CLI: what is said and thought comes as lines of protocol 1 that the engine has written, in
 * {@link JsonLinesChunk}s. There are no `text_delta` and `thinking` chunks then, and no events for them.
 */
export const JSON_LINES: unique symbol = Symbol('json lines')

/** Lines that chunks have become. */
export interface JsonLinesChunk {
  type: 'json_lines'
  /** Whole lines, as UTF-8. None where all was said by subagents. */
  lines: Uint8Array
  /** Whether a part of the answer is in them. */
  answers: boolean
}
