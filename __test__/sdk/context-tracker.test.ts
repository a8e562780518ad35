import { expect, it } from 'vitest'

import { ContextTracker as EngineTracker } from '../../ts/index.js'
import { ContextTracker } from '../../ts/sdk/index.js'

it('the tracker is that of the engine', () => {
  expect(ContextTracker).toBe(EngineTracker)
})

it('has everything that the one of Locus has', () => {
  const tracker = new ContextTracker()
  expect([tracker.hasContent(), tracker.buildContextSummary()]).toEqual([false, ''])
  const plan = tracker.createArtifact({ title: 'Sprint Plan', type: 'plan', content: '# Week 1' })
  expect(plan).toMatchObject({ id: expect.stringMatching(/^artifact-/), createdAt: plan.updatedAt })
  tracker.trackArtifact({
    ...plan,
    id: 'artifact-x',
    title: 'auth.ts',
    type: 'code',
    filePath: 'src/auth.ts',
  })
  expect(tracker.getAllArtifacts().map(({ title }) => title)).toEqual(['Sprint Plan', 'auth.ts'])
  expect(tracker.getArtifact(plan.id)).toEqual(plan)
  expect(tracker.updateArtifact(plan.id, { title: 'Sprint Plan 2' })).toMatchObject({
    title: 'Sprint Plan 2',
  })
  expect([tracker.updateArtifact('none', {}), tracker.getArtifact('none')]).toEqual([null, null])
  expect(tracker.getReferencedArtifact('the plan')?.id).toBe(plan.id)
  expect(tracker.getReferencedArtifact(plan.id)?.id).toBe(plan.id)
  expect(tracker.getReferencedArtifact('the diagram')).toBeNull()

  const task = tracker.createTask({ title: 'write the tests', status: 'pending' })
  tracker.trackTask({ ...task, id: 'task-x', title: 'review', status: 'completed' })
  expect(tracker.updateTask(task.id, { status: 'in_progress' })).toMatchObject({ status: 'in_progress' })
  expect([tracker.updateTask('none', {}), tracker.getTask('none')]).toEqual([null, null])
  expect(tracker.getTask(task.id)?.title).toBe('write the tests')
  expect(tracker.getAllTasks()).toHaveLength(2)
  expect(tracker.getTasksByStatus('completed').map(({ title }) => title)).toEqual(['review'])
  expect(tracker.getReferencedTask('the tests')?.id).toBe(task.id)

  expect(tracker.buildContextSummary()).toBe(
    [
      ...['## Active Context', '', '### Artifacts Created', '- Sprint Plan 2 (plan)'],
      ...['- auth.ts (code) [src/auth.ts]', '', '### Tasks', '- ◐ write the tests', '- ● review'],
    ].join('\n'),
  )
  const state = tracker.toJSON()
  expect(ContextTracker.fromJSON(state).toJSON()).toEqual(state)
  const other = new ContextTracker()
  other.restore(state)
  expect(other.toJSON()).toEqual(state)
  other.clear()
  expect(other.hasContent()).toBe(false)
})
