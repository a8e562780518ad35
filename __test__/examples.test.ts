import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, onTestFinished } from 'vitest'

import { pathWith, startCli } from './support/cli.js'
import { temporaryFolder } from './support/folder.js'
import { openLifeline } from './support/lifeline.js'

const RUNNER = fileURLToPath(new URL('../locus-runner', import.meta.url))
const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url))

/** A PATH on which the demo agent, without its pauses, is what is found as `claude`. */
function pathWithDemo(): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'claude'), `#!/bin/sh\nexec '${RUNNER}' demo-agent --pace=0 "$@"\n`, {
    mode: 0o755,
  })
  return `${folder}${delimiter}${process.env.PATH}`
}

/** Starts an example with the demo agent, or with another one. */
function start(name: string, args: string[] = [], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [join(EXAMPLES, name), ...args], {
    cwd: temporaryFolder(),
    env: { ...process.env, PATH: pathWithDemo(), ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function finish(child: ChildProcess) {
  const read = (stream: ChildProcess['stdout']) => text(stream as NonNullable<typeof stream>)
  const [stdout, stderr, [exitCode]] = await Promise.all([
    read(child.stdout),
    read(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, exitCode }
}

describe('an example', () => {
  it('shows what happens while it happens', async () => {
    const { stdout, stderr, exitCode } = await finish(start('events.mjs', ['create a sprint plan']))
    expect(exitCode).toBe(0)
    expect(stdout).toContain('create a sprint plan')
    expect(stderr).toMatch(/^→ Glob .+\n✓ Glob \(\d+ ms\)\n[\s\S]*\d+ tools, \d+ tokens, \$0, \d+ ms\n$/)
  })

  it('tells what can be done where it fails', async () => {
    const { stderr, exitCode } = await finish(start('events.mjs', ['hi'], { LOCUS_PROVIDER: 'hal' }))
    expect(exitCode).toBe(1)
    expect(stderr).toContain('UNKNOWN_PROVIDER')
  })

  it('is a step of a pipeline that ends as the run has ended', async () => {
    const summary = join(temporaryFolder(), 'summary.md')
    const run = async (args: string[]) => {
      const PATH = pathWithDemo()
      const { stdout } = await startCli(['exec', '--no-save', '--json-stream', ...args], { env: { PATH } })
        .finished
      const step = start('ci-step.mjs', [], { GITHUB_STEP_SUMMARY: summary })
      step.stdin?.end(stdout)
      return await finish(step)
    }
    const succeeded = await run(['create a sprint plan'])
    expect(succeeded).toMatchObject({ exitCode: 0, stderr: '' })
    expect(succeeded.stdout).toMatch(
      /^Glob \{.+\nGlob done \(\d+ ms\)\n[\s\S]*\nexit code 0, \d+ tokens, \$0\n$/,
    )
    expect(readFileSync(summary, 'utf8')).toContain('create a sprint plan')
    const failed = await run(['--provider', 'hal', 'hi'])
    expect(failed).toMatchObject({ exitCode: 3 })
    expect(failed.stdout).toContain('::error title=UNKNOWN_PROVIDER::')
    const cut = start('ci-step.mjs')
    cut.stdin?.end()
    expect((await finish(cut)).exitCode).toBe(1)
  })

  it('reviews several files at once, in the order in which they were named', async () => {
    const folder = temporaryFolder()
    const files = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'].map((name) => join(folder, name))
    for (const file of files) {
      writeFileSync(file, 'one line\n')
    }
    const { stdout, stderr, exitCode } = await finish(start('parallel-review.mjs', files))
    expect(exitCode).toBe(0)
    expect([...stdout.matchAll(/^## (\/.+)$/gm)].map(([, file]) => file)).toEqual(files)
    expect(stderr).toMatch(/5 files, \d+ tokens, \$0\n$/)
    expect(stderr.match(/✓ /g)).toHaveLength(5)
  })

  it('relays turns to those who have its token, and to nobody else', async () => {
    const server = start('sse-relay.mjs')
    const [greeting] = await once(server.stdout as NonNullable<typeof server.stdout>, 'data')
    const { url, token } = JSON.parse(String(greeting)) as { url: string; token: string }
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ prompt: 'create a sprint plan' })
    const ask = (init: RequestInit) => fetch(`${url}/run`, { method: 'POST', headers, body, ...init })
    const statuses = await Promise.all([
      fetch(`${url}/other`),
      ask({ headers: { ...headers, authorization: 'Bearer no' } }),
      ask({ headers: { ...headers, origin: 'https://evil.example' } }),
      ask({ headers: { ...headers, 'content-type': 'text/plain' } }),
      ask({ body: 'no JSON' }),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([404, 403, 403, 403, 400])
    const events = await (await ask({})).text()
    const types = [...events.matchAll(/^event: (.+)$/gm)].map(([, type]) => type)
    expect([types[0], types.at(-1)]).toEqual(['status', 'result'])
    const ids = [...events.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    expect(ids).toEqual(ids.map((_, index) => index + 1))
  })

  it('stops the turn of a client that hangs up', async () => {
    const lifeline = await openLifeline()
    const PATH = `${pathWith('waits-for-interrupt')}:${process.env.PATH}`
    const server = start('sse-relay.mjs', [], { ...lifeline.env, PATH })
    const [greeting] = await once(server.stdout as NonNullable<typeof server.stdout>, 'data')
    const { url, token } = JSON.parse(String(greeting)) as { url: string; token: string }
    const controller = new AbortController()
    const { body } = await fetch(`${url}/run`, {
      ...{ method: 'POST', signal: controller.signal, body: '{"prompt":"hi"}' },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    for (let seen = ''; !seen.includes('waiting'); ) {
      seen += (await reader?.read())?.value ?? ''
    }
    controller.abort()
    await lifeline.closed
  })
})

it('is named in the page of the examples', () => {
  const page = readFileSync(join(EXAMPLES, 'README.md'), 'utf8')
  for (const name of readdirSync(EXAMPLES).filter((name) => name !== 'README.md')) {
    expect(page).toContain(`](${name})`)
  }
})
