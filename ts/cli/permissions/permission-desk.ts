import type { PermissionRequestChunk } from '../../chunks.js'
import type { PermissionDecision } from '../../options.js'
import type { RuleBook } from './rule-book.js'

/** What a person says about a question for permission. */
export type PermissionAnswer = { kind: 'once' } | { kind: 'always' } | { kind: 'deny'; reason: string }

/** Asks a person; rejects when the question is taken back. */
export type Asker = (request: PermissionRequestChunk, signal: AbortSignal) => Promise<PermissionAnswer>

/**
 * Answers the questions for permission: by what was always allowed, or by asking, one question at a time. What the flags
 * allow or deny never gets here.
 */
export class PermissionDesk {
  readonly #ask: Asker | undefined
  readonly #rules: RuleBook
  #last: Promise<unknown> = Promise.resolve()
  #withdrawn = new Map<string, AbortController>()

  /** Without `ask` nobody is there to be asked. */
  constructor(ask: Asker | undefined, rules: RuleBook) {
    this.#ask = ask
    this.#rules = rules
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
    if (this.#rules.allows(request)) {
      return { behavior: 'allow' }
    }
    if (!this.#ask) {
      return { behavior: 'deny', message: `${request.tool} needs permission and nobody is there to be asked` }
    }
    signal.throwIfAborted()
    const answer = await this.#ask(request, signal)
    switch (answer.kind) {
      case 'always':
        this.#rules.add(request)
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
