// A run as Markdown.
import { GOALS } from './goals.mjs'
import { MEASURES } from './measures.mjs'
import { medianOf, ratioOf } from './rounds.mjs'

const table = (head, rows) =>
  [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** `value (ratio)`, or a dash. */
function cell(result, contender, reference, measure) {
  const value = medianOf(result, contender, measure)
  if (value === undefined) return '–'
  const { digits, noRatio } = MEASURES[measure]
  const ratio =
    noRatio || contender === reference ? undefined : ratioOf(result, contender, reference, measure)
  return ratio === undefined ? value.toFixed(digits) : `${value.toFixed(digits)} (${ratio.toFixed(2)})`
}

/** Enough of a SHA-256 to tell it by; other proofs are short. */
const shortened = (hash) => (/^[0-9a-f]{64}$/.test(hash) ? hash.slice(0, 16) : hash)

function caseSection({ name, title, note, reference, measures }, result) {
  const head = ['', ...measures.map((measure) => MEASURES[measure].title)]
  const rows = Object.keys(result.figures).map((contender) => [
    contender,
    ...measures.map((measure) => cell(result, contender, reference, measure)),
  ])
  const delivered = result.delivered.map(
    ({ by, chunks, hash }) => `${by.join(', ')}: the same ${chunks} chunks (${shortened(hash)})`,
  )
  return [
    `### ${name}: ${title}`,
    ...(note ? [note] : []),
    table(head, rows),
    [
      `In parentheses: the ratio to ${reference}.`,
      ...(delivered.length > 0 ? [`Delivered by ${delivered.join('; ')}.`] : []),
      ...result.skipped.map((why) => `Left out: ${why.split('\n')[0]}.`),
    ].join(' '),
  ].join('\n\n')
}

function startupSection(startup) {
  const ms = (value) => value.toFixed(1)
  const kib = (bytes) => (bytes / 1024).toFixed(0)
  return [
    '### start: to the first byte, medians of 11 taken in turns',
    table(
      ['', 'ms', 'above `node -e 0`'],
      [
        ['`node -e 0`, to its end', ms(startup.nodeMs), '–'],
        ['`locus --version`', ms(startup.versionMs), ms(startup.versionAboveNodeMs)],
        ['`locus exec --provider demo --json-stream hi`', ms(startup.demoMs), ms(startup.demoAboveNodeMs)],
        ["the same, to the agent's first line", ms(startup.agentMs), ms(startup.agentAboveNodeMs)],
        ['`locus exec --interactive`, to its prompt', ms(startup.promptMs), ms(startup.promptAboveNodeMs)],
        ['loading the addon', ms(startup.addonLoadMs), '–'],
      ],
    ),
    table(
      ['', 'KiB', 'KiB gzipped'],
      startup.sizes.map(({ file, bytes, gzipBytes }) => [`\`${file}\``, kib(bytes), kib(gzipBytes)]),
    ),
  ].join('\n\n')
}

function goalsSection(results) {
  const rows = GOALS.map(({ what, limit, unit, value }) => {
    const measured = value(results)
    if (measured === undefined) return [what, `≤ ${limit} ${unit}`, '–', 'not measured']
    const reached = measured <= limit ? 'reached' : '**missed**'
    return [what, `≤ ${limit} ${unit}`, `${measured.toFixed(2)} ${unit}`, reached]
  })
  return ['### Goals', table(['', 'goal', 'measured', ''], rows)].join('\n\n')
}

/** The goals with what was measured beside them; as data. */
export const goalsOf = (results) =>
  GOALS.map(({ what, limit, unit, value }) => ({ what, limit, unit, measured: value(results) }))

/** The whole report of `results` (`run`, `cases`, `startup`), whose cases are described by `cases`. */
export function markdown(results, cases) {
  const { run } = results
  return [
    ['```', `$ ${run.command}`, '```'].join('\n'),
    [
      `${run.machine}; load ${run.loadBefore} before and ${run.loadAfter} after; ${run.versions}; commit ${run.commit}; ` +
        `${run.date}; ${run.rounds} ${run.rounds === 1 ? 'round' : 'rounds'}.`,
      'Every figure is a median; ratios are medians of the ratios within a round.',
    ].join('\n'),
    goalsSection(results),
    ...cases.map((benchmark) => caseSection(benchmark, results.cases[benchmark.name])),
    ...(results.startup ? [startupSection(results.startup)] : []),
  ].join('\n\n')
}
