/** The median of numbers; of an even count the upper one. */
export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

/** The number that the given part of a list is not above, as 0.99 of it. */
export const quantile = (list, part) =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))]
