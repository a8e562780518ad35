// A command line in a pseudo-terminal, typed into like by a person, and its screen drawn as SVG.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import pty from '@lydell/node-pty'
import xterm from '@xterm/headless'

const CLI = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url))
const GIVE_UP_MS = 60_000

const PALETTE = ['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4']
const FOREGROUND = '#e6edf3'
const DIM = '#8b949e'
const WIDTH = 8.4
const HEIGHT = 18
const PADDING = 16
const TOP = 40

/**
 * Runs `locus` with these arguments, does the steps, and gives the SVG. A step waits until its text is on the screen, once more
 * than when the step before it was done, then types its keys. The picture is what is seen after the last step, or at the
 * program's end where there is none. `shown` takes the place of the arguments in the picture.
 */
export async function pictureOf(args, { cols = 92, rows = 200, cwd, env = {}, steps, shown, title } = {}) {
  const terminal = new xterm.Terminal({ cols, rows, scrollback: 1000, allowProposedApi: true })
  const { CI: _, NO_COLOR: __, ...inherited } = process.env
  const child = pty.spawn(process.execPath, [CLI, ...args], {
    ...{ cols, rows, cwd },
    env: { ...inherited, TERM: 'xterm-256color', ...env },
  })
  let drawn = Promise.resolve()
  let over = false
  const watchers = new Set()
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  child.onData((data) => {
    drawn = new Promise((resolve) => terminal.write(data, resolve)).then(changed)
  })
  const ended = new Promise((resolve) =>
    child.onExit(async () => {
      over = true
      await drawn
      changed()
      resolve()
    }),
  )
  try {
    if (!steps) await ended
    let before = ''
    for (const [text, keys] of steps ?? []) {
      await seen(text, before)
      before = textOn(terminal)
      if (keys) child.write(keys)
    }
    return svg(terminal, { cols, prompt: `$ locus ${shown ?? args.map(quoted).join(' ')}`, title })
  } finally {
    if (!over) child.kill('SIGTERM')
    await ended
  }

  async function seen(text, before) {
    const deadline = AbortSignal.timeout(GIVE_UP_MS)
    const late = once(deadline, 'abort')
    const count = (screen) => screen.split(text).length
    while (count(textOn(terminal)) <= count(before)) {
      if (over || deadline.aborted) throw new Error(`${text} was never seen; what was:\n${textOn(terminal)}`)
      await Promise.race([late, new Promise((resolve) => watchers.add(resolve))])
      watchers.clear()
    }
  }
}

/** All rows, those that have scrolled away included, without the blanks at their ends. */
function textOn({ buffer: { active } }) {
  const rows = Array.from({ length: active.length }, (_, y) => active.getLine(y).translateToString(true))
  return rows.map((row) => row.trimEnd()).join('\n')
}

const quoted = (arg) => (/[^\w./:-]/.test(arg) ? `"${arg}"` : arg)
const escapeXml = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** The runs of equal style in a line: where each begins, its text and its style. */
function runsOf(line, cols) {
  const runs = []
  for (let x = 0; x < cols; x++) {
    const cell = line.getCell(x)
    if (!cell || cell.getWidth() === 0) continue
    const color = cell.isDim()
      ? DIM
      : cell.isFgPalette()
        ? (PALETTE[cell.getFgColor() % 8] ?? FOREGROUND)
        : FOREGROUND
    const style = `fill="${color}"${cell.isBold() ? ' font-weight="bold"' : ''}`
    const text = cell.getChars() || ' '
    const last = runs.at(-1)
    // A wide character ends a run: fonts differ in how wide they draw it.
    if (last?.style === style && !last.wide && cell.getWidth() === 1) last.text += text
    else runs.push({ x, text, style, wide: cell.getWidth() === 2 })
  }
  return runs.filter(({ text }) => text.trim() !== '')
}

function svg(terminal, { cols, prompt, title }) {
  const buffer = terminal.buffer.active
  const lines = Array.from({ length: buffer.length }, (_, y) => runsOf(buffer.getLine(y), cols))
  while (lines.at(-1)?.length === 0) lines.pop()
  const width = Math.ceil(cols * WIDTH + 2 * PADDING)
  const height = TOP + (lines.length + 2) * HEIGHT + PADDING
  const text = (x, y, style, content) =>
    `<text x="${(PADDING + x * WIDTH).toFixed(1)}" y="${y}" ${style} xml:space="preserve">${escapeXml(content)}</text>`
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, i) => `<circle cx="${20 + i * 18}" cy="18" r="6" fill="${color}"/>`,
  )
  const body = lines.flatMap((runs, y) =>
    runs.map((run) => text(run.x, TOP + (y + 2) * HEIGHT, run.style, run.text)),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title ?? prompt)}">
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
${dots.join('\n')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">
${text(0, TOP + HEIGHT * 0.6, `fill="${FOREGROUND}" font-weight="bold"`, prompt)}
${body.join('\n')}
</g>
</svg>
`
}
