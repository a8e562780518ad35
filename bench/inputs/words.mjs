// Words to make input of: the same sequence on every machine.

const PLAIN = [
  'the ',
  'function ',
  'returns ',
  'a ',
  'promise, ',
  'which ',
  'resolves ',
  'when ',
  'all is done. ',
  'Then ',
]
const OTHER = [
  'naïve ',
  '日本語 ',
  '🦀🎉 ',
  'é ',
  'עברית ',
  '"quoted" ',
  'a\\b ',
  'line\n',
  'tab\t',
  'café – ',
  '“so” ',
]

/** A generator of pseudo-random whole numbers below `limit` (xorshift). */
export function random(seed = 0x9e3779b9) {
  let x = seed
  return (limit) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % limit
  }
}

/** A generator of words; 30 % of them are outside ASCII or have to be escaped in JSON. */
export function words(next) {
  return () => (next(10) < 3 ? OTHER[next(OTHER.length)] : PLAIN[next(PLAIN.length)])
}

/** A text of `length` UTF-16 units or a little more. */
export function text(word, length) {
  let made = ''
  while (made.length < length) made += word()
  return made
}
