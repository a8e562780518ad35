import { describe, expect, test } from 'vitest'

import {
  type AiRunner,
  ClaudeRunner,
  CodexRunner,
  ExecSession,
  type StreamChunk,
} from '../../ts/sdk/index.js'
import { RealClaude, RealCodex } from './real-agent.js'

const claude = new RealClaude()
const codex = new RealCodex()

const runners: Array<[name: string, tool: string, make: () => { runner: AiRunner; project: string }]> = [
  [
    ...(['ClaudeRunner', 'Bash'] as const),
    () => {
      const options = { executable: claude.executable, env: claude.environment() }
      const runner = new ClaudeRunner(claude.project, 'sonnet', undefined, 60_000, options)
      return { runner, project: claude.project }
    },
  ],
  [
    ...(['CodexRunner', 'command_execution'] as const),
    () => {
      const options = { executable: codex.executable, env: codex.environment() }
      const runner = new CodexRunner(codex.project, undefined, undefined, 'low', 60_000, options)
      return { runner, project: codex.project }
    },
  ],
]

describe.each(runners)('%s with the real agent', (_, tool, make) => {
  test('answers, and uses its tools without being asked', async () => {
    const { runner } = make()
    expect((await runner.run('hello')).length).toBeGreaterThan(10)
    const chunks: StreamChunk[] = []
    for await (const chunk of runner.runStream('please TOOL')) {
      chunks.push(chunk)
    }
    const result = chunks.find((chunk) => chunk.type === 'tool_result')
    expect(result).toMatchObject({ tool, success: true, duration: expect.any(Number) })
    expect(JSON.stringify(result)).toContain('hi-from-shell')
    expect(chunks.at(-1)).toMatchObject({
      type: 'result',
      success: true,
      usage: { output: expect.any(Number) },
    })
  })

  test('holds a conversation', async () => {
    const { runner: aiRunner, project: projectPath } = make()
    const session = new ExecSession({ aiRunner, projectPath, model: 'm', provider: 'p' })
    session.initialize()
    expect(await session.execute('hello')).toMatchObject({ success: true })
    const { success, toolsUsed } = await session.execute('please TOOL')
    expect({ success, toolsUsed }).toEqual({ success: true, toolsUsed: [tool] })
    expect(session.getMessages()).toHaveLength(4)
  })

  test('stops', async () => {
    const { runner } = make()
    let words = 0
    for await (const { type } of runner.runStream('please SLOWMS=50')) {
      if (type === 'text_delta' && ++words === 3) {
        break
      }
    }
    expect(words).toBe(3)
  })
})
