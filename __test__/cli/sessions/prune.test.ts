import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SessionSummary } from '../../../ts/index.js'
import { runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { FIRST, idsOf, json, project, SECOND, sessions, THIRD } from '../../support/project.js'
import { linesOf, recordedSession } from '../../support/stored.js'

describe('sessions prune and clean', () => {
  it('keep to the defaults, or to what is said', async () => {
    const cwd = project()
    const dry = await json(['prune', '--dry-run'], cwd)
    expect(dry.removed.toSorted()).toEqual([FIRST, SECOND])
    expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
    const never = await json(
      ['prune', '--keep', 'never', '--max-age', 'never', '--compress-after', 'never'],
      cwd,
    )
    expect(never).toEqual({ removed: [], compressed: [], bytesFreed: 0 })
    const { stdout } = await sessions(['prune'], cwd)
    expect(stdout).toMatch(/^deleted 2 sessions: a8f3\w+, a8f3\w+\nfreed [\d.]+ K?B\n$/)
    expect(idsOf(await json(['list'], cwd))).toEqual([THIRD])
    expect((await sessions(['prune'], cwd)).stdout).toBe('no session is too old or too many\n')
  })

  it('compress what is old, which is shown as before', async () => {
    const cwd = project()
    const before = await json(['show', FIRST], cwd)
    const keep = ['--keep', 'never', '--max-age', 'never', '--compress-after', '1']
    expect((await json(['prune', ...keep], cwd)).compressed.toSorted()).toEqual([FIRST, SECOND])
    const after = await json(['show', FIRST], cwd)
    expect(after.messages).toEqual(before.messages)
    expect(after.summary.compressed).toBe(true)
    expect((await sessions(['export', FIRST, '-f', 'jsonl'], cwd)).stdout).toBe(
      linesOf(recordedSession({ id: FIRST })),
    )
  })

  it('delete the oldest until all together are small enough', async () => {
    const cwd = project()
    const keep = ['--keep', 'never', '--max-age', 'never', '--compress-after', 'never']
    const sizes = (await json(['list'], cwd)).sessions.map(({ sizeBytes }: SessionSummary) => sizeBytes)
    const [, second] = sizes
    expect((await json(['prune', ...keep, '--max-size', '1MB'], cwd)).removed).toEqual([])
    expect((await json(['prune', ...keep, '--max-size', `${second}b`], cwd)).removed).toEqual([FIRST])
    // The one that was used last stays.
    expect((await json(['prune', ...keep, '--max-size', '0.001 KB'], cwd)).removed).toEqual([SECOND])
    for (const wrong of ['', '-1', '1TB', 'much', '1e9']) {
      const { exitCode, stderr } = await sessions(['prune', `--max-size=${wrong}`], cwd)
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--max-size must be a size')])
    }
  })

  it('clean also removes what a killed process has left behind, and nothing else', async () => {
    const cwd = project()
    const folder = join(cwd, '.locus', 'exec-history')
    const left = [`${FIRST}.jsonl.tmp`, `${SECOND}.zst.tmp`]
    const others = ['notes.txt', 'x.tmp', `${THIRD}.jsonl.tmp`]
    for (const name of [...left, ...others]) {
      writeFileSync(join(folder, name), 'x')
      const hours = name === `${THIRD}.jsonl.tmp` ? 0 : 2
      const time = Date.now() / 1000 - hours * 3600
      utimesSync(join(folder, name), time, time)
    }
    mkdirSync(join(folder, 'folder.jsonl.tmp'))
    const { exitCode, stdout } = await runCli(['exec', 'clean'], { cwd })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^deleted 2 sessions: .*\nfreed .*\nremoved 2 temporary files \(2 B\)\n$/)
    const rest = readdirSync(folder)
    expect(left.filter((name) => rest.includes(name))).toEqual([])
    expect(others.filter((name) => !rest.includes(name))).toEqual([])
    const again = JSON.parse((await runCli(['exec', 'clean', '--json'], { cwd })).stdout)
    expect(again).toEqual({ removed: [], compressed: [], temporaryFiles: [], bytesFreed: 0 })
  })

  it('clean does nothing where there is nothing', async () => {
    const cwd = temporaryFolder()
    const { exitCode, stdout } = await runCli(['exec', 'clean', '--dir', cwd])
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'no session is too old or too many\nno temporary files were left behind\n',
    })
    expect(readdirSync(cwd)).toEqual([])
  })
})
