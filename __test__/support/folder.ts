import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

/** A new folder that is removed when the test is over. */
export function temporaryFolder(): string {
  // The real path: agents report theirs, and the temporary folder may be a link.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'locus-exec-test-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
