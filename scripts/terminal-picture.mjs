// Makes a picture of a command as a terminal shows it: runs it in a pseudo-terminal and draws the screen as SVG.
//   node scripts/terminal-picture.mjs <out.svg> [--cols=N] [--title=text] -- <locus arguments>
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import pty from '@lydell/node-pty'
import xterm from '@xterm/headless'

const { values, positionals } = parseArgs({
  options: { cols: { type: 'string', default: '92' }, title: { type: 'string' } },
  allowPositionals: true,
})
const [out, ...args] = positionals
const cols = Number(values.cols)
const ROWS = 200

const cli = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url))
const terminal = new xterm.Terminal({ cols, rows: ROWS, allowProposedApi: true })
const { CI: _, NO_COLOR: __, ...env } = process.env
const child = pty.spawn(process.execPath, [cli, ...args], {
  cols,
  rows: ROWS,
  env: { ...env, TERM: 'xterm-256color' },
})
const written = []
child.onData((data) => written.push(new Promise((resolve) => terminal.write(data, resolve))))
await new Promise((resolve) => child.onExit(resolve))
await Promise.all(written)

const PALETTE = ['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4']
const FOREGROUND = '#e6edf3'
const DIM = '#8b949e'
const WIDTH = 8.4
const HEIGHT = 18
const PADDING = 16
const TOP = 40

const escapeXml = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** The runs of equal style in a line: where each begins, its text and its style. */
function runsOf(line) {
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

const buffer = terminal.buffer.active
const lines = Array.from({ length: buffer.length }, (_, y) => runsOf(buffer.getLine(y)))
while (lines.at(-1)?.length === 0) lines.pop()

const prompt = `$ locus ${args.map((arg) => (/[^\w./:-]/.test(arg) ? `"${arg}"` : arg)).join(' ')}`
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
writeFileSync(
  out,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(values.title ?? prompt)}">
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
${dots.join('\n')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">
${text(0, TOP + HEIGHT * 0.6, `fill="${FOREGROUND}" font-weight="bold"`, prompt)}
${body.join('\n')}
</g>
</svg>
`,
)
