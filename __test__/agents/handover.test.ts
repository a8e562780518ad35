import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

import { installAgents } from '../../scripts/install-agents.mjs'
import { codexEnv } from './codex-env.mjs'
import { RealClaude } from './real-agent.js'

const real = new RealClaude()
let codex = ''

beforeAll(async () => {
  codex = (await installAgents()).codex
})

/** Runs `locus exec` with both real agents, which the user's registry names. */
async function locusExec(args: string[], variables: Record<string, string> = {}) {
  const config = join(real.home, 'config')
  mkdirSync(join(config, 'locus'), { recursive: true })
  const entry = (name: string, path: string) => `[agents.${name}]\nprograms = [${JSON.stringify(path)}]\n`
  writeFileSync(
    join(config, 'locus', 'agents.toml'),
    entry('claude', real.executable) + entry('codex', codex),
  )
  const env = { ...codexEnv(real.server.url, { home: real.home }), XDG_CONFIG_HOME: config, ...variables }
  const { stdout, stderr, exitCode } = await real.run(['--json-stream', '--retries', '0', ...args], env)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const statuses = lines.filter(({ type }) => type === 'status').map(({ payload }) => payload)
  return { exitCode, stderr, statuses, sessionId: lines[0].sessionId }
}

/** What the human had typed in the last conversation that a model was asked about. */
const heard = () => real.server.requests.findLast(({ prompts }) => prompts.length > 0)?.prompts ?? []

describe('one conversation with two real agents', () => {
  test('is told to the other one, there and back', async () => {
    const first = await locusExec(['--provider', 'claude', 'my favourite word is quokka'])
    const second = await locusExec(['--continue', '--provider', 'codex', 'my lucky number is 7'])
    expect([second.exitCode, second.sessionId], second.stderr).toEqual([0, first.sessionId])
    expect(heard().at(-1)).toContain('my favourite word is quokka')
    const third = await locusExec(['--continue', '--provider', 'claude', 'what do you know of me?'])
    expect(third.exitCode, third.stderr).toBe(0)
    expect(heard()).toHaveLength(1)
    expect(heard()[0]).toContain('my favourite word is quokka')
    expect(heard()[0]).toContain('my lucky number is 7')
    expect(heard()[0]?.endsWith('# Current Request\n\nwhat do you know of me?')).toBe(true)
  })

  test('goes on with codex where claude is not logged in', async () => {
    await locusExec(['--provider', 'claude', 'my favourite word is quokka'])
    const { exitCode, statuses, stderr } = await locusExec(
      ['--continue', '--provider', 'claude', '--fallback', 'codex', 'what do you know of me?'],
      { ANTHROPIC_API_KEY: '', ANTHROPIC_AUTH_TOKEN: '', CLAUDE_CODE_OAUTH_TOKEN: '' },
    )
    expect(exitCode, stderr).toBe(0)
    expect(statuses).toContainEqual({ status: 'fallback', message: 'codex' })
    expect(heard().at(-1)).toContain('my favourite word is quokka')
    expect(
      heard()
        .at(-1)
        ?.match(/what do you know of me\?/g),
    ).toHaveLength(1)
  })
})
