import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { loadSettings } from '../../ts/cli/settings.js'
import { temporaryFolder } from '../support/folder.js'

/** A project with this content in its settings. */
function projectWith(content: string): string {
  const project = temporaryFolder()
  mkdirSync(join(project, '.locus'))
  writeFileSync(join(project, '.locus', 'settings.json'), content)
  return project
}

describe('the settings', () => {
  it('are those of the project', () => {
    const project = projectWith('{"provider":"demo","model":"m","other":{"key":1}}')
    expect(loadSettings(project, {})).toEqual({ provider: 'demo', model: 'm' })
  })

  it('say how many conversations are kept, and for how long', () => {
    const history = { keep: 5, maxAgeDays: null, maxBytes: 1_000_000 }
    expect(loadSettings(projectWith(JSON.stringify({ history })), {}).history).toEqual(history)
    for (const wrong of ['never', null, { keep: -1 }, { keep: '5' }, { kept: 5 }, { maxBytes: '1MB' }]) {
      const project = projectWith(JSON.stringify({ history: wrong }))
      expect(() => loadSettings(project, {})).toThrow("the setting 'history' in")
    }
  })

  it('are overridden by the environment, one by one', () => {
    const project = projectWith('{"provider":"demo","model":"m"}')
    expect(loadSettings(project, { LOCUS_MODEL: 'e' })).toEqual({ provider: 'demo', model: 'e' })
    expect(loadSettings(project, { LOCUS_PROVIDER: 'p', LOCUS_MODEL: '' })).toEqual({
      provider: 'p',
      model: 'm',
    })
  })

  it('are empty where there is no file, no folder or no project', () => {
    const project = temporaryFolder()
    const file = join(project, 'file')
    writeFileSync(file, '')
    for (const path of [project, join(project, 'missing'), file]) {
      expect(loadSettings(path, { LOCUS_PROVIDER: 'p' })).toEqual({ provider: 'p', model: undefined })
    }
  })

  it.each([
    ['{"provider":', /are not JSON: /],
    ['', /are not JSON: /],
    ['[]', /must be a JSON object$/],
    ['null', /must be a JSON object$/],
    ['"demo"', /must be a JSON object$/],
    ['{"provider":5}', /^the setting 'provider' in '.*' must be a non-empty string$/],
    ['{"model":""}', /^the setting 'model' in '.*' must be a non-empty string$/],
    ['{"fallback":"codex"}', /^the setting 'fallback' in '.*' must be an array of providers$/],
    ['{"fallback":[""]}', /^the setting 'fallback' in '.*' must be an array of providers$/],
    ['{"fallbackAfterChanges":1}', /^the setting 'fallbackAfterChanges' in '.*' must be true or false$/],
    ['{"model":null}', /^the setting 'model' in '.*' must be a non-empty string$/],
  ])('that are %s are refused, with the path of the file', (content, message) => {
    const project = projectWith(content)
    const path = join(project, '.locus', 'settings.json')
    expect(() => loadSettings(project, {})).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringMatching(message) }),
    )
    expect(() => loadSettings(project, {})).toThrow(path)
  })

  it('that cannot be read are refused with the reason', () => {
    const project = temporaryFolder()
    mkdirSync(join(project, '.locus', 'settings.json'), { recursive: true })
    expect(() => loadSettings(project, {})).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining('EISDIR') }),
    )
  })

  it('may begin with a byte order mark, as some editors write it', () => {
    const project = projectWith('\ufeff{"provider":"demo"}')
    expect(loadSettings(project, {}).provider).toBe('demo')
  })
})
