import { describe, expect, it } from 'vitest'

import type { Artifact, ArtifactType } from '../../ts/context/artifacts.js'
import { ContextTracker } from '../../ts/context/context-tracker.js'

const made: [id: string, type: ArtifactType, title: string, filePath?: string][] = [
  ['a1', 'plan', 'Authentication Feature Sprint Plan', '/project/docs/auth-plan.md'],
  ['a2', 'document', 'API guide', '/project/docs/api.md'],
  ['a3', 'code', 'login.test.ts', '/project/src/login.test.ts'],
  ['a4', 'code', 'login.ts', '/project/src/login.ts'],
  ['a5', 'plan', 'Rollout', '/project/plans/rollout.md'],
  ['a6', 'code', 'stats.ipynb', '/project/stats.ipynb'],
  ['a7', 'document', '四半期計画', '/project/q.md'],
  ['a8', 'config', 'settings.json', '/project/.locus/settings.json'],
]

function tracker(): ContextTracker {
  const tracker = new ContextTracker()
  made.forEach(([id, type, title, filePath], index) => {
    const artifact: Artifact = { id, type, title, content: '', createdAt: index, updatedAt: index }
    tracker.trackArtifact(filePath ? { ...artifact, filePath } : artifact)
  })
  return tracker
}

describe('a reference to an artifact', () => {
  it.each([
    ['a2', 'a2'],
    ['the plan', 'a5'],
    ['The Plan!', 'a5'],
    ['that plan', 'a5'],
    ['the sprint plan', 'a1'],
    ['the auth plan', 'a1'],
    ['Authentication Feature Sprint Plan', 'a1'],
    ['authentication feature', 'a1'],
    ['the roadmap', 'a5'],
    ['that doc', 'a7'],
    ['the API doc', 'a2'],
    ['the guide', 'a2'],
    ['the login tests', 'a3'],
    ['login', 'a4'],
    ['login.ts', 'a4'],
    ['src/login.ts', 'a4'],
    ['/project/src/login.ts', 'a4'],
    ['the code', 'a6'],
    ['the notebook', 'a6'],
    ['計画', 'a7'],
    ['my settings', 'a8'],
    ['it', 'a8'],
    ['that file', 'a8'],
    ['the last one', 'a8'],
  ])('"%s" means %s', (reference, id) => {
    expect(tracker().getReferencedArtifact(reference)?.id).toBe(id)
  })

  it.each(['', '   ', 'banana', 'project', 'the weather in Rome', '…', '.*', 'in about'])(
    '"%s" means none',
    (reference) => {
      expect(tracker().getReferencedArtifact(reference)).toBeNull()
    },
  )

  it('means the one that was touched last, of those that fit as well', () => {
    const it = tracker()
    it.updateArtifact('a1', { updatedAt: 100 })
    expect(it.getReferencedArtifact('the plan')?.id).toBe('a1')
    expect(it.getReferencedArtifact('it')?.id).toBe('a1')
  })

  it('means none where there is none', () => {
    expect(new ContextTracker().getReferencedArtifact('the plan')).toBeNull()
    expect(new ContextTracker().getReferencedArtifact('it')).toBeNull()
  })
})

describe('a reference to a task', () => {
  const tasks = new ContextTracker()
  tasks.trackTask({ id: 't1', title: 'Write auth tests', status: 'completed', createdAt: 1, updatedAt: 1 })
  tasks.trackTask({ id: 't2', title: 'Add rate limiting', status: 'in_progress', createdAt: 2, updatedAt: 2 })
  tasks.trackTask({ id: 't3', title: 'Update the docs', status: 'pending', createdAt: 3, updatedAt: 3 })

  it.each([
    ['t1', 't1'],
    ['the auth task', 't1'],
    ['rate limit', 't2'],
    ['the current task', 't2'],
    ['the next one', 't3'],
    ['that task', 't3'],
    ['the finished task', 't1'],
  ])('"%s" means %s', (reference, id) => {
    expect(tasks.getReferencedTask(reference)?.id).toBe(id)
  })

  it.each(['the banana task', ''])('"%s" means none', (reference) => {
    expect(tasks.getReferencedTask(reference)).toBeNull()
  })
})
