// Bars of CPU time as an SVG that can be read on a light and on a dark page.
import { medianOf } from './rounds.mjs'

const WIDTH = 720
const LABELS = 150
const VALUES = 150
const BAR = 18
const ROW = 30
const TOP = 64

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .main { fill: #c2410c } .other { fill: #fdba74 } .ours { font-weight: 600 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .main { fill: #f97316 } .other { fill: #7c4a21 } }`

const escaped = (text) => text.replace(/[&<>]/g, (unit) => `&#${unit.charCodeAt(0)};`)

/** The chart of a case: the CPU time of each contender's process, the main thread's part of it in the stronger colour. */
export function cpuChart({ title }, result) {
  const rows = Object.keys(result.figures).map((name) => ({
    name,
    main: medianOf(result, name, 'mainCpuMs') ?? 0,
    process: medianOf(result, name, 'processCpuMs'),
  }))
  const scale = (WIDTH - LABELS - VALUES) / Math.max(...rows.map(({ process }) => process))
  const bars = rows.map(({ name, main, process }, index) => {
    const y = TOP + index * ROW
    const text = y + BAR - 5
    const label = main > 0 ? `${process.toFixed(0)} ms, main ${main.toFixed(0)}` : `${process.toFixed(0)} ms`
    return [
      `<text x="${LABELS - 8}" y="${text}" text-anchor="end"${name.startsWith('native') ? ' class="ours"' : ''}>${escaped(name)}</text>`,
      `<rect class="other" x="${LABELS}" y="${y}" width="${(process * scale).toFixed(1)}" height="${BAR}"/>`,
      `<rect class="main" x="${LABELS}" y="${y}" width="${(main * scale).toFixed(1)}" height="${BAR}"/>`,
      `<text x="${(LABELS + process * scale + 8).toFixed(1)}" y="${text}">${label}</text>`,
    ].join('\n')
  })
  const height = TOP + rows.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>CPU time: ${escaped(title)}</title>
<style>${STYLE}
</style>
<text class="title" x="8" y="22">CPU time: ${escaped(title)}</text>
<rect class="main" x="8" y="36" width="12" height="12"/><text x="26" y="47">main thread</text>
<rect class="other" x="120" y="36" width="12" height="12"/><text x="138" y="47">the rest of the process</text>
${bars.join('\n')}
</svg>
`
}
