// Types into the interactive mode while an answer comes, and prints how long a key takes to be seen: from the write into
// the terminal to the read that brings it. `echo.mjs <agent>`.
import { quantile } from '../statistics.mjs'
import { spawnInTerminal, terminalEnv, turnOf } from './locus-in-terminal.mjs'

const KEYS = 150
const KEY_EVERY_MS = 30
/** Keys on one line: it is not to grow into several. */
const KEYS_PER_LINE = 8
const CLEAR_LINE = '\u0015'
/** An answer that is shown and goes on: with so many characters the screen is full. */
const UNDER_WAY = 10_000
/** Characters that nothing else says, each typed once. */
const keyOf = (number) => String.fromCharCode(0x4e00 + number)

const child = spawnInTerminal([...turnOf(process.argv[2]), '--interactive', 'go'], terminalEnv())
const waiting = new Map()
const took = []
let shown = 0
let typed = 0
let timer

function type() {
  if (typed === KEYS) {
    clearInterval(timer)
    return
  }
  const key = keyOf(typed)
  waiting.set(key, performance.now())
  child.write(typed % KEYS_PER_LINE === 0 ? `${CLEAR_LINE}${key}` : key)
  typed += 1
}

child.onData((text) => {
  const now = performance.now()
  for (const [key, since] of waiting) {
    if (text.includes(key)) {
      took.push(now - since)
      waiting.delete(key)
    }
  }
  shown += text.length
  if (shown > UNDER_WAY) timer ??= setInterval(type, KEY_EVERY_MS)
  // A second Ctrl+C leaves at once.
  if (took.length === KEYS) child.write('\u0003\u0003\u0003')
})
child.onExit(() => {
  clearInterval(timer)
  if (took.length < KEYS) throw new Error(`the answer was over after ${took.length} of ${KEYS} keys`)
  console.log(JSON.stringify({ echoP50Ms: quantile(took, 0.5), echoP99Ms: quantile(took, 0.99) }))
})
