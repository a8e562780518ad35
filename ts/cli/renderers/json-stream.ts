import type { StreamChunk } from '../../chunks.js'
import type { RecoveryAction } from '../../error-handler.js'
import type { ErrorCode, ExecError } from '../../errors.js'
import type { ExecEventData } from '../../events.js'
import type { JsonLinesChunk } from '../../json-lines.js'
import { tokensOf } from '../../usage.js'
import type { Output } from '../output.js'
import { terminalJson } from '../terminal-json.js'
import type { Renderer, RunEnd, RunStart } from './renderer.js'

/** The codes of protocol 1 for ours; a code without a counterpart is used as it is. */
const PROTOCOL_CODES: Partial<Record<ErrorCode, string>> = {
  AUTH: 'AUTH_EXPIRED',
  NETWORK_ERROR: 'NETWORK_TIMEOUT',
  PROTOCOL: 'MALFORMED_EVENT',
  EXITED_BEFORE_INIT: 'PROCESS_CRASHED',
  NO_RESULT: 'PROCESS_CRASHED',
  KILLED_BY_SIGNAL: 'PROCESS_CRASHED',
  INTERNAL: 'UNKNOWN',
}

/** Takes the lines. */
type LineSink = Pick<Output, 'write' | 'writeBytes' | 'flush' | 'ready'>

/** What `done` says of the turn, where it is known. */
type TurnSummary = Partial<Pick<ExecEventData['turn:completed'], 'toolsUsed' | 'usage'>>

/**
 * Shows a run to a program: protocol 1, one JSON object a line. `start` is the first line and `done` the last, always;
 * before a failed `done` comes an `error`.
 */
export class JsonStreamRenderer implements Renderer {
  readonly takesJsonLines = true
  readonly #out: LineSink
  #sessionId = ''
  #answered = false
  #summary: TurnSummary | undefined

  constructor(out: LineSink) {
    this.#out = out
  }

  start({ sessionId, provider, model, cwd }: RunStart): void {
    this.#sessionId = sessionId
    this.#line('start', { command: 'exec', model, provider, cwd })
  }

  chunk(chunk: StreamChunk | JsonLinesChunk): void {
    switch (chunk.type) {
      case 'json_lines':
        this.#answered ||= chunk.answers
        this.#out.writeBytes(chunk.lines)
        break
      case 'text_delta':
        if (chunk.parentToolUseId === undefined) {
          this.#text(chunk.content)
        }
        break
      case 'thinking':
        if (chunk.content !== undefined) {
          this.#line('thinking', { content: chunk.content })
        }
        break
      case 'tool_parameters':
        this.#line('tool_started', { tool: chunk.tool, toolId: chunk.id, parameters: chunk.parameters })
        break
      case 'tool_result': {
        const { tool, id: toolId, success, duration, error } = chunk
        this.#line('tool_completed', { tool, toolId, success, duration, error })
        break
      }
      case 'status':
        this.#line('status', { status: chunk.status, message: messageOf(chunk.detail) })
        break
      case 'unparsed':
        this.#line('status', { status: 'unparsed', message: `${chunk.reason}: ${chunk.line}` })
        break
      case 'result':
        // An answer without a model's words, as of a slash command, comes only here.
        if (!this.#answered && chunk.content !== '') {
          this.#text(chunk.content)
        }
        break
      default:
    }
  }

  permissionResolved({ tool, behavior, decidedBy, message }: ExecEventData['permission:resolved']): void {
    if (behavior === 'deny') {
      const hint = decidedBy === 'default' ? `; allow it with --allow ${tool}, or everything with --yes` : ''
      this.#line('status', { status: 'permission_denied', message: `${message ?? tool}${hint}` })
    }
  }

  turnCompleted(summary: TurnSummary): void {
    this.#summary = summary
  }

  failed({ code, message }: ExecError): void {
    this.#line('status', { status: 'failed', message: `${code}: ${message}` })
  }

  recovering(action: RecoveryAction, provider?: string): void {
    this.#answered = false
    this.#line(
      'status',
      provider === undefined
        ? { status: 'recovering', message: action }
        : { status: 'fallback', message: provider },
    )
  }

  end({ exitCode, durationMs, error }: RunEnd): void {
    if (error) {
      this.#error(error)
    }
    const { usage, toolsUsed } = this.#summary ?? {}
    this.#line('done', {
      exitCode,
      duration: durationMs,
      toolsUsed,
      tokensUsed: usage && tokensOf(usage),
      costUsd: usage?.costUsd,
      success: exitCode === 0,
    })
    this.#out.flush()
  }

  ready(): Promise<void> | undefined {
    return this.#out.ready()
  }

  #text(content: string): void {
    this.#answered = true
    this.#line('text_delta', { content })
  }

  #error(error: ExecError): void {
    const { code, message, retryable, retryAfterMs, resetsAt, exitCode, signal, stderrTail } = error
    const { needsConsent, attempts, remedy } = error
    this.#line('error', {
      error: {
        code: PROTOCOL_CODES[code] ?? code,
        message,
        details: {
          code,
          remedy,
          retryAfterMs,
          resetsAt,
          needsConsent,
          attempts,
          exitCode,
          signal,
          stderrTail,
        },
        recoverable: retryable,
      },
    })
  }

  #line(type: string, payload: object): void {
    const line = { protocol: 1, type, sessionId: this.#sessionId, timestamp: Date.now(), payload }
    this.#out.write(`${terminalJson(line)}\n`)
  }
}

function messageOf(detail: Record<string, unknown> | undefined): string | undefined {
  if (!detail) {
    return undefined
  }
  const { message, error, summary, description } = detail
  return (
    [message, error, summary, description].find((text) => typeof text === 'string') ?? JSON.stringify(detail)
  )
}
