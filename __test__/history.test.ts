import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import {
  ContextTracker,
  HistoryStore,
  InvalidInputError,
  replayTranscript,
  SchemaTooNewError,
  SessionNotFoundError,
} from '../ts/index.js'
import { temporaryFolder } from './support/folder.js'
import { FIRST, project, SECOND, THIRD } from './support/project.js'
import { chunksOf, rejectionOf, textOf } from './support/session.js'
import { linesOf, recordedSession, store } from './support/stored.js'

const open = (projectPath = project()) => new HistoryStore({ projectPath })

describe('a history store', () => {
  it('lists, filters and finds', async () => {
    const history = open()
    const { sessions, total, problems } = await history.list()
    expect(sessions.map(({ id }) => id)).toEqual([THIRD, SECOND, FIRST])
    expect({ total, problems }).toEqual({ total: 3, problems: [] })
    expect(sessions[2]).toMatchObject({
      ...{ preview: 'create a plan', provider: 'claude', turns: 3, messages: 6, costUsd: 0.25 },
      ...{ interrupted: true, compressed: false, format: 'locus-exec', open: false },
    })
    expect((await history.list({ limit: 1, offset: 2 })).sessions.map(({ id }) => id)).toEqual([FIRST])
    expect(await history.find('a8f3')).toEqual([SECOND, FIRST])
    expect(await history.find(FIRST)).toEqual([FIRST])
    expect(await history.find('zzz')).toEqual([])
    expect((await history.search('killed')).map(({ id, role }) => [id, role])).toContainEqual([FIRST, 'user'])
  })

  it('reads what was said, and what can be replayed', async () => {
    const session = await open().read(FIRST)
    expect(session.messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'create a plan'],
      ['assistant', 'I will write the plan.'],
      ['user', 'now fail'],
      ['assistant', ''],
      ['user', 'and be killed'],
      ['assistant', 'half an ans'],
    ])
    expect(session.messages.map(({ metadata }) => metadata)).toMatchObject([
      ...[undefined, { toolsUsed: ['Write'], durationMs: 899 }, undefined, { errorCode: 'RATE_LIMIT' }],
      ...[undefined, { interrupted: true }],
    ])
    expect(session.agentSessions).toEqual({ claude: 'agent-1' })
    const chunks = await chunksOf(replayTranscript(session, { speed: Number.POSITIVE_INFINITY }))
    expect(textOf(chunks)).toBe('I will write the plan.half an ans')
  })

  it('keeps what a tracker knows', async () => {
    const history = open()
    const tracker = ContextTracker.fromRecords((await history.read(FIRST)).records)
    expect(tracker.getReferencedArtifact('the plan')).toMatchObject({
      ...{ title: 'The Plan', filePath: '/project/plan.md' },
    })
    tracker.createTask({ title: 'do it', status: 'pending' })
    await history.setContext(FIRST, tracker.toJSON())
    const { context, records } = await history.read(FIRST)
    expect(context).toEqual(tracker.toJSON())
    expect(ContextTracker.fromRecords(records).toJSON()).toEqual(tracker.toJSON())
  })

  it('renames, forks, exports, imports and deletes', async () => {
    const history = open()
    await history.rename(FIRST, 'a new title')
    expect((await history.read(await history.fork(FIRST))).summary).toMatchObject({
      ...{ title: 'a new title', turns: 3 },
    })
    expect((await history.read(await history.fork(FIRST, 1))).summary.turns).toBe(1)
    const other = open(temporaryFolder())
    expect(await other.import(await history.exportJsonl(FIRST))).toBe(FIRST)
    expect(await other.import(await history.exportJsonl(FIRST))).not.toBe(FIRST)
    expect([await other.delete(FIRST), await other.delete(FIRST)]).toEqual([true, false])
    expect(await other.clear()).toBe(1)
    expect((await other.list()).total).toBe(0)
  })

  it('prunes, and only tells what it would do', async () => {
    const history = open()
    const policy = { keep: 1, maxAgeDays: null, compressAfterDays: null }
    expect((await history.prune({ ...policy, dryRun: true })).removed).toEqual([SECOND, FIRST])
    expect((await history.list()).total).toBe(3)
    const { removed, bytesFreed } = await history.prune(policy)
    expect(removed).toEqual([SECOND, FIRST])
    expect(bytesFreed).toBeGreaterThan(1000)
  })

  it('rejects with the errors of this package', async () => {
    const folder = project()
    const history = open(folder)
    expect(await rejectionOf(history.read('nope'))).toBeInstanceOf(SessionNotFoundError)
    for (const id of ['../config', '%2e%2e', 'a\0b', 'x'.repeat(10_240), '']) {
      const calls = [history.read(id), history.delete(id), history.find(id), history.rename(id, 't')]
      for (const refusal of await Promise.all(calls.map(rejectionOf))) {
        expect(refusal).toBeInstanceOf(InvalidInputError)
      }
    }
    const [head, ...rest] = recordedSession({ id: FIRST })
    const path = store(folder, FIRST, [{ ...head, schema: 99 }, ...rest])
    const before = readFileSync(path)
    expect(await rejectionOf(history.read(FIRST))).toBeInstanceOf(SchemaTooNewError)
    expect(await rejectionOf(history.rename(FIRST, 'x'))).toBeInstanceOf(SchemaTooNewError)
    expect(readFileSync(path)).toEqual(before)
  })

  it('tells what it could not read, and reads the rest', async () => {
    const folder = project()
    const path = join(folder, '.locus', 'exec-history', `${FIRST}.jsonl`)
    const lines = linesOf(recordedSession({ id: FIRST })).split('\n')
    lines.splice(3, 0, 'this is no JSON')
    writeFileSync(path, lines.join('\n'))
    const { messages, problems } = await open(folder).read(FIRST)
    expect(messages).toHaveLength(6)
    expect(problems).toMatchObject([{ line: 4 }])
  })

  it('can be in another folder', async () => {
    const folder = project()
    const history = new HistoryStore({
      projectPath: temporaryFolder(),
      historyDir: join(folder, '.locus', 'exec-history'),
    })
    expect((await history.list()).total).toBe(3)
  })
})
