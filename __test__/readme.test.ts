import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

test('the example of the README runs as it stands', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const example = /<!-- executed by the tests -->\n```js\n([\s\S]+?)```/.exec(readme)?.[1]
  expect(example).toBeDefined()
  const project = mkdtempSync(join(tmpdir(), 'locus-readme-'))
  onTestFinished(() => rmSync(project, { recursive: true, force: true }))
  mkdirSync(join(project, 'node_modules', '@locus'), { recursive: true })
  symlinkSync(ROOT, join(project, 'node_modules', '@locus', 'exec-native'), 'dir')
  writeFileSync(join(project, 'example.mjs'), example ?? '')
  const output = execFileSync(process.execPath, ['example.mjs'], { cwd: project, encoding: 'utf8' })
  expect(output).toContain('create a sprint plan')
}, 30_000)
