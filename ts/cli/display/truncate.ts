import truncatedWidth from 'fast-string-truncated-width'

/** What sets colours and links, which take no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin and end with these
const CODES = /\u001b\[[\d;]*m|\u001b\]8;[^\u0007\u001b]*(?:\u0007|\u001b\\)/g

/**
 * A text in no more than `columns`, with `ellipsis` in the place of what is cut off. The colours of what is cut off are set
 * all the same, so that those that were begun end.
 */
export function truncate(text: string, columns: number, ellipsis: string): string {
  const { index, truncated, ellipsed } = truncatedWidth(text, { limit: columns, ellipsis })
  if (!truncated) {
    return text
  }
  const end = isSecondHalf(text.charCodeAt(index)) ? index - 1 : index
  const codes = text.slice(end).match(CODES) ?? []
  return `${text.slice(0, end)}${codes.join('')}${ellipsed ? ellipsis : ''}`
}

/** Whether a code unit is the second of a character that has two. */
function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
