import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { RealClaude } from './real-agent.js'

const real = new RealClaude()

/** Runs `locus exec` once: a process of its own for every turn. */
async function locusExec(...args: string[]) {
  const { stdout, stderr, exitCode } = await real.run(['--json-stream', ...args])
  expect(exitCode, stderr).toBe(0)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const resumed = lines.filter(({ type, payload }) => type === 'status' && payload.status === 'resumed')
  return { sessionId: lines[0].sessionId, resumed: resumed.map(({ payload }) => JSON.parse(payload.message)) }
}

const claude = (...args: string[]) => locusExec('--executable', real.executable, ...args)

/** What the human had typed in the last conversation that the model was asked about. */
const heard = () => real.server.requests.findLast(({ prompts }) => prompts.length > 0)?.prompts ?? []

describe('a conversation with the real claude', () => {
  test('is known in its third turn, with a new process for every turn', async () => {
    const first = await claude('--provider', 'claude', 'my favourite word is quokka')
    const second = await claude('--continue', 'my lucky number is 7')
    const third = await claude('--continue', 'what do you know of me?')
    expect(second.sessionId).toBe(first.sessionId)
    expect(third.sessionId).toBe(first.sessionId)
    expect([first, second, third].map(({ resumed }) => resumed)).toEqual([
      [],
      [{ via: 'agent' }],
      [{ via: 'agent' }],
    ])
    expect(heard()).toEqual([
      'my favourite word is quokka',
      'my lucky number is 7',
      'what do you know of me?',
    ])
  })

  test('is told to a claude that has lost it', async () => {
    await claude('--provider', 'claude', 'my favourite word is quokka')
    await claude('--continue', 'my lucky number is 7')
    rmSync(join(real.home, '.claude', 'projects'), { recursive: true })
    const { resumed } = await claude('--continue', 'what do you know of me?')
    expect(resumed).toEqual([
      { via: 'context', reason: expect.stringContaining('No conversation found with session ID') },
    ])
    const [prompt = '', ...others] = heard()
    expect(others).toEqual([])
    expect(prompt).toContain('my favourite word is quokka')
    expect(prompt).toContain('my lucky number is 7')
    expect(prompt.endsWith('# Current Request\n\nwhat do you know of me?')).toBe(true)
    const { resumed: again } = await claude('--continue', 'and now?')
    expect(again).toEqual([{ via: 'agent' }])
    expect(heard().at(-1)).toBe('and now?')
  })

  test('is told what was said to another provider', async () => {
    await locusExec('--provider', 'demo', 'my favourite word is quokka')
    const { resumed } = await claude('--continue', '--provider', 'claude', 'what do you know of me?')
    expect(resumed).toEqual([{ via: 'context' }])
    expect(heard().join()).toContain('my favourite word is quokka')
  })
})
