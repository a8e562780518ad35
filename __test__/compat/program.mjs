// What must hold of the installed package in every runtime; scripts/compat.mjs runs it there. Prints what does not, and
// fails then.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import * as library from '@locus/exec-native'
import * as sdk from '@locus/exec-native/sdk'

const { CancelledError, ExecEventType, ExecSession, UnknownProviderError } = library
const projectPath = mkdtempSync(join(tmpdir(), 'locus-exec-compat-'))
const options = { provider: 'demo', projectPath }

const CHECKS = {
  async 'a turn is streamed, to the loop and to the listeners alike'() {
    const session = await ExecSession.create({ ...options, save: false, extraArgs: ['--pace=0'] })
    let heard = ''
    session.on(ExecEventType.TEXT_DELTA, ({ data }) => (heard += data.content))
    let [words, text] = [0, '']
    const stream = session.executeStreaming('hi')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') {
        words++
        text += chunk.content
      }
    }
    const { content } = await stream.result
    await session.end()
    return words > 100 && text === content && heard === content
  },

  async 'a conversation is kept, loaded and gone on with'() {
    const session = await ExecSession.create({ ...options, extraArgs: ['--pace=0'] })
    await session.execute('one')
    await session.end()
    const loaded = await ExecSession.load(session.id, { projectPath })
    const { length } = loaded.getHistory()
    await loaded.end()
    return length === 2
  },

  async 'break stops the turn'() {
    const session = await ExecSession.create({ ...options, save: false })
    const stream = session.executeStreaming('hi')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') break
    }
    const failure = await stream.result.catch((error) => error)
    await session.end()
    return failure instanceof CancelledError
  },

  async 'a signal stops the turn'() {
    const session = await ExecSession.create({ ...options, save: false })
    const controller = new AbortController()
    const stream = session.executeStreaming('hi', { signal: controller.signal })
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') controller.abort()
    }
    const failure = await stream.result.catch((error) => error)
    await session.end()
    return failure.code === 'CANCELLED'
  },

  async 'failures have their classes'() {
    const failure = await ExecSession.create({ ...options, provider: 'hal' }).catch((error) => error)
    return failure instanceof UnknownProviderError && failure.remedy.length > 0
  },

  async 'require gives what import gives'() {
    const require = createRequire(import.meta.url)
    const names = (module) => Object.keys(module).filter((name) => name !== 'default')
    const same = (imported, name) => `${names(imported).sort()}` === `${names(require(name)).sort()}`
    return (
      same(library, '@locus/exec-native') &&
      same(sdk, '@locus/exec-native/sdk') &&
      require('@locus/exec-native').ExecSession === ExecSession
    )
  },

  async 'the SDK runs a turn'() {
    const runner = sdk.createAiRunner('demo', { projectPath })
    const session = new sdk.ExecSession({ aiRunner: runner, projectPath, model: 'demo-1', provider: 'demo' })
    session.initialize()
    const { content, success } = await session.execute('hello')
    return success && content.includes('hello')
  },
}

let failures = 0
for (const [name, check] of Object.entries(CHECKS)) {
  const outcome = await check().catch((error) => error)
  if (outcome !== true) {
    failures++
    console.log(`✗ ${name}: ${outcome?.stack ?? outcome}`)
  }
}
rmSync(projectPath, { recursive: true, force: true })
console.log(`${Object.keys(CHECKS).length - failures} of ${Object.keys(CHECKS).length} checks hold`)
// Not `process.exit`: that it ends by itself is one of the things to see.
process.exitCode = failures === 0 ? 0 : 1
