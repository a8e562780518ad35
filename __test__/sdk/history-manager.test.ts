import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { HistoryStore, InvalidInputError, SchemaTooNewError } from '../../ts/index.js'
import { type ConversationSession, HistoryManager, type HistoryManagerOptions } from '../../ts/sdk/index.js'
import { temporaryFolder } from '../support/folder.js'
import { FIRST, project, SECOND, THIRD } from '../support/project.js'
import { recordedSession, store } from '../support/stored.js'

const FORMATS = ['jsonl', 'json'] as const

function manager(options?: HistoryManagerOptions, projectPath = temporaryFolder()) {
  return { history: new HistoryManager(projectPath, options), projectPath }
}

/** A saved conversation of these prompts, each with an answer. */
function saved(history: HistoryManager, prompts: string[], begun = Date.now()): ConversationSession {
  const session = history.createNewSession('sonnet', 'claude')
  Object.assign(session, { createdAt: begun })
  session.messages = prompts.flatMap((content, index) => [
    { role: 'user' as const, content, timestamp: begun + index },
    { role: 'assistant' as const, content: `about ${content}`, timestamp: begun + index },
  ])
  history.saveSession(session)
  return session
}

const idsOf = (sessions: ConversationSession[]) => sessions.map(({ id }) => id)

describe('a conversation', () => {
  it('is a plain object, made without touching the disk', () => {
    const { history, projectPath } = manager()
    const session = history.createNewSession()
    expect(session).toEqual({
      ...{ id: expect.stringMatching(/^session-[0-9a-z]+-[0-9a-f]{8}$/), projectPath, messages: [] },
      ...{ createdAt: expect.any(Number), updatedAt: expect.any(Number) },
      metadata: { model: 'claude-sonnet-4-5', provider: 'claude' },
    })
    expect(history.createNewSession('gpt', 'codex').metadata).toEqual({ model: 'gpt', provider: 'codex' })
    expect(history.getHistoryDir()).toBe(join(projectPath, '.locus', 'exec-history'))
    expect(history.loadSession(session.id)).toBeNull()
    expect(history.listSessions()).toEqual([])
    expect(readdirSync(projectPath)).toEqual([])
  })

  it.each(FORMATS)('comes back as it was saved, changes included (%s)', (historyFormat) => {
    const { history, projectPath } = manager({ historyFormat })
    const session = saved(history, ['make a plan'])
    session.messages.push({
      ...{ role: 'assistant', content: 'half', timestamp: 5 },
      metadata: { toolsUsed: ['Read'], duration: 12, errorCode: 'RATE_LIMIT' },
    })
    session.metadata.contextTracker = { artifacts: [], tasks: [] }
    const before = Date.now()
    history.saveSession(session)
    expect(session.updatedAt).toBeGreaterThanOrEqual(before)
    const elsewhere = manager({ historyFormat }, projectPath).history
    const { updatedAt: _, ...rest } = session
    expect(elsewhere.loadSession(session.id)).toMatchObject({
      ...rest,
      messages: rest.messages.map((message) => ({ ...message })),
    })
    session.messages.splice(0, 1, { role: 'user', content: 'make another plan', timestamp: 6 })
    history.saveSession(session)
    expect(elsewhere.loadSession(session.id)?.messages[0]?.content).toBe('make another plan')
    session.messages = []
    history.saveSession(session)
    expect(elsewhere.loadSession(session.id)?.messages).toEqual([])
  })

  it('is only appended to where something was only added', () => {
    const { history } = manager()
    const session = saved(history, ['one'])
    const path = join(history.getHistoryDir(), `${session.id}.jsonl`)
    const before = readFileSync(path, 'utf8')
    session.messages.push({ role: 'user', content: 'two', timestamp: 7 })
    history.saveSession(session)
    const after = readFileSync(path, 'utf8')
    expect(after.startsWith(before)).toBe(true)
    expect(after.slice(before.length).trim().split('\n')).toHaveLength(1)
  })

  it('is what the rest of this package reads', async () => {
    const { history, projectPath } = manager()
    const { id } = saved(history, ['make a plan'])
    const { messages, summary } = await new HistoryStore({ projectPath }).read(id)
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'make a plan'],
      ['assistant', 'about make a plan'],
    ])
    expect(summary).toMatchObject({ provider: 'claude', model: 'sonnet', interrupted: false })
  })

  it('of the rest of this package is read here, unanswered prompts without an answer', () => {
    const history = new HistoryManager(project())
    expect(history.loadSession(FIRST)).toMatchObject({
      ...{ id: FIRST, projectPath: '/project', metadata: { provider: 'claude' } },
      messages: [
        { role: 'user', content: 'create a plan' },
        {
          ...{ role: 'assistant', content: 'I will write the plan.' },
          metadata: { toolsUsed: ['Write'], duration: 899, usage: { costUsd: 0.25 } },
        },
        { role: 'user', content: 'now fail' },
        { role: 'assistant', content: '', metadata: { errorCode: 'RATE_LIMIT' } },
        { role: 'user', content: 'and be killed' },
        { role: 'assistant', content: 'half an ans', metadata: { interrupted: true } },
      ],
    })
  })
})

describe('the file of Locus 0.14.x', () => {
  const THEIRS = {
    ...{ id: 'session-lz1k2j3h-abc1234', projectPath: '/p', createdAt: 1000, updatedAt: 4000 },
    messages: [
      { role: 'user', content: 'make a plan', timestamp: 2000 },
      {
        ...{ role: 'assistant', content: 'Here it is.', timestamp: 3000 },
        metadata: { toolsUsed: ['Write', 'Write'], duration: 900 },
      },
    ],
    metadata: {
      model: 'claude-sonnet-4-5',
      provider: 'claude',
      contextTracker: { artifacts: [], tasks: [] },
    },
  }

  /** A project in which Locus 0.14.x has left this session. */
  function theirs() {
    const projectPath = temporaryFolder()
    const folder = join(projectPath, '.locus', 'sessions')
    mkdirSync(folder, { recursive: true })
    const path = join(folder, `${THEIRS.id}.json`)
    writeFileSync(path, JSON.stringify(THEIRS, null, 2))
    return { projectPath, path, bytes: readFileSync(path, 'utf8') }
  }

  it('is read as it is, listed, and found', () => {
    const { projectPath } = theirs()
    const history = new HistoryManager(projectPath)
    expect(history.loadSession(THEIRS.id)).toEqual(THEIRS)
    expect(idsOf(history.searchSessions('plan'))).toEqual([THEIRS.id])
    expect(history.findSessionByPartialId('abc1234')?.id).toBe(THEIRS.id)
  })

  it('is not changed by going on with it', () => {
    const { projectPath, path, bytes } = theirs()
    const history = new HistoryManager(projectPath)
    const session = history.loadSession(THEIRS.id)
    session?.messages.push({ role: 'user', content: 'thanks', timestamp: 5000 })
    history.saveSession(session as ConversationSession)
    expect(readFileSync(path, 'utf8')).toBe(bytes)
    expect(history.loadSession(THEIRS.id)?.messages).toHaveLength(3)
    expect(history.getSessionCount()).toBe(1)
  })

  it('is what is written in their folder, so that they can go on with it', () => {
    const { projectPath, path } = theirs()
    const historyDir = join(projectPath, '.locus', 'sessions')
    const history = new HistoryManager(projectPath, { historyDir, historyFormat: 'json' })
    const session = history.loadSession(THEIRS.id) as ConversationSession
    session.messages.push({ role: 'user', content: 'thanks', timestamp: 5000 })
    history.saveSession(session)
    // As they read it.
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(session)
    expect(readFileSync(path, 'utf8')).toContain('\n  "messages": [\n')
    expect(readdirSync(historyDir).filter((name) => name.startsWith('session-'))).toEqual([
      `${THEIRS.id}.json`,
    ])
  })

  it('keeps what only others know of it', () => {
    const { history } = manager({ historyFormat: 'json' })
    const session = Object.assign(saved(history, ['hi']), { pinned: true })
    Object.assign(session.metadata, { branch: 'main' })
    history.saveSession(session)
    expect(history.loadSession(session.id)).toMatchObject({ pinned: true, metadata: { branch: 'main' } })
  })
})

describe('listSessions', () => {
  it('gives whole conversations, the one that was changed last first', () => {
    const history = new HistoryManager(project())
    const sessions = history.listSessions()
    expect(idsOf(sessions)).toEqual([THIRD, SECOND, FIRST])
    expect(sessions.map(({ messages }) => messages.length)).toEqual([2, 6, 6])
    expect({ ...sessions[2] }).toEqual(history.loadSession(FIRST))
    expect(JSON.parse(JSON.stringify(sessions[2]))).toEqual(history.loadSession(FIRST))
  })

  it('filters by words, by when they were begun, and by place', () => {
    const { history } = manager()
    const plan = saved(history, ['a sprint plan'], 1000)
    const tests = saved(history, ['the tests of the plan'], 2000)
    const docs = saved(history, ['documentation'], 3000)
    const list = (filter: Parameters<HistoryManager['listSessions']>[0]) =>
      idsOf(history.listSessions(filter))
    expect(list({})).toEqual([docs.id, tests.id, plan.id])
    expect(list({ query: 'PLAN' })).toEqual([tests.id, plan.id])
    expect(list({ query: '' })).toHaveLength(3)
    expect(list({ after: 2000 })).toEqual([docs.id, tests.id])
    expect(list({ before: 2000 })).toEqual([tests.id, plan.id])
    expect(list({ limit: 1, offset: 1 })).toEqual([tests.id])
    expect(idsOf(history.searchSessions('plan', 1))).toEqual([tests.id])
    expect(list({ query: 'nobody said this' })).toEqual([])
  })

  it('reads no conversation before it is looked at, and none that is gone', () => {
    const { history } = manager()
    const { id } = saved(history, ['one'])
    const [session] = history.listSessions()
    history.deleteSession(id)
    expect(session?.metadata).toEqual({ model: 'sonnet', provider: 'claude' })
    expect(session?.messages).toEqual([])
  })

  it('gives objects that can be changed and saved', () => {
    const { history } = manager()
    const { id } = saved(history, ['one'])
    const [session] = history.listSessions()
    session?.messages.push({ role: 'user', content: 'two', timestamp: 9 })
    history.saveSession(session as ConversationSession)
    expect(history.loadSession(id)?.messages).toHaveLength(3)
    const [again] = history.listSessions()
    Object.assign(again as ConversationSession, { messages: [] })
    expect(again?.messages).toEqual([])
  })

  it('is not held up by a file that is none', () => {
    const folder = project()
    writeFileSync(join(folder, '.locus', 'exec-history', 'broken.json'), '{"messages":')
    expect(idsOf(new HistoryManager(folder).listSessions())).toEqual([THIRD, SECOND, FIRST])
  })

  it('has the messages of none of a thousand in memory before they are looked at', () => {
    const { history, projectPath } = manager()
    for (let index = 0; index < 1000; index++) {
      store(projectPath, `session-${index}`, recordedSession({ id: `session-${index}` }))
    }
    expect(history.getSessionCount()).toBe(1000)
    const sessions = history.listSessions()
    const isRead = (session: object) =>
      'value' in (Object.getOwnPropertyDescriptor(session, 'messages') ?? {})
    expect(sessions).toHaveLength(1000)
    expect(sessions.filter(isRead)).toEqual([])
    expect(sessions[500]?.messages).toHaveLength(6)
    expect(sessions.filter(isRead)).toEqual([sessions[500]])
  })
})

describe('finding one', () => {
  it('by its id, a part of it, or because it was changed last', () => {
    const { history } = manager()
    expect(history.getCurrentSession('opus').metadata.model).toBe('opus')
    const old = saved(history, ['old'], 1000)
    const young = saved(history, ['young'], 2000)
    expect(history.getCurrentSession().id).toBe(young.id)
    expect([history.sessionExists(old.id), history.sessionExists('session-none')]).toEqual([true, false])
    expect(history.sessionExists(old.id.slice(0, -1))).toBe(false)
    expect(history.findSessionByPartialId(old.id.split('-')[2] ?? '')?.id).toBe(old.id)
    expect(history.findSessionByPartialId(old.id)?.messages).toHaveLength(2)
    expect(history.findSessionByPartialId('session-')?.id).toBe(young.id)
    expect(history.findSessionByPartialId('')).toBeNull()
    expect(history.findSessionByPartialId('nothing')).toBeNull()
  })
})

describe('removing', () => {
  it('one, all, or the oldest', () => {
    const { history } = manager({ maxSessions: 2 })
    const ids = [1000, 2000, 3000, 4000].map((begun) => saved(history, ['hi'], begun).id)
    expect(history.getSessionCount()).toBe(4)
    expect(history.pruneSessions()).toBe(2)
    expect(idsOf(history.listSessions())).toEqual([ids[3], ids[2]])
    expect(history.pruneSessions()).toBe(0)
    expect([history.deleteSession(ids[2] ?? ''), history.deleteSession(ids[2] ?? '')]).toEqual([true, false])
    expect(history.clearAllSessions()).toBe(1)
    expect(history.getSessionCount()).toBe(0)
  })

  it('keeps thirty where nothing else is said', () => {
    const { history } = manager()
    for (let index = 0; index < 31; index++) {
      saved(history, ['hi'], 1000 + index)
    }
    expect(history.pruneSessions()).toBe(1)
  })
})

describe('what cannot be', () => {
  it('is none where it is looked for, and an error where it is written', () => {
    const { history, projectPath } = manager()
    for (const id of ['../config', '%2e%2e', 'a/b', '']) {
      expect(history.loadSession(id)).toBeNull()
      expect(history.deleteSession(id)).toBe(false)
      expect(history.sessionExists(id)).toBe(false)
      expect(history.findSessionByPartialId(id)).toBeNull()
      const session = { ...history.createNewSession(), id }
      expect(() => history.saveSession(session)).toThrow(InvalidInputError)
    }
    expect(readdirSync(projectPath)).toEqual([])
  })

  it('is told, and left alone, where a newer version wrote it', () => {
    const folder = temporaryFolder()
    const [head, ...rest] = recordedSession({ id: FIRST })
    const path = store(folder, FIRST, [{ ...head, schema: 99 }, ...rest])
    const before = readFileSync(path)
    const history = new HistoryManager(folder)
    expect(() => history.loadSession(FIRST)).toThrow(SchemaTooNewError)
    expect(() => history.saveSession({ ...history.createNewSession(), id: FIRST })).toThrow(SchemaTooNewError)
    expect(readFileSync(path)).toEqual(before)
  })
})

it('is kept in another folder where it is told to', () => {
  const historyDir = join(temporaryFolder(), 'elsewhere')
  const { history } = manager({ historyDir })
  const { id } = saved(history, ['hi'])
  expect(history.getHistoryDir()).toBe(historyDir)
  expect(readdirSync(historyDir)).toContain(`${id}.jsonl`)
})
