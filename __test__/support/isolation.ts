import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

/** Where this package looks for what is the user's own. */
const FOLDERS =
  process.platform === 'win32' ? ['APPDATA', 'LOCALAPPDATA'] : ['XDG_CONFIG_HOME', 'XDG_STATE_HOME']
/** What changes how it behaves. */
const SETTINGS = ['LOCUS_PROVIDER', 'LOCUS_MODEL', 'LOCUS_LOG', 'LOCUS_ASCII', 'LOCUS_RUNNER_PATH']

// Before each file of tests: whatever the developer has there is seen by no test, and by nothing that a test starts.
const home = mkdtempSync(join(tmpdir(), 'locus-exec-test-user-'))
for (const name of FOLDERS) {
  process.env[name] = join(home, name.toLowerCase())
}
for (const name of SETTINGS) {
  delete process.env[name]
}
afterAll(() => rmSync(home, { recursive: true, force: true }))
