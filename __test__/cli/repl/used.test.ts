import { EventEmitter } from 'node:events'

import { expect, it } from 'vitest'

import { Conversation } from '../../../ts/cli/repl/conversation.js'
import type { ExecSession } from '../../../ts/session.js'

const tokens = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0 }

it('at a glance the cost is that of the turns that have ended, until the one under way tells its own', () => {
  const session = new EventEmitter()
  const conversation = Conversation.of(session as ExecSession, async () => session as ExecSession, {
    ...{ resumed: false, model: undefined, limits: {}, onPermission: async () => ({ behavior: 'allow' }) },
  })
  session.emit('turn:completed', { data: { usage: { ...tokens, costUsd: 0.5 } } })
  session.emit('usage:updated', { data: tokens })
  expect(conversation.usedAtAGlance).toMatchObject({ input: 20, costUsd: 0.5 })
  expect(conversation.usedAtAGlance.costPartial).toBeUndefined()
  expect(conversation.used.costPartial).toBe(true)
  session.emit('usage:updated', { data: { ...tokens, costUsd: 0.25 } })
  expect(conversation.usedAtAGlance.costUsd).toBe(0.75)
})
