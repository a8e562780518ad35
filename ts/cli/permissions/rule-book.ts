import type { PermissionRequestChunk } from '../../chunks.js'
import type { StoredRule } from '../../records.js'
import { describeRule, isSameRule, type Rule, ruleFor } from './rule.js'
import { RuleSeal } from './rule-seal.js'

/** The conversation that rules are kept with; an `ExecSession` is one. */
export interface RuleKeeper {
  readonly id: string
  readonly storedRules: readonly StoredRule[]
  storeRules(rules: StoredRule[]): void
}

/** What was always allowed in a conversation. It is kept with it, and holds again when it is gone on with. */
export class RuleBook {
  readonly #projectPath: string
  readonly #seal: RuleSeal
  readonly #problem: (words: string) => void
  #rules: Rule[] = []
  #keeper: RuleKeeper | undefined

  /** `problem` is told what cannot be kept or brought back. */
  constructor(projectPath: string, problem: (words: string) => void, seal = new RuleSeal()) {
    this.#projectPath = projectPath
    this.#problem = problem
    this.#seal = seal
  }

  /** In words, in the order in which they were made. */
  get rules(): string[] {
    return this.#rules.map(describeRule)
  }

  /** Turns to a conversation: what was always allowed in it holds, and nothing else. */
  open(keeper: RuleKeeper): void {
    this.#keeper = keeper
    this.#rules = []
    try {
      this.#rules = keeper.storedRules.flatMap((stored) => this.#seal.open(stored, this.#place(keeper)) ?? [])
    } catch (error) {
      this.#problem(`what was always allowed is asked again: ${(error as Error).message}`)
    }
  }

  allows(request: PermissionRequestChunk): boolean {
    const wanted = ruleFor(request)
    return this.#rules.some((rule) => isSameRule(rule, wanted))
  }

  /** Allows always what a question asks. */
  add(request: PermissionRequestChunk): void {
    if (!this.allows(request)) {
      this.#rules.push(ruleFor(request))
      this.#store()
    }
  }

  /** Takes a rule back, by its place among `rules`, or all of them; those that were. */
  remove(index?: number): string[] {
    const removed = index === undefined ? this.#rules.splice(0) : this.#rules.splice(index, 1)
    if (removed.length > 0) {
      this.#store()
    }
    return removed.map(describeRule)
  }

  #store(): void {
    const keeper = this.#keeper
    try {
      keeper?.storeRules(this.#rules.map((rule) => this.#seal.seal(rule, this.#place(keeper))))
    } catch (error) {
      this.#problem(`what is always allowed holds only until you leave: ${(error as Error).message}`)
    }
  }

  #place({ id }: RuleKeeper) {
    return { projectPath: this.#projectPath, sessionId: id }
  }
}
