/** The median of numbers; of an even count the upper one. */
export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
