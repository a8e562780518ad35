import { HistoryStore } from '../../history.js'
import type { Conversation } from './conversation.js'
import type { ReplView } from './view.js'

/** What becomes of the conversation at the end. */
export type SaveOnExit = 'ask' | 'always' | 'never'

export const SAVE_ON_EXIT: readonly SaveOnExit[] = ['ask', 'always', 'never']

/** The end of the interactive mode: whether the conversation is kept, and what is said about it. */
export class Farewell {
  readonly #saveOnExit: SaveOnExit
  readonly #saves: boolean
  readonly #store: HistoryStore

  constructor(saveOnExit: SaveOnExit, { saves, projectPath }: { saves: boolean; projectPath: string }) {
    this.#saves = saves
    this.#saveOnExit = saveOnExit
    this.#store = new HistoryStore({ projectPath })
  }

  /** Whether to keep the conversation. One that was there before is kept: the question is about what was said now. */
  async question({ turns, resumed, session }: Conversation, view: ReplView): Promise<boolean> {
    if (!this.#saves || this.#saveOnExit !== 'ask' || turns === 0 || resumed) {
      return true
    }
    // Somebody who leaves does not wait for the agent to be asked.
    void session.cancel()
    return await view.confirm('Keep this conversation?')
  }

  /** Does what was answered, when the session has ended; the last words. */
  async words({ turns, resumed, session, shortId }: Conversation, keep: boolean): Promise<string> {
    if (!this.#saves || (turns === 0 && !resumed)) {
      return 'Goodbye!'
    }
    if (keep) {
      return `Conversation saved; go on with it: locus exec -i -s ${shortId}`
    }
    await this.#store.delete(session.id)
    return 'The conversation was deleted.'
  }
}
