import { appendFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { bars } from '../../ts/cli/usage/bars.js'
import type { UsageEntry } from '../../ts/index.js'
import { runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { startInTerminal } from '../support/terminal.js'

const DAY = 86_400_000
const tokens = (input: number) => ({ input, output: 10, cacheRead: 1000, cacheWrite: 100 })

function entry(time: number, others: Partial<UsageEntry>): UsageEntry {
  return {
    ...{ time, session: 'a8f3d9e2-0000', run: 'r', provider: 'claude', success: true },
    ...{ durationMs: 5, attempts: 1, usage: tokens(1) },
    ...others,
  }
}

/** A project with four turns: two today, one that cost nothing that is known, one 40 days ago. */
function project(): string {
  const folder = temporaryFolder()
  const now = Date.now()
  const agent = { costSource: 'agent' as const }
  const opus = { ...tokens(1_500_000), costUsd: 1.5, ...agent }
  const haiku = { ...tokens(20), costUsd: 0.25, ...agent }
  const both = { input: 1_500_020, output: 20, cacheRead: 2000, cacheWrite: 200, costUsd: 1.75, ...agent }
  write(
    folder,
    entry(now - 40 * DAY, {
      session: 'b0000000-1111',
      usage: { ...tokens(5), costUsd: 4, costSource: 'prices' },
    }),
  )
  write(folder, entry(now - 2, { usage: { ...both, models: { opus, haiku } } }))
  write(folder, entry(now - 1, { success: false, code: 'CANCELLED', usage: haiku }))
  write(folder, entry(now, { provider: 'codex', model: 'made-up', usage: tokens(7) }))
  return folder
}

function write(folder: string, entry: object): void {
  const month = new Date((entry as UsageEntry).time).toISOString().slice(0, 'yyyy-mm'.length)
  mkdirSync(join(folder, '.locus', 'usage'), { recursive: true, mode: 0o700 })
  appendFileSync(
    join(folder, '.locus', 'usage', `${month}.jsonl`),
    `${JSON.stringify({ schema: 1, ...entry })}\n`,
  )
}

const usage = (args: string[], cwd: string) => runCli(['exec', 'usage', ...args], { cwd })
const cellsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))

describe('locus exec usage', () => {
  it('shows what the turns of each day used, and all together', async () => {
    const { exitCode, stdout, stderr } = await usage([], project())
    expect(exitCode).toBe(0)
    const [titles, first, second, total, ...others] = cellsOf(stdout)
    expect(titles?.slice(0, 3)).toEqual(['DAY', 'TURNS', 'FAILED'])
    expect(first?.slice(1)).toEqual(['1', '5', '10', '1.0k', '100', '1.1k', '~$4.00'])
    expect(second?.slice(1)).toEqual(['3', '1', '1.5M', '40', '4.0k', '400', '1.5M', '≥$2.00'])
    expect(total?.slice(0, 2)).toEqual(['total', '4'])
    expect(total?.at(-1)).toBe('≥~$6.00')
    expect(others).toEqual([])
    expect(stderr).toContain(
      '~ by the price table; ≥ at least: the price of a part is not known; see docs/cost.md',
    )
  })

  it('groups by model, the dearest first; what is not known is not nothing', async () => {
    const { stdout } = await usage(['--by', 'model', '--since', '7d'], project())
    const rows = cellsOf(stdout).map((row) => [row[0], row[1], row.at(-1)])
    expect(rows).toEqual([
      ['MODEL', 'TURNS', 'COST'],
      ['opus', '1', '$1.50'],
      ['haiku', '1', '$0.25'],
      ['unknown', '1', '$0.25'],
      ['made-up', '1', 'unknown'],
      ['total', '3', '≥$2.00'],
    ])
  })

  it('groups by session and by provider', async () => {
    const cwd = project()
    const keys = async (by: string) => cellsOf((await usage(['--by', by], cwd)).stdout).map(([key]) => key)
    expect(await keys('session')).toEqual(['SESSION', 'b0000000', 'a8f3d9e2', 'total'])
    expect(await keys('provider')).toEqual(['PROVIDER', 'claude', 'codex', 'total'])
  })

  it('prints JSON', async () => {
    const { stdout, stderr } = await usage(['--json', '--by', 'provider', '--since', '7d'], project())
    expect(stderr).toBe('')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ by: 'provider', since: expect.any(Number), problems: [] })
    expect(report.groups).toEqual([
      {
        key: 'claude',
        turns: 2,
        failed: 1,
        usage: expect.objectContaining({ costUsd: 2, costSource: 'agent' }),
      },
      { key: 'codex', turns: 1, failed: 0, usage: tokens(7) },
    ])
    expect(report.total).toMatchObject({ turns: 3, failed: 1, usage: { costUsd: 2, costPartial: true } })
  })

  it('tells what it could not read, and shows all else', async () => {
    const cwd = project()
    write(cwd, { time: Date.now() })
    const { exitCode, stdout, stderr } = await usage([], cwd)
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/usage.*\.jsonl:\d+: it says nothing of a turn/)
    expect(cellsOf(stdout).at(-1)?.slice(0, 2)).toEqual(['total', '4'])
  })

  it('says so where there is nothing, and makes nothing', async () => {
    const cwd = temporaryFolder()
    const { exitCode, stdout, stderr } = await usage([], cwd)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
    expect(stderr).toContain('no turn yet')
    expect((await usage(['--since', '1d'], cwd)).stderr).toContain('no turn since then')
    expect(readdirSync(cwd)).toEqual([])
  })

  it.each([
    [['--by', 'month'], "--by must be one of day, model, session, provider, not 'month'"],
    [['--since', 'yesterday'], '--since must be a date'],
    [['extra'], 'too many arguments'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await usage(args, temporaryFolder())
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
  })

  it('draws bars that fit the terminal', async () => {
    const { screen } = await startInTerminal(
      ['exec', '--dir', project(), 'usage', '--by', 'model', '--since', '7d'],
      'says-everything',
    ).finished
    const lines = screen.split('\n')
    expect(lines.every((line) => line.length <= 80)).toBe(true)
    const lengths = ['opus', 'haiku', 'made-up', 'total'].map(
      (key) =>
        [...(lines.find((line) => line.startsWith(key)) ?? '')].filter(
          (char) => (char >= '▉' && char <= '█') || char === '█',
        ).length,
    )
    expect(lengths[0]).toBeGreaterThan(3)
    expect(lengths[0]).toBeGreaterThan(lengths[1] as number)
    expect(lengths.slice(2)).toEqual([0, 0])
  })
})

describe('bars', () => {
  it.each([
    [[4, 2, 1], 4, ['████', '██', '█']],
    [[8, 1, 0], 1, ['█', '▏', '']],
    [[1000, 1], 2, ['██', '▏']],
    [[0, 0], 5, ['', '']],
    [[], 5, []],
  ])('of %j in %d columns', (values, width, expected) => {
    expect(bars(values, width)).toEqual(expected)
  })
})
