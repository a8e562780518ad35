import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { loadSettings } from '../ts/cli/settings.js'
import { temporaryFolder } from './support/folder.js'
import { project } from './support/project.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Puts this package where a script in the folder finds it. */
function install(folder: string): void {
  mkdirSync(join(folder, 'node_modules', '@locus'), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules', '@locus', 'exec-native'), 'dir')
}

test('the example of sessions.md runs as it stands', () => {
  const page = readFileSync(join(ROOT, 'docs', 'sessions.md'), 'utf8')
  const example = /<!-- executed by the tests -->\n```js\n([\s\S]+?)```/.exec(page)?.[1] ?? ''
  const folder = project()
  install(folder)
  writeFileSync(join(folder, 'example.mjs'), example.replace("'password'", "'killed'"))
  const output = execFileSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(output).toBe('I will write the plan.half an ans/project/plan.md\n')
})

test('the examples of cost.md run as they stand: the script, the prices, the settings', () => {
  const page = readFileSync(join(ROOT, 'docs', 'cost.md'), 'utf8')
  const example = /<!-- executed by the tests -->\n```js\n([\s\S]+?)```/.exec(page)?.[1] ?? ''
  const [prices = '', settings = ''] = [...page.matchAll(/```json\n([\s\S]+?)```/g)].map(
    ([, json = '']) => json,
  )
  const folder = temporaryFolder()
  install(folder)
  mkdirSync(join(folder, '.locus'))
  writeFileSync(join(folder, '.locus', 'prices.json'), prices)
  writeFileSync(join(folder, '.locus', 'settings.json'), settings)
  expect(loadSettings(folder, {})).toMatchObject({ timeout: '30m', budget: { session: { costUsd: 10 } } })
  writeFileSync(join(folder, 'example.mjs'), example)
  const output = execFileSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(output).toBe('0 agent\ntrue\n2 true\n')
})
