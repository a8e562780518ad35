import type { HistoryStore } from '../../history.js'
import type { Screen } from './screen.js'

/** What every command about sessions is given. */
export interface SessionsCommand {
  store: HistoryStore
  screen: Screen
  /** Whether a program is to read what is printed. */
  json: boolean
}

/** The flags that every command about sessions knows. */
export interface CommonFlags {
  json?: boolean
  dir?: string
}
