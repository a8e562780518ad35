import { existsSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import type { StoredRecord } from '../../../ts/index.js'
import { runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { FIRST, idsOf, json, project, SECOND, sessions } from '../../support/project.js'
import { linesOf, recordedSession, store } from '../../support/stored.js'
import { startInTerminal } from '../../support/terminal.js'

describe('an id', () => {
  it('that fits several sessions is told with all of them', async () => {
    const { exitCode, stdout, stderr } = await sessions(['show', 'a8f3'], project())
    expect({ exitCode, stdout }).toEqual({ exitCode: 43, stdout: '' })
    expect(stderr).toBe(
      "✗ SESSION_AMBIGUOUS 2 sessions begin with 'a8f3'; give more of the id of one:\n" +
        `  ${SECOND}  the second one\n  ${FIRST}  create a plan\n`,
    )
  })

  it('of no session is told', async () => {
    const cwd = project()
    const { exitCode, stderr } = await sessions(['show', 'ffff'], cwd)
    expect(exitCode).toBe(42)
    expect(stderr).toMatch(/^✗ SESSION_NOT_FOUND .*'ffff'/)
    const { error } = JSON.parse((await sessions(['show', 'ffff', '--json'], cwd)).stdout)
    expect(error).toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })

  const HOSTILE = ['../config', '..', '/etc/passwd', '%2e%2e', '%2e%2e%2fconfig', 'a\\b', 'a b', '', '.', '*']

  it.each([
    ...HOSTILE.map((id) => [JSON.stringify(id), id]),
    ['65 letters', 'x'.repeat(65)],
    ['10 KB', 'x'.repeat(10_240)],
    ['an escape sequence', '\u001b[31m'],
    ['a letter of another script', 'é'],
  ])('such as %s is refused, whatever it is for (72)', async (_, id) => {
    const cwd = project()
    const config = join(cwd, '.locus', 'config.jsonl')
    writeFileSync(config, linesOf(recordedSession()))
    const all = [['delete', '--yes'], ['show'], ['fork'], ['rename'], ['export'], ['replay']]
    const refusals = all.slice(0, id === '../config' ? all.length : 2).map(async (command) => {
      const args = [...command, '--', id, ...(command[0] === 'rename' ? ['title'] : [])]
      const { exitCode, stdout, stderr } = await sessions(args, cwd)
      expect([command, exitCode, stdout]).toEqual([command, 2, ''])
      expect(stderr).toMatch(/^✗ INVALID_INPUT ".*" is no session id: /)
      expect(stderr.length).toBeLessThan(250)
      expect(stderr).not.toContain('\u001b')
    })
    await Promise.all(refusals)
    expect(existsSync(config)).toBe(true)
    expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
  })
})

describe('a hostile session', () => {
  const ESCAPE = '\u001b'
  const HOSTILE = `${ESCAPE}]0;owned\u0007${ESCAPE}[2J${ESCAPE}]52;c;c2VjcmV0\u0007\u009b31m\u202e<script>alert(1)</script>`

  function hostile(records: StoredRecord[]): StoredRecord[] {
    const evil = (value: unknown, key = ''): unknown => {
      if (typeof value === 'string') {
        return ['type', 'id', 'runId', 'tool'].includes(key) ? value : `${value}${HOSTILE}`
      }
      if (typeof value !== 'object' || value === null) {
        return value
      }
      if (Array.isArray(value)) {
        return value.map((item) => evil(item))
      }
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, evil(item, name)]))
    }
    return evil(records) as StoredRecord[]
  }

  it('reaches the terminal as text alone, whatever is done with it', async () => {
    const cwd = temporaryFolder()
    const path = store(cwd, FIRST, hostile(recordedSession({ id: FIRST, title: 'x' })))
    store(cwd, SECOND, hostile(recordedSession({ id: SECOND, title: 'y' })))
    writeFileSync(path, `${HOSTILE}\n`, { flag: 'a' })
    for (const args of [
      ['list'],
      ['list', '--json'],
      ['show', FIRST],
      ['show', FIRST, '--json'],
      ['show', 'a8f3'],
      ['search', 'killed'],
      ['search', 'killed', '--json'],
      ['export', FIRST],
      ['export', FIRST, '-f', 'html'],
      ['export', FIRST, '-f', 'json'],
      ['export', FIRST, '-f', 'jsonl'],
      ['replay', FIRST, '--speed', 'max'],
      ['replay', FIRST, '--speed', 'max', '--json'],
      ['rename', FIRST, HOSTILE.replaceAll('\u0000', '')],
    ]) {
      const terminal = startInTerminal(['exec', 'sessions', ...args, '--dir', cwd], 'streams-deltas', {
        NO_COLOR: '1',
      })
      const { bytes, exitCode } = await terminal.finished
      expect([args, exitCode]).toEqual([args, args[1] === 'a8f3' ? 43 : 0])
      // The exit may be told between the two characters that the terminal makes of the last newline.
      const obeyed = bytes.replaceAll(/\r(\n|$)/g, '\n').match(/.{0,20}(?![\n\t])[\p{Cc}\u202e].{0,20}/u)
      expect([args, JSON.stringify(obeyed?.[0])]).toEqual([args, undefined])
    }
  })

  it('of 12 MB in one answer is listed, shown and exported', async () => {
    const cwd = temporaryFolder()
    const records = recordedSession({ id: FIRST })
    const huge = records.map((record) =>
      record.type === 'text' ? { ...record, content: '<b>'.repeat(2_000_000) } : record,
    )
    store(cwd, FIRST, huge)
    expect((await sessions(['list'], cwd)).exitCode).toBe(0)
    const { exitCode, stdout } = await sessions(['show', FIRST], cwd)
    expect({ exitCode, length: stdout.length }).toMatchObject({ exitCode: 0 })
    expect(stdout.length).toBeGreaterThan(12_000_000)
    const html = await sessions(['export', FIRST, '-f', 'html'], cwd)
    expect(html.stdout).not.toContain('<b>')
    expect(html.stdout.endsWith('</html>\n')).toBe(true)
  }, 60_000)
})

describe('a folder that leads elsewhere', () => {
  it.each([['list'], ['clear', '--yes'], ['prune'], ['delete', FIRST], ['show', FIRST]])(
    'is refused, whatever is to be done there: %s (77)',
    async (...args) => {
      const elsewhere = project()
      const cwd = temporaryFolder()
      symlinkSync(join(elsewhere, '.locus'), join(cwd, '.locus'))
      const { exitCode, stdout, stderr } = await sessions(args, cwd)
      expect({ exitCode, stdout }).toEqual({ exitCode: 44, stdout: '' })
      expect(stderr).toContain(join(cwd, '.locus'))
      expect(idsOf(await json(['list'], elsewhere))).toHaveLength(3)
    },
  )

  it('is not cleaned either (77)', async () => {
    const elsewhere = project()
    const left = join(elsewhere, '.locus', 'exec-history', `${FIRST}.jsonl.tmp`)
    writeFileSync(left, 'x')
    utimesSync(left, 0, 0)
    const cwd = temporaryFolder()
    symlinkSync(join(elsewhere, '.locus'), join(cwd, '.locus'))
    expect((await runCli(['exec', 'clean'], { cwd })).exitCode).toBe(44)
    expect(existsSync(left)).toBe(true)
  })
})

it('a session that a newer version has written is left alone (59)', async () => {
  const cwd = temporaryFolder()
  const [head, ...rest] = recordedSession({ id: FIRST })
  const path = store(cwd, FIRST, [{ ...head, schema: 99 }, ...rest])
  const before = readFileSync(path)
  for (const args of [['show'], ['fork'], ['rename'], ['export'], ['replay']]) {
    const { exitCode, stderr } = await sessions([...args, FIRST, ...(args[0] === 'rename' ? ['x'] : [])], cwd)
    expect([args, exitCode]).toEqual([args, 45])
    expect(stderr).toContain('was written by a newer version')
  }
  await sessions(['clear', '--yes'], cwd)
  await sessions(['prune', '--keep', '0'], cwd)
  expect(readFileSync(path)).toEqual(before)
})
