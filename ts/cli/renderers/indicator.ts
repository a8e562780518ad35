/** Something that goes on. */
export interface Activity {
  /** On one line, with its colours. */
  title: string
  /** When it began, in the time of `performance.now()`. */
  since: number
  /** How deep it is below what started it: 1 for what a subagent does. */
  depth: number
}

/** Shows what goes on while nothing else is shown. */
export interface Indicator {
  /** Whether it has a place of its own, also while a line of the answer is not complete. */
  readonly apart: boolean
  show(activities: readonly Activity[]): void
  hide(): void
}

/** For a terminal whose lines are not drawn over. */
export const NO_INDICATOR: Indicator = { apart: true, show: () => {}, hide: () => {} }
