import { describe, expect, it } from 'vitest'

import { ContextTracker } from '../../ts/context/context-tracker.js'
import type { StreamChunk } from '../../ts/index.js'

let uses = 0

/** A tool use as an agent tells it, from the request to the result. */
function use(
  tool: string,
  parameters: Record<string, unknown>,
  result: { success?: boolean; data?: unknown; parentToolUseId?: string } = {},
): StreamChunk[] {
  const { success = true, data, parentToolUseId } = result
  const id = `use-${++uses}`
  const from = parentToolUseId === undefined ? {} : { parentToolUseId }
  return [
    { type: 'tool_use', tool, id, ...from },
    { type: 'tool_parameters', tool, id, parameters, ...from },
    { type: 'tool_result', tool, id, success, duration: 1, data, ...from },
  ]
}

/** A tracker that has seen these tool uses, a millisecond after each other. */
function trackerOf(...seen: StreamChunk[][]): ContextTracker {
  const tracker = new ContextTracker()
  seen.forEach((chunks, index) => {
    for (const chunk of chunks) {
      tracker.observe(chunk, index + 1)
    }
  })
  return tracker
}

const titles = (tracker: ContextTracker) => tracker.getAllArtifacts().map(({ title }) => title)
const tasks = (tracker: ContextTracker) => tracker.getAllTasks().map(({ title, status }) => [title, status])

describe('an artifact', () => {
  it('is a file that the agent wrote, called by its heading where it is prose', () => {
    const tracker = trackerOf(
      use('Write', { file_path: '/p/docs/plans/auth.md', content: '# Auth Sprint Plan\n\n## Week 1' }),
      use('Write', { file_path: '/p/src/auth.ts', content: '// # no heading' }),
      use('NotebookEdit', { notebook_path: '/p/a.ipynb', new_source: 'x' }),
    )
    expect(tracker.getAllArtifacts()).toMatchObject([
      {
        title: 'Auth Sprint Plan',
        type: 'plan',
        filePath: '/p/docs/plans/auth.md',
        content: '# Auth Sprint Plan\n\n## Week 1',
        createdAt: 1,
        updatedAt: 1,
      },
      { title: 'auth.ts', type: 'code', content: '' },
      { title: 'a.ipynb', type: 'code', filePath: '/p/a.ipynb' },
    ])
  })

  it('is the same one when the file is written or edited again', () => {
    const tracker = trackerOf(
      use('Write', { file_path: '/p/notes.md', content: '# Old' }),
      use('Edit', { file_path: '/p/notes.md', old_string: 'a', new_string: 'b' }),
      use('Write', { file_path: '/p/notes.md', content: '# New' }),
    )
    expect(tracker.getAllArtifacts()).toMatchObject([{ title: 'New', createdAt: 1, updatedAt: 3 }])
  })

  it('is not what failed, was only asked for, or was only read', () => {
    const tracker = trackerOf(
      use('Write', { file_path: '/p/a.md', content: 'a' }, { success: false }),
      use('Write', { file_path: '/p/b.md', content: 'b' }).slice(0, 2),
      use('Read', { file_path: '/p/c.md' }),
      use('Write', { file_path: 7, content: null }),
    )
    expect(tracker.hasContent()).toBe(false)
  })

  it('can be written by a subagent', () => {
    const write = use('Write', { file_path: '/p/a.py', content: '' }, { parentToolUseId: 'parent' })
    expect(titles(trackerOf(write))).toEqual(['a.py'])
  })

  it('is a plan that the agent presents, one with the file that it wrote it to', () => {
    const plan = '# Refactor the parser\n\n1. …'
    const tracker = trackerOf(
      use('Write', { file_path: '/home/u/.agent/plans/x.md', content: plan }),
      use('ExitPlanMode', { plan: `${plan}\n2. …` }),
      use('ExitPlanMode', { plan: 'just words' }),
    )
    expect(tracker.getAllArtifacts()).toMatchObject([
      { type: 'plan', filePath: '/home/u/.agent/plans/x.md', content: `${plan}\n2. …`, updatedAt: 2 },
      { type: 'plan', title: 'Plan', content: 'just words' },
    ])
  })

  it.each([
    ['/p/PLAN.md', 'plan'],
    ['/p/sprint-plan.txt', 'plan'],
    ['/p/planet.md', 'document'],
    ['/p/README.md', 'document'],
    ['/p/TODO.md', 'task-list'],
    ['/p/test-report.md', 'report'],
    ['/p/flow.mmd', 'diagram'],
    ['/p/package.json', 'config'],
    ['/p/.gitignore', 'config'],
    ['/p/Dockerfile', 'config'],
    ['/p/plan.ts', 'code'],
    ['C:\\p\\main.rs', 'code'],
    ['/p/data.csv', 'other'],
    ['/p/LICENSE', 'other'],
  ])('%s is of the type %s', (path, type) => {
    expect(trackerOf(use('Write', { file_path: path, content: '' })).getAllArtifacts()[0]?.type).toBe(type)
  })
})

describe('what codex does', () => {
  it('is tracked like what others do: files that it changed, the steps of its plan', () => {
    const tracker = trackerOf(
      use('file_change', {
        changes: [
          { path: '/p/made.txt', kind: 'add', diff: 'one\n' },
          { path: '/p/gone.ts', kind: 'delete' },
          { path: '/p/old.ts', movePath: '/p/new.ts', kind: 'update', diff: '@@' },
          null,
        ],
      }),
      use('file_change', { changes: 'x' }),
      use('todo_list', {
        items: [
          { text: 'look', status: 'completed' },
          { text: 'leap', status: 'in_progress' },
        ],
      }),
    )
    expect(tracker.getAllArtifacts().map(({ title }) => title)).toEqual(['made.txt', 'new.ts'])
    expect(tracker.getAllArtifacts()[0]?.content).toBe('one\n')
    expect(tasks(tracker)).toEqual([
      ['look', 'completed'],
      ['leap', 'in_progress'],
    ])
  })
})

describe('a task', () => {
  it('is an entry of the todo list, which is whole each time', () => {
    const todo = (content: string, status: string) => ({ content, status, activeForm: content })
    const tracker = trackerOf(
      use('TodoWrite', {
        todos: [todo('one', 'in_progress'), todo('two', 'pending'), todo('three', 'pending')],
      }),
      use('TodoWrite', {
        todos: [todo('one', 'completed'), todo('three', 'in_progress'), todo('four', 'odd')],
      }),
    )
    expect(tasks(tracker)).toEqual([
      ['one', 'completed'],
      ['two', 'cancelled'],
      ['three', 'in_progress'],
      ['four', 'pending'],
    ])
    expect(tracker.getTasksByStatus('in_progress')).toMatchObject([{ title: 'three', updatedAt: 2 }])
  })

  it('is made and changed by its number, which the result tells or the order gives', () => {
    const tracker = trackerOf(
      use('TaskCreate', { subject: 'first', description: 'what to do' }),
      use('TaskCreate', { subject: 'second' }, { data: 'Task #7 created successfully: second' }),
      use('TaskCreate', { subject: 'third' }, { data: { task: { id: 9, subject: 'third' } } }),
      use('TaskUpdate', { taskId: '1', status: 'in_progress' }),
      use('TaskUpdate', { taskId: '7', status: 'deleted' }),
      use('TaskUpdate', { taskId: 9, status: 'completed', subject: 'the third' }),
      use('TaskUpdate', { taskId: '404', status: 'completed' }),
    )
    expect(tasks(tracker)).toEqual([
      ['first', 'in_progress'],
      ['second', 'cancelled'],
      ['the third', 'completed'],
    ])
    expect(tracker.getAllTasks()[0]).toMatchObject({ description: 'what to do', createdAt: 1, updatedAt: 4 })
  })

  it("is not a subagent's, nor what is no list", () => {
    const tracker = trackerOf(
      use('TodoWrite', { todos: [{ content: 'x', status: 'pending' }] }, { parentToolUseId: 'parent' }),
      use('TodoWrite', { todos: 'x' }),
      use('TodoWrite', { todos: [null, 5, { content: '' }] }),
      use('TaskCreate', {}),
    )
    expect(tracker.hasContent()).toBe(false)
  })
})

describe('what a program tracks itself', () => {
  it('can be made, got, changed and cleared', () => {
    const tracker = new ContextTracker()
    const artifact = tracker.createArtifact({ title: 'Plan', type: 'plan', content: 'x' })
    const task = tracker.createTask({ title: 'Do it', status: 'pending' })
    expect(tracker.getArtifact(artifact.id)).toEqual(artifact)
    expect(tracker.updateArtifact(artifact.id, { title: 'Better' })).toMatchObject({
      title: 'Better',
      id: artifact.id,
      createdAt: artifact.createdAt,
    })
    expect(tracker.updateTask(task.id, { status: 'completed' })).toMatchObject({ status: 'completed' })
    expect(tracker.getTask(task.id)?.status).toBe('completed')
    expect(tracker.updateArtifact('none', {})).toBeNull()
    expect(tracker.updateTask('none', {})).toBeNull()
    tracker.clear()
    expect([tracker.getArtifact(artifact.id), tracker.getTask(task.id)]).toEqual([null, null])
  })

  it('is tracked under its own id', () => {
    const tracker = new ContextTracker()
    tracker.trackTask({ id: 't', title: 'T', status: 'pending', createdAt: 1, updatedAt: 1 })
    tracker.trackArtifact({ id: 'a', title: 'A', type: 'other', content: '', createdAt: 1, updatedAt: 1 })
    expect([tracker.getTask('t')?.title, tracker.getArtifact('a')?.title]).toEqual(['T', 'A'])
  })
})

describe('the state', () => {
  it('is restored as it was saved', () => {
    const tracker = trackerOf(
      use('Write', { file_path: '/p/plan.md', content: '# Plan' }),
      use('TaskCreate', { subject: 'first' }),
    )
    const saved = JSON.parse(JSON.stringify(tracker))
    const restored = ContextTracker.fromJSON(saved)
    expect(restored.toJSON()).toEqual(saved)
    for (const chunk of use('TaskUpdate', { taskId: '1', status: 'completed' })) {
      restored.observe(chunk)
    }
    expect(tasks(restored)).toEqual([['first', 'completed']])
  })

  it.each([null, 5, {}, { artifacts: 'x', tasks: [null, { id: 1 }, { id: 't', title: 'T' }] }])(
    'that cannot be understood is empty: %j',
    (state) => {
      expect(ContextTracker.fromJSON(state).hasContent()).toBe(false)
    },
  )

  it('is small, whatever was tracked', () => {
    const tracker = new ContextTracker()
    for (let index = 0; index < 1000; index++) {
      for (const chunk of use('Write', { file_path: `/p/${index}.md`, content: '𝒳'.repeat(50_000) })) {
        tracker.observe(chunk, index)
      }
      tracker.createTask({ title: 't'.repeat(10_000), description: 'd'.repeat(10_000), status: 'pending' })
    }
    expect(titles(tracker)).toHaveLength(100)
    expect(titles(tracker)[0]).toBe('900.md')
    const json = JSON.stringify(tracker)
    expect(json.length).toBeLessThan(250_000)
    // No half of a character, which other readers of JSON refuse.
    expect(json).not.toMatch(/\\ud[89a-f]/)
    expect(tracker.getReferencedArtifact('999.md')?.content).not.toBe('')
    expect(tracker.buildContextSummary().split('\n').length).toBeLessThan(100)
  })

  it('is found again from the records of a session: what was saved last, and what was done after it', () => {
    const early = trackerOf(use('Write', { file_path: '/p/saved.md', content: '# Saved' }))
    const record = (type: string, fields: object) => ({ type, timestamp: 50, runId: 'r', ...fields })
    const tracker = ContextTracker.fromRecords([
      record('session', { schema: 1, id: 's' }),
      record('tool_use', { id: '1', tool: 'Write', parameters: { file_path: '/p/lost.md', content: '' } }),
      record('tool_result', { id: '1', tool: 'Write', success: true }),
      record('state', { context: early.toJSON() }),
      record('state', { title: 'no context' }),
      record('tool_use', { id: '2', tool: 'TaskCreate', parameters: { subject: 'after' } }),
      record('tool_result', { id: '2', tool: 'TaskCreate', success: true }),
      record('something_new', {}),
    ])
    expect(titles(tracker)).toEqual(['Saved'])
    expect(tracker.getAllTasks()).toMatchObject([{ title: 'after', createdAt: 50 }])
  })
})

it('interrupted turns do not keep a tracker from seeing later ones', () => {
  const parameters = { file_path: '/p/a.md', content: '' }
  const turn = (id: string) => [
    { type: 'prompt', timestamp: 1, runId: id, content: 'go', provider: 'claude' },
    { type: 'tool_use', timestamp: 1, runId: id, id, tool: 'Write', parameters },
  ]
  const interrupted = Array.from({ length: 2000 }, (_, index) => turn(`use-${index}`)).flat()
  const done = { type: 'tool_result', timestamp: 2, runId: 'last', id: 'last', tool: 'Write', success: true }
  expect(titles(ContextTracker.fromRecords([...interrupted, ...turn('last'), done]))).toEqual(['a.md'])
})

describe('the summary', () => {
  it('names what there is, open tasks first', () => {
    const tracker = trackerOf(
      use('Write', { file_path: '/p/plan.md', content: '# The\tPlan' }),
      use('ExitPlanMode', { plan: 'x' }),
    )
    for (const status of ['completed', 'pending', 'in_progress', 'cancelled'] as const) {
      tracker.createTask({ title: `is\n${status}`, status })
    }
    expect(tracker.buildContextSummary()).toMatchInlineSnapshot(`
      "## Active Context

      ### Artifacts Created
      - The Plan (plan) [/p/plan.md]
      - Plan (plan)

      ### Tasks
      - ◐ is in_progress
      - ○ is pending
      - ● is completed
      - ✕ is cancelled"
    `)
  })

  it('is empty where there is nothing', () => {
    expect(new ContextTracker().buildContextSummary()).toBe('')
  })
})
