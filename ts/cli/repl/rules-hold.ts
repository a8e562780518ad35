import type { RuleBook } from '../permissions/rule-book.js'
import { cleanValue } from '../renderers/clean-text.js'

/** Says that what was always allowed before holds again. */
export function rulesHold({ rules }: RuleBook): string {
  return cleanValue(`always allowed in this conversation (/forbid takes it back): ${rules.join(', ')}`)
}
