import { execFileSync } from 'node:child_process'

import { expect, it } from 'vitest'

import agentsConfig from '../vitest.agents.config.mjs'
import config from '../vitest.config.mjs'

/** The variables by which a developer's own settings would be found, as a child sees them. */
function settingsOfChild(): Record<string, string | undefined> {
  const { XDG_CONFIG_HOME, XDG_STATE_HOME, APPDATA, LOCALAPPDATA, LOCUS_PROVIDER, LOCUS_MODEL } = JSON.parse(
    execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)'], { encoding: 'utf8' }),
  )
  const folders =
    process.platform === 'win32' ? { APPDATA, LOCALAPPDATA } : { XDG_CONFIG_HOME, XDG_STATE_HOME }
  return { ...folders, LOCUS_PROVIDER, LOCUS_MODEL }
}

it('no test, and nothing that one starts, sees what is the developer’s own', () => {
  const { LOCUS_PROVIDER, LOCUS_MODEL, ...folders } = settingsOfChild()
  expect([LOCUS_PROVIDER, LOCUS_MODEL]).toEqual([undefined, undefined])
  expect(Object.values(folders)).toHaveLength(2)
  for (const folder of Object.values(folders)) {
    expect(folder).toContain('locus-exec-test-user-')
  }
})

it('this holds with real agents, too', () => {
  expect(agentsConfig.test?.setupFiles).toBe(config.test?.setupFiles)
})
