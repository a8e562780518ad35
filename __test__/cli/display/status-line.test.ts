import { Chalk } from 'chalk'
import { describe, expect, it } from 'vitest'

import { contextOf, type StatusFacts, statusLine } from '../../../ts/cli/display/status-line.js'
import { ASCII, UNICODE } from '../../../ts/cli/display/symbols.js'
import { saying, streams, wait, words } from '../../support/lines.js'
import { CTRL_D, send, stable, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const FACTS: StatusFacts = {
  ...{ provider: 'claude', model: 'opus', session: '3f2a91bc' },
  used: { input: 12_000, output: 400, cacheRead: 0, cacheWrite: 0, costUsd: 0.08 },
  context: { tokens: 35_200, window: 200_000 },
  elapsedMs: 14_900,
}
const line = (facts: Partial<StatusFacts>, columns = 100, symbols = UNICODE) =>
  statusLine({ ...FACTS, ...facts }, columns, new Chalk({ level: 0 }), symbols)

describe('the status line', () => {
  it('has the model, the session, the context, the tokens, the cost and the time', () => {
    expect(line({})).toBe('claude opus · 3f2a91bc · 35.2k (18%) context · 12.4k tokens · $0.0800 · 14s')
    expect(line({}, 100, ASCII)).toBe(
      'claude opus - 3f2a91bc - 35.2k (18%) context - 12.4k tokens - $0.0800 - 14s',
    )
  })

  it('says nothing of what is not known', () => {
    const used = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
    const nothing = { model: undefined, session: undefined, used, context: undefined, elapsedMs: undefined }
    expect(line(nothing)).toBe('claude')
    expect(line({ ...nothing, context: { tokens: 900, window: undefined } })).toBe('claude · 900 context')
  })

  it('leaves out what matters least where there is no room', () => {
    expect(line({}, 70)).toBe('claude opus · 35.2k (18%) context · 12.4k tokens · $0.0800 · 14s')
    expect(line({}, 40)).toBe('claude opus · $0.0800 · 14s')
    expect(line({}, 5)).toBe('14s')
  })

  it('takes nothing for a context that is none', () => {
    expect(contextOf({ tokens: 5, window: 0 })).toEqual({ tokens: 5, window: undefined })
    expect(contextOf({ tokens: 'many' })).toBe(undefined)
    expect(contextOf()).toBe(undefined)
  })
})

describe('what claude has in its context', () => {
  const usage = { input_tokens: 10_000, cache_read_input_tokens: 20_000, output_tokens: 1 }
  const lines = [
    streams({ type: 'message_start', message: { id: 'm', model: 'fake-1', usage } }),
    words('Hello'),
    wait('end'),
    streams({ type: 'message_delta', usage: { output_tokens: 200 } }),
    { result: 'Hello', modelUsage: { 'fake-1': { inputTokens: 10_000, contextWindow: 100_000 } } },
  ]

  it('is shown while it answers, with its share of the window as soon as claude says how large that is', async () => {
    const { env, goOn } = saying(...lines)
    const terminal = await startRepl('says-the-lines-of-a-file', { env })
    send(terminal, 'go')
    await terminal.shown('30.0k context · 30.0k tokens')
    goOn('end')
    await terminal.shown('30.2k (30%) context')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('is shown below a single run', async () => {
    const { env, goOn } = saying(...lines)
    const terminal = startInTerminal(['exec', '--no-save', 'go'], 'says-the-lines-of-a-file', env)
    await terminal.shown('30.0k context')
    expect(stable(terminal.screen())).toMatch(/\nclaude fake-1 · 30\.0k context · 30\.0k tokens · …m?s$/)
    goOn('end')
    expect((await terminal.finished).screen).not.toContain('context')
  })
})
