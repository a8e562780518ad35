/** Shows what goes on while nothing else is shown. */
export interface Indicator {
  /** Whether it has a place of its own, also while a line of the answer is not complete. */
  readonly apart: boolean
  show(activities: readonly string[]): void
  hide(): void
}

/** For a terminal whose lines are not drawn over. */
export const NO_INDICATOR: Indicator = { apart: true, show: () => {}, hide: () => {} }
