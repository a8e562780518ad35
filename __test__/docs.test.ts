import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { project } from './support/project.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

test('the example of sessions.md runs as it stands', () => {
  const page = readFileSync(join(ROOT, 'docs', 'sessions.md'), 'utf8')
  const example = /<!-- executed by the tests -->\n```js\n([\s\S]+?)```/.exec(page)?.[1] ?? ''
  const folder = project()
  mkdirSync(join(folder, 'node_modules', '@locus'), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules', '@locus', 'exec-native'), 'dir')
  writeFileSync(join(folder, 'example.mjs'), example.replace("'password'", "'killed'"))
  const output = execFileSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(output).toBe('I will write the plan.half an ans/project/plan.md\n')
})
