import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { StoredRecord } from '../../../ts/index.js'
import { type CliOptions, protocolLines, runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { BEGUN, linesOf, recordedSession, store } from '../../support/stored.js'
import { startInTerminal } from '../../support/terminal.js'

const FIRST = 'a8f3d9e2-1111-4000-8000-000000000001'
const SECOND = 'a8f3ffff-2222-4000-8000-000000000002'
const THIRD = 'b0000000-3333-4000-8000-000000000003'

/** A project with three stored conversations. */
function project(): string {
  const folder = temporaryFolder()
  store(folder, FIRST, recordedSession({ id: FIRST }))
  store(folder, SECOND, recordedSession({ id: SECOND, title: 'the second one', begun: BEGUN + 1_000_000 }))
  store(folder, THIRD, recordedSession({ id: THIRD, begun: Date.now() - 7_200_000 }).slice(0, 7))
  return folder
}

/** Runs `locus exec sessions …` in a project. */
async function sessions(args: string[], cwd: string, options: CliOptions = {}) {
  return await runCli(['exec', 'sessions', ...args], { cwd, ...options })
}

/** What `--json` prints. */
async function json(args: string[], cwd: string) {
  const { stdout, stderr } = await sessions([...args, '--json'], cwd)
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const idsOf = (list: { sessions: { id: string }[] }) => list.sessions.map(({ id }) => id)

describe('sessions list', () => {
  it('shows the conversations in a table, the newest first', async () => {
    const { exitCode, stdout, stderr } = await sessions(['list'], project())
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows[0]).toEqual(['ID', 'UPDATED', 'TURNS', 'COST', 'AGENT', 'STATE', 'SESSION'])
    expect(rows[1]?.slice(0, 3)).toEqual(['b0000000', '2 hours ago', '1'])
    expect(rows.slice(1, 4).map((row) => [row[0], row.at(-1)])).toEqual([
      ['b0000000', 'create a plan'],
      ['a8f3ffff', 'the second one'],
      ['a8f3d9e2', 'create a plan'],
    ])
    expect(rows[2]).toContain('interrupted')
  })

  it('is what sessions without a command does', async () => {
    const cwd = project()
    expect(await sessions([], cwd)).toEqual(await sessions(['list'], cwd))
    expect(idsOf(JSON.parse((await sessions(['--json'], cwd)).stdout))).toEqual([THIRD, SECOND, FIRST])
  })

  it('filters and pages', async () => {
    const cwd = project()
    expect(idsOf(await json(['list', '--limit', '1', '--offset', '1'], cwd))).toEqual([SECOND])
    expect(idsOf(await json(['list', '--after', '1d'], cwd))).toEqual([THIRD])
    expect(idsOf(await json(['list', '--before', '1d'], cwd))).toEqual([SECOND, FIRST])
    expect(idsOf(await json(['list', '--provider', 'codex'], cwd))).toEqual([])
    expect(idsOf(await json(['list', '--query', 'second one'], cwd))).toEqual([SECOND])
    const { stderr } = await sessions(['list', '-n', '2'], cwd)
    expect(stderr).toBe('2 of 3 sessions; --limit 3 shows all\n')
  })

  it('says so where there is nothing', async () => {
    const cwd = temporaryFolder()
    const { exitCode, stdout, stderr } = await sessions(['list'], cwd)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
    expect(stderr).toContain('no sessions')
    expect(readdirSync(cwd)).toEqual([])
  })

  it('is about the project that --dir names, before or after the command', async () => {
    const cwd = project()
    const elsewhere = temporaryFolder()
    const after = await sessions(['list', '--dir', cwd], elsewhere)
    expect(after.stdout).toContain('b0000000')
    const before = await runCli(['exec', '--dir', cwd, 'sessions', 'list'], { cwd: elsewhere })
    expect(before.stdout).toBe(after.stdout)
  })

  it('fits the terminal', async () => {
    const cwd = temporaryFolder()
    const long = recordedSession({ id: FIRST, title: '日本語の長い題名'.repeat(40) })
    store(cwd, FIRST, long)
    const { screen } = await startInTerminal(['exec', 'sessions', 'list', '--dir', cwd], 'streams-deltas')
      .finished
    const lines = screen.split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^a8f3d9e2 {2}.*日本語.*…$/)
  })
})

describe('sessions show', () => {
  it('shows what was said, with tools, times and how it ended', async () => {
    const { exitCode, stdout, stderr } = await sessions(['show', 'a8f3d'], project())
    expect(exitCode).toBe(0)
    const stable = stdout
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<time>')
      .replace(/changed .*/, 'changed …')
      .replace(/\d\.\d KB/, '… KB')
    expect(stable).toMatchInlineSnapshot()
    expect(stderr).toBe('continue it: locus exec --session a8f3d9e2 "…"\n')
  })

  it('shows the last messages', async () => {
    const { stdout } = await sessions(['show', FIRST, '--last', '2'], project())
    expect(stdout).toContain('… 4 earlier messages\n')
    expect(stdout).toContain('half an ans')
    expect(stdout).not.toContain('the plan.')
  })

  it('gives everything that is stored as JSON', async () => {
    const shown = await json(['show', FIRST], project())
    expect(shown).toMatchObject({ id: FIRST, summary: { turns: 3, interrupted: true } })
    expect(shown.records).toEqual(recordedSession({ id: FIRST }))
    expect(shown.messages).toHaveLength(6)
  })
})

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

  /** Fault 72. */
  const HOSTILE = [
    '../config',
    '..',
    '/etc/passwd',
    '%2e%2e',
    '%2e%2e%2fconfig',
    'a/b',
    'a\\b',
    'a b',
    '',
    '.',
    '*',
  ]

  it.each([...HOSTILE, 'x'.repeat(65), 'x'.repeat(10_240), '\u001b[31m', 'é'])(
    'such as %j is refused, whatever it is for (72)',
    async (id) => {
      const cwd = project()
      const config = join(cwd, '.locus', 'config.jsonl')
      writeFileSync(config, linesOf(recordedSession()))
      for (const command of [['delete', '--yes'], ['show'], ['fork'], ['rename'], ['export'], ['replay']]) {
        const args = [...command, '--', id, ...(command[0] === 'rename' ? ['title'] : [])]
        const { exitCode, stdout, stderr } = await sessions(args, cwd)
        expect([command, exitCode, stdout]).toEqual([command, 2, ''])
        expect(stderr).toMatch(/^✗ INVALID_INPUT '.*' cannot be the id of a session/)
        expect(stderr.length).toBeLessThan(250)
        expect(stderr).not.toContain('\u001b')
      }
      expect(existsSync(config)).toBe(true)
      expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
    },
  )
})

describe('sessions search', () => {
  it('shows where something was said', async () => {
    const { exitCode, stdout } = await sessions(['search', 'killed'], project())
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^a8f3[df][9f]\w+ you · .* ago.*\n {2}and be killed\n/)
    expect(stdout).not.toContain('\u0002')
  })

  it('says so where it was not', async () => {
    const { exitCode, stdout, stderr } = await sessions(['search', 'zebra'], project())
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
    expect(stderr).toContain('nothing found; "zebra"')
    expect(await json(['search', 'zebra'], project())).toEqual([])
  })
})

describe('sessions delete and clear', () => {
  it('delete one at once', async () => {
    const cwd = project()
    expect(await sessions(['delete', 'b0'], cwd)).toMatchObject({ exitCode: 0, stdout: 'deleted b0000000\n' })
    expect(idsOf(await json(['list'], cwd))).toEqual([SECOND, FIRST])
    expect(existsSync(join(cwd, '.locus', 'exec-history', `${THIRD}.jsonl`))).toBe(false)
  })

  it('delete none where one of them is not known', async () => {
    const cwd = project()
    expect((await sessions(['delete', '--yes', 'b0', 'nope'], cwd)).exitCode).toBe(42)
    expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
  })

  it.each([[['delete', 'b0', SECOND]], [['clear']]])(
    'refuse without a terminal and without --yes: %j',
    async (args) => {
      const cwd = project()
      const { exitCode, stdout, stderr } = await sessions(args, cwd)
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
      expect(stderr).toContain('without a terminal; add --yes to do it')
      expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
    },
  )

  it('do it with --yes', async () => {
    const cwd = project()
    expect(await json(['delete', '--yes', 'b0', SECOND], cwd)).toEqual({ deleted: [THIRD, SECOND] })
    expect((await sessions(['clear', '--yes'], cwd)).stdout).toBe('deleted 1 session\n')
    expect(idsOf(await json(['list'], cwd))).toEqual([])
  })

  it.each([
    ['y\r', 0, 0],
    ['n\r', 130, 3],
    ['\r', 130, 3],
    ['\u0003', 130, 3],
    ['\u0004', 130, 3],
  ])('ask in a terminal, where %j is the answer', async (keys, exitCode, left) => {
    const cwd = project()
    const terminal = startInTerminal(['exec', 'sessions', 'clear', '--dir', cwd], 'streams-deltas')
    await terminal.written('Delete all 3 sessions of this project? [y/N]')
    terminal.type(keys)
    expect((await terminal.finished).exitCode).toBe(exitCode)
    expect(idsOf(await json(['list'], cwd))).toHaveLength(left)
  })
})

describe('sessions export and import', () => {
  it.each(['json', 'jsonl'])('take a conversation to another project as %s', async (format) => {
    const from = project()
    const to = temporaryFolder()
    const { stdout } = await sessions(['export', FIRST, '--format', format], from)
    const imported = await sessions(['import', '-', '--json'], to, { input: stdout })
    const { id } = JSON.parse(imported.stdout)
    const [before, after] = [await json(['show', FIRST], from), await json(['show', id], to)]
    const said = ({ messages }: typeof before) =>
      messages.map(({ role, content, timestamp }: typeof before) => [role, content, timestamp])
    expect(said(after)).toEqual(said(before))
  })

  it('write a file for its owner alone, in the format of its name, and replace none', async () => {
    const cwd = project()
    const path = join(cwd, 'a.html')
    const { exitCode, stdout } = await sessions(['export', 'b0', '-o', path], cwd)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `exported b0000000 as html to ${path}\n` })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toMatch(/^<!doctype html>/)
    const again = await sessions(['export', 'b0', '-o', path], cwd)
    expect(again).toMatchObject({ exitCode: 2, stdout: '' })
    expect(again.stderr).toContain('is there already; --force replaces it')
    expect((await sessions(['export', 'b0', '-o', path, '--force'], cwd)).exitCode).toBe(0)
  })

  it('give the lines of the file as they are', async () => {
    const cwd = project()
    const path = join(cwd, '.locus', 'exec-history', `${FIRST}.jsonl`)
    const { stdout } = await sessions(['export', FIRST, '-f', 'jsonl'], cwd)
    expect(stdout).toBe(readFileSync(path, 'utf8'))
  })

  it('print Markdown for people where nothing else is asked for', async () => {
    const { stdout } = await sessions(['export', SECOND], project())
    expect(stdout).toMatch(/^# the second one\n\n- Session: `a8f3ffff/)
    expect(stdout).toContain('\n\n*(interrupted)*\n')
  })

  it.each([
    [['export', 'b0', '-f', 'pdf'], /--format must be json, jsonl, md or html, not 'pdf'/],
    [['export', 'b0', '-o', '/nonexistent/x.md'], /cannot write the export: ENOENT/],
    [['import', '/nonexistent/x.json'], /cannot read '\/nonexistent\/x.json': ENOENT/],
    [['import', '/'], /cannot read '\/': EISDIR/],
    [['import', '-'], /✗ INVALID_INPUT /],
  ])('say what is wrong: %j', async (args, message) => {
    const { exitCode, stderr } = await sessions(args, project(), { input: 'no session' })
    expect(stderr).toMatch(message)
    expect(exitCode).toBe(2)
  })
})

describe('sessions fork and rename', () => {
  it('copy a conversation, or its beginning', async () => {
    const cwd = project()
    const { id, forkedFrom } = await json(['fork', FIRST, '--turns', '1'], cwd)
    expect(forkedFrom).toBe(FIRST)
    const fork = await json(['show', id], cwd)
    expect(fork).toMatchObject({ id, forkedFrom: FIRST, summary: { turns: 1, interrupted: false } })
    const whole = await sessions(['fork', 'a8f3d9e2-1111'], cwd)
    expect(whole.stdout).toMatch(/^forked a8f3d9e2 as [\w-]{8}\n$/)
  })

  it('give a conversation a title, or take it away', async () => {
    const cwd = project()
    const { stdout } = await sessions(['rename', 'b0', 'the', 'third'], cwd)
    expect(stdout).toBe('b0000000 is now called "the third"\n')
    expect((await json(['show', 'b0'], cwd)).summary.title).toBe('the third')
    expect((await sessions(['rename', 'b0', ''], cwd)).stdout).toBe('b0000000 has no title any more\n')
    expect((await json(['show', 'b0'], cwd)).summary.title).toBeUndefined()
  })
})

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

  it('clean also removes what a killed process has left behind, and nothing else', async () => {
    const cwd = project()
    const folder = join(cwd, '.locus', 'exec-history')
    const left = [`${FIRST}.jsonl.tmp`, `${SECOND}.jsonl.zst.tmp`]
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

describe('sessions replay', () => {
  it('shows every turn as it was seen when it ran', async () => {
    const { exitCode, stdout, stderr } = await sessions(['replay', FIRST, '--speed', 'max'], project())
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'I will write the plan.\nhalf an ans\n' })
    expect(stderr).toContain('> create a plan\n')
    expect(stderr).toContain('✓ 📝 Writing file /project/plan.md (23ms)\n')
    expect(stderr).toContain('Tools used: Write\n')
    expect(stderr).toContain('✗ RATE_LIMIT too many requests\n')
    expect(stderr).toMatch(/✗ CANCELLED the turn was interrupted/)
  })

  it('as JSON gives the stream of each turn', async () => {
    const { exitCode, stdout, stderr } = await sessions(
      ['replay', FIRST, '--speed', 'max', '--json'],
      project(),
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = protocolLines(stdout)
    expect(lines.filter(({ type }) => type === 'start')).toHaveLength(3)
    expect(lines.filter(({ type }) => type === 'done').map(({ payload }) => payload.exitCode)).toEqual([
      0, 23, 130,
    ])
    expect(new Set(lines.map(({ sessionId }) => sessionId))).toEqual(new Set([FIRST]))
  })

  it('takes the time that it took, and Ctrl+C stops it with the screen as it was', async () => {
    const cwd = project()
    const args = ['exec', 'sessions', 'replay', FIRST, '--dir', cwd, '--max-pause', '600', '--speed', '10']
    const terminal = startInTerminal(args, 'streams-deltas')
    // The next turn is six seconds away.
    await terminal.written('Execution Summary')
    terminal.type('\u0003')
    const { exitCode, bytes, screen } = await terminal.finished
    expect(exitCode).toBe(130)
    expect(screen).toContain('I will write')
    expect(screen).not.toContain('now fail')
    expect(screen).toContain('✗ CANCELLED the replay was stopped')
    expect(bytes.lastIndexOf('\u001b[?25h')).toBeGreaterThan(bytes.lastIndexOf('\u001b[?25l'))
  })

  it.each([
    ['--speed', '0'],
    ['--speed', 'fast'],
    ['--speed', '-1'],
    ['--max-pause', 'x'],
  ])('says what is wrong with %s %s', async (...flags) => {
    const { exitCode, stderr } = await sessions(['replay', FIRST, ...flags], project())
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`${flags[0]} `)
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
      expect([args, bytes.replaceAll(/\r?\n|\t/g, '').match(/[\p{Cc}\u202e]/u)]).toEqual([args, null])
      expect(bytes).not.toContain('c2VjcmV0')
    }
  })

  it('of 30 MB in one answer is listed, shown and exported', async () => {
    const cwd = temporaryFolder()
    const records = recordedSession({ id: FIRST })
    const huge = records.map((record) =>
      record.type === 'text' ? { ...record, content: '<b>'.repeat(5_000_000) } : record,
    )
    store(cwd, FIRST, huge)
    expect((await sessions(['list'], cwd)).exitCode).toBe(0)
    const { exitCode, stdout } = await sessions(['show', FIRST], cwd)
    expect({ exitCode, length: stdout.length }).toMatchObject({ exitCode: 0 })
    expect(stdout.length).toBeGreaterThan(30_000_000)
    const html = await sessions(['export', FIRST, '-f', 'html'], cwd)
    expect(html.stdout).not.toContain('<b>')
    expect(html.stdout.endsWith('</html>\n')).toBe(true)
  }, 60_000)
})

describe('the command line of sessions', () => {
  it('has help, of each command too', async () => {
    const help = await sessions(['--help'], temporaryFolder())
    expect(help).toMatchObject({ exitCode: 0, stderr: '' })
    const commands = [
      'list',
      'show',
      'search',
      'delete',
      'clear',
      'export',
      'import',
      'fork',
      'rename',
      'replay',
      'prune',
    ]
    for (const command of commands) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
      const { exitCode, stdout } = await sessions([command, '--help'], temporaryFolder())
      expect([exitCode, stdout.split('\n')[0]]).toEqual([
        0,
        expect.stringContaining(`Usage: locus exec sessions ${command}`),
      ])
    }
    const exec = await runCli(['exec', '--help'])
    expect(exec.stdout).toMatch(/^ {2}sessions /m)
    expect(exec.stdout).toMatch(/^ {2}clean /m)
  })

  it.each([
    [['shwo', 'x'], /unknown command 'shwo'.*\(Did you mean show\?\).*has to be in quotes/s],
    [['show'], /missing required argument 'id'/],
    [['list', 'x'], /too many arguments/],
    [['list', '--nope'], /unknown option '--nope'/],
    [['list', '--limit', 'x'], /--limit must be a whole number from 1 on/],
    [['list', '--dir', ''], /--dir is empty/],
  ])('says what is wrong with %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await sessions(args, temporaryFolder())
    expect(stderr).toMatch(message)
    expect([stdout, [2, 4].includes(exitCode ?? 0)]).toEqual(['', true])
  })

  it('leaves prompts alone that only look like it', async () => {
    const agent = { agent: 'answers-with-the-prompt' }
    for (const prompt of [
      ['sessions are great'],
      ['list', 'sessions'],
      ['the', 'clean', '--simple'],
      ['help'],
    ]) {
      const { stdout } = await runCli(['exec', ...prompt], agent)
      expect(stdout).toBe(`${prompt.filter((word) => !word.startsWith('-')).join(' ')}\n`)
    }
  })
})
