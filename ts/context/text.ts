/** A text on one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** A text of at most `length` UTF-16 units: its beginning, where it is too long. */
export function beginningOf(text: string, length: number): string {
  return text.length <= length ? text : `${wholeCharacters(text.slice(0, Math.max(0, length - 1)))}…`
}

/** A text of at most `length` UTF-16 units: more of its beginning and less of its end, where it is too long. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) {
    return text
  }
  const mark = (count: number) => `\n[… ${count} characters left out …]\n`
  // How many are left out is not known yet, but they are not more than there are.
  const room = Math.max(0, length - mark(text.length).length)
  const head = wholeCharacters(text.slice(0, Math.ceil((room * 2) / 3)))
  const tail = wholeCharacters(text.slice(text.length - Math.floor(room / 3)))
  return `${head}${mark(text.length - head.length - tail.length)}${tail}`
}

/** The text without halves of characters at its ends. */
function wholeCharacters(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '')
}
