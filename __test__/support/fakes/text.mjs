// @ts-check
/** Pieces that go wrong where text is cut, escaped or measured carelessly. */
const SEEDS = [
  'plain words, ',
  'naïve café, ',
  '"quoted" \\ back\\slash / ',
  'tab\tand\nnewline\r\n',
  'nul \u0000 esc \u001b[31m bell \u0007 ',
  '日本語の文章、',
  '👩‍👩‍👧‍👦 family 𝒳𝓎𝓏 ',
  'line\u2028separators\u2029',
  '\u202eright to left\u202c e\u0301 ',
  '',
]

/**
 * The text of the delta with this number: deterministic, and different from its neighbours.
 * @param {number} index
 */
export function deltaText(index) {
  return `${SEEDS[index % SEEDS.length]}${index}`
}

/** One text with characters of one to four bytes and escapes, to be cut anywhere. */
export const SMALL_TEXT = 'aé\n"日\\𝒳👩‍👧z'
