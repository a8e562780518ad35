#!/usr/bin/env node
// @ts-check
// Writes two tables into docs/agents.md: what the real agents do in each scenario of the conformance suite, and which scenarios the
// recordings of each dialect show, as the parser understands them.
//   node scripts/conformance.mjs            writes the table
//   node scripts/conformance.mjs --check    ends with 1 if the page has another one
//
// What the real agents do is checked by `npm run test:agents`, cell by cell (__test__/agents/conformance/). For the recordings it reads
// the snapshots beside the recordings (fixtures/transcripts/*/*/events.snap); the tests of the core fail when one of them
// differs from what the parser makes of its recording, so what is in the table has been seen in a run.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { GAPS, SCENARIOS as RUN } from '../__test__/agents/conformance/expected.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGE = join(ROOT, 'docs', 'agents.md')

/**
 * A recording as it is understood.
 * @typedef {object} Recording
 * @property {string} name
 * @property {any[]} chunks what the agent said
 * @property {any[]} ends the ends of its turns
 * @property {number} questions how often it asked for permission
 */

/** @type {Array<[scenario: string, shows: (recording: Recording) => boolean]>} */
const SCENARIOS = [
  [
    'text, piece by piece',
    ({ chunks }) => chunks.some((chunk, at) => isText(chunk) && isText(chunks[at + 1])),
  ],
  ['thinking', ({ chunks }) => chunks.some(({ type }) => type === 'thinking')],
  [
    'text beyond ASCII',
    ({ chunks }) => chunks.some((chunk) => isText(chunk) && /[^\0-\x7f]/.test(chunk.content)),
  ],
  [
    'a tool that succeeds',
    ({ chunks }) => chunks.some(({ success, type }) => type === 'tool_result' && success),
  ],
  [
    'a tool that fails',
    ({ chunks }) => chunks.some(({ success, type }) => type === 'tool_result' && !success),
  ],
  ['a tool that it asks about', ({ questions }) => questions > 0],
  ['two tools at once', ({ chunks }) => areTwoAtOnce(chunks)],
  ['a subagent', ({ chunks }) => chunks.some(({ parentToolUseId }) => parentToolUseId !== undefined)],
  ['tokens', ({ ends }) => ends.some(({ usage }) => usage.input > 0)],
  ['cost, as the agent counts it', ({ ends }) => ends.some(({ usage }) => usage.costUsd !== undefined)],
  ['several turns of one process', ({ ends }) => ends.length > 1],
  ['a turn that is interrupted', ({ ends }) => ends.some(({ interrupted }) => interrupted)],
  ['a turn that fails', ({ ends }) => ends.some(({ error }) => error !== null)],
  [
    'a limit or an overload',
    ({ ends }) => ends.some(({ error }) => /RATE_LIMIT|OVERLOADED/.test(error?.code)),
  ],
  ['tries of its own', ({ chunks }) => chunks.some(({ status }) => status === 'retrying')],
  ['a conversation that is not known', ({ name }) => /resume-unknown/.test(name)],
]

/** @param {any} chunk */
function isText(chunk) {
  return chunk?.type === 'text_delta'
}

/** @param {any[]} chunks */
function areTwoAtOnce(chunks) {
  const open = new Set()
  return chunks.some(({ type, id }) => {
    if (type === 'tool_use') open.add(id)
    if (type === 'tool_result') open.delete(id)
    return open.size > 1
  })
}

/** The recordings of each dialect, or of each way to speak to an agent. */
function recordings() {
  const folder = join(ROOT, 'fixtures', 'transcripts')
  /** @type {Map<string, Recording[]>} */
  const found = new Map()
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const agent of folders.map(({ name }) => name).sort()) {
    for (const name of readdirSync(join(folder, agent)).sort()) {
      const column = agent === 'codex' && name.startsWith('exec-') ? 'codex, by `exec`' : agent
      const snapshot = readFileSync(join(folder, agent, name, 'events.snap'), 'utf8')
      found.set(column, [...(found.get(column) ?? []), understood(name, snapshot)])
    }
  }
  return found
}

/**
 * @param {string} name
 * @param {string} snapshot
 * @returns {Recording}
 */
function understood(name, snapshot) {
  const lines = snapshot.split('\n')
  const end = '! turn ended '
  return {
    name,
    chunks: lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
    ends: lines.filter((line) => line.startsWith(end)).map((line) => JSON.parse(line.slice(end.length))),
    questions: lines.filter((line) => line.startsWith('! permission ')).length,
  }
}

/** A table of texts. @param {string[]} head @param {string[][]} rows */
function tableOf(head, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** What the real agents do, with the reason where they do not. */
export function conformanceTable() {
  /** @type {string[]} */
  const reasons = []
  /** Equal reasons are told once. @param {string} reason */
  const mark = (reason) => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return `– (${reasons.indexOf(reason) + 1})`
  }
  const columns = Object.values(GAPS)
  const rows = RUN.map((scenario) => [
    scenario,
    ...columns.map((gaps) => (gaps[scenario] === undefined ? '✓' : mark(gaps[scenario]))),
  ])
  const notes = reasons.map((reason, index) => `${index + 1}. ${reason}`)
  return [tableOf(['', ...Object.keys(GAPS)], rows), '', ...notes].join('\n')
}

/** What the recordings show. */
export function recordingsTable() {
  const found = recordings()
  const columns = [...found.keys()]
  return tableOf(
    ['', ...columns],
    SCENARIOS.map(([scenario, shows]) => [
      scenario,
      ...columns.map((column) => (found.get(column)?.some(shows) ? '✓' : '–')),
    ]),
  )
}

/** The page with what is generated in it. @param {string} page */
export function pageWithTables(page) {
  return pageWith(pageWith(page, 'conformance', conformanceTable()), 'recordings', recordingsTable())
}

/** @param {string} page @param {string} name @param {string} table */
function pageWith(page, name, table) {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/agents.md needs ${begin} and ${end}`)
  return `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const page = readFileSync(PAGE, 'utf8')
  const made = pageWithTables(page)
  if (!process.argv.includes('--check')) {
    writeFileSync(PAGE, made)
  } else if (made !== page) {
    console.error('docs/agents.md has other tables than it should have: run node scripts/conformance.mjs')
    process.exitCode = 1
  }
}
