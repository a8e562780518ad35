// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Gemini CLI (0.61.0) loses a conversation that is loaded in the minute in which it was begun: the names of its files tell minutes. With
 * this each process begins a minute after the one before.
 */
const CLOCK = `
const { appendFileSync, readFileSync } = require('node:fs')
const begun = __filename + '.begun'
appendFileSync(begun, '.')
const later = (readFileSync(begun).length - 1) * 60_000
const now = Date.now
globalThis.Date = class extends Date {
  constructor(...args) { args.length === 0 ? super(now() + later) : super(...args) }
  static now() { return now() + later }
}
`

/**
 * Makes the real gemini run offline against a model server (see model-server.mjs), and returns the variables it needs for that on top
 * of PATH: with them it connects to nothing else and writes nothing outside `home`.
 * @param {string} serverUrl the `url` of the model server
 * @param {{ home: string }} options home: a folder of its own, so that neither the user's settings nor another test's session is seen
 * @returns {Record<string, string>}
 */
export function geminiEnv(serverUrl, { home }) {
  const folder = join(home, '.gemini')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'settings.json'),
    JSON.stringify({
      general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      security: { auth: { selectedType: 'gemini-api-key' } },
    }),
  )
  const clock = join(home, 'clock.cjs')
  writeFileSync(clock, CLOCK)
  return {
    NODE_OPTIONS: `--require=${clock}`,
    HOME: home,
    // It leaves reports of errors there.
    TMPDIR: home,
    USERPROFILE: home,
    GEMINI_API_KEY: 'fake',
    // A project is trusted by a person in a terminal; elsewhere it would refuse to work.
    GEMINI_CLI_TRUST_WORKSPACE: 'true',
    GOOGLE_GEMINI_BASE_URL: serverUrl,
  }
}
