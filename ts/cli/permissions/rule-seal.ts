import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

import type { StoredRule } from '../../records.js'
import type { Rule } from './rule.js'

const KEY_BYTES = 32

/** Which conversation a rule was made in; nowhere else is it one. */
export interface RulePlace {
  projectPath: string
  sessionId: string
}

/**
 * Tells rules that this user has made from what is only written in a conversation's file, which may have come with a
 * repository, from another user, from a copy of another conversation, or from the agent itself. A seal is an HMAC (SHA-256)
 * of the rule and its place by a key that is kept outside of projects.
 */
export class RuleSeal {
  readonly #keyPath: string
  #key: Buffer | undefined

  constructor(keyPath = defaultKeyPath(process.env)) {
    this.#keyPath = keyPath
  }

  /** The rule with its seal. Throws where there is no key and none can be made. */
  seal(rule: Rule, place: RulePlace): StoredRule {
    this.#key ??= this.#readKey() ?? this.#makeKey()
    return { ...rule, seal: sealOf(rule, place, this.#key) }
  }

  /** The rule, if it was made here by this user. Throws where the key cannot be read. */
  open(stored: unknown, place: RulePlace): Rule | undefined {
    const { tool, command, seal } = (stored ?? {}) as Partial<Record<keyof StoredRule, unknown>>
    if (typeof tool !== 'string' || !['string', 'undefined'].includes(typeof command)) {
      return undefined
    }
    this.#key ??= this.#readKey()
    const rule: Rule = typeof command === 'string' ? { tool, command } : { tool }
    return this.#key && isEqual(seal, sealOf(rule, place, this.#key)) ? rule : undefined
  }

  #readKey(): Buffer | undefined {
    let key: Buffer
    try {
      key = readFileSync(this.#keyPath)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return undefined
      }
      throw error
    }
    if (key.length !== KEY_BYTES) {
      throw new Error(`'${this.#keyPath}' is no key; remove it, and what was always allowed is asked again`)
    }
    return key
  }

  /** Makes the key; where somebody else was faster, theirs is taken. */
  #makeKey(): Buffer {
    mkdirSync(dirname(this.#keyPath), { recursive: true, mode: 0o700 })
    const draft = `${this.#keyPath}.${randomBytes(8).toString('hex')}`
    writeFileSync(draft, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' })
    try {
      linkSync(draft, this.#keyPath)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error
      }
    } finally {
      rmSync(draft)
    }
    const key = this.#readKey()
    if (!key) {
      throw new Error(`'${this.#keyPath}' was removed`)
    }
    return key
  }
}

function sealOf({ tool, command }: Rule, { projectPath, sessionId }: RulePlace, key: Buffer): string {
  const sealed = JSON.stringify([projectPath, sessionId, tool, command ?? null])
  return createHmac('sha256', key).update(sealed).digest('base64')
}

function isEqual(seal: unknown, expected: string): boolean {
  if (typeof seal !== 'string') {
    return false
  }
  const [given, wanted] = [Buffer.from(seal), Buffer.from(expected)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** Where programs of this user keep what is no setting: `$XDG_STATE_HOME`, as the XDG Base Directory Specification says. */
function defaultKeyPath({ XDG_STATE_HOME, LOCALAPPDATA }: NodeJS.ProcessEnv): string {
  const home = XDG_STATE_HOME || LOCALAPPDATA || join(homedir(), '.local', 'state')
  return join(home, 'locus', 'exec-rules.key')
}
