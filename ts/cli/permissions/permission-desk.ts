import type { PermissionRequestChunk } from '../../chunks.js'
import { oneLine } from '../../context/text.js'
import type { PermissionDecision } from '../../options.js'

/** What a person says about a question for permission. */
export type PermissionAnswer = { kind: 'once' } | { kind: 'always' } | { kind: 'deny'; reason: string }

/** Asks a person; rejects when the question is taken back. */
export type Asker = (request: PermissionRequestChunk, signal: AbortSignal) => Promise<PermissionAnswer>

interface Rule {
  tool: string
  /** For a tool that runs commands: this one alone. */
  command: string | undefined
}

/**
 * Answers the questions for permission: by what was always allowed, or by asking, one question at a time. What the flags
 * allow or deny never gets here.
 */
export class PermissionDesk {
  readonly #ask: Asker
  readonly #rules: Rule[] = []
  #last: Promise<unknown> = Promise.resolve()
  #withdrawn = new Map<string, AbortController>()

  constructor(ask: Asker) {
    this.#ask = ask
  }

  /** What is always allowed, as it was said. */
  get rules(): string[] {
    return this.#rules.map(describe)
  }

  /** Forgets what was always allowed: another conversation begins. */
  reset(): void {
    this.#rules.length = 0
  }

  /** To be used as `onPermission`. */
  readonly decide = async (request: PermissionRequestChunk): Promise<PermissionDecision> => {
    const withdrawn = new AbortController()
    this.#withdrawn.set(request.id, withdrawn)
    const turn = this.#last.then(() => this.#answer(request, withdrawn.signal))
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#withdrawn.delete(request.id)
    }
  }

  /** A question is settled, however: nobody needs to answer it any more. */
  resolved(id: string): void {
    this.#withdrawn.get(id)?.abort()
  }

  async #answer(request: PermissionRequestChunk, signal: AbortSignal): Promise<PermissionDecision> {
    const rule = ruleFor(request)
    if (this.#rules.some((known) => known.tool === rule.tool && known.command === rule.command)) {
      return { behavior: 'allow' }
    }
    signal.throwIfAborted()
    const answer = await this.#ask(request, signal)
    switch (answer.kind) {
      case 'always':
        this.#rules.push(rule)
        return { behavior: 'allow' }
      case 'once':
        return { behavior: 'allow' }
      case 'deny':
        return {
          behavior: 'deny',
          message: answer.reason === '' ? 'the user said no' : `the user said no: ${answer.reason}`,
        }
    }
  }
}

/** What "always" would allow: the tool, or this very command of a tool that runs commands. */
function ruleFor({ tool, parameters }: PermissionRequestChunk): Rule {
  const { command } = parameters
  return { tool, command: typeof command === 'string' ? command : undefined }
}

function describe({ tool, command }: Rule): string {
  return command === undefined ? tool : `${tool}(${oneLine(command)})`
}

/** What "always" would mean for this question. */
export function alwaysMeans(request: PermissionRequestChunk): string {
  return ruleFor(request).command === undefined
    ? `always allow ${request.tool}`
    : 'always allow this very command'
}
