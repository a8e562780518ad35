import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import { PromptFile } from '../../../ts/cli/repl/prompt-file.js'
import { temporaryFolder } from '../../support/folder.js'

const pathIn = (folder: string) => join(folder, '.locus', 'exec-prompts', 'prompts.jsonl')

it('keeps prompts of several lines, for their owner alone, and out of Git', () => {
  const folder = temporaryFolder()
  const file = new PromptFile(folder)
  expect(file.load()).toEqual([])
  file.add('one')
  file.add('two\nlines "quoted"')
  expect(new PromptFile(folder).load()).toEqual(['one', 'two\nlines "quoted"'])
  expect(statSync(pathIn(folder)).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder, '.locus', 'exec-prompts')).mode & 0o777).toBe(0o700)
  expect(readFileSync(join(folder, '.locus', 'exec-prompts', '.gitignore'), 'utf8')).toBe('*\n')
})

it('passes over lines that are none of its own', () => {
  const folder = temporaryFolder()
  new PromptFile(folder).add('one')
  writeFileSync(pathIn(folder), '{"a":1}\nnot json\n"two"\n"torn', { flag: 'a' })
  expect(new PromptFile(folder).load()).toEqual(['one', 'two'])
})

it('keeps the newest thousand', () => {
  const folder = temporaryFolder()
  const file = new PromptFile(folder)
  file.add('first')
  const lines = Array.from({ length: 2500 }, (_, index) => `"${index}"\n`).join('')
  writeFileSync(pathIn(folder), lines, { mode: 0o600 })
  expect(file.load()).toHaveLength(1000)
  expect(readFileSync(pathIn(folder), 'utf8').split('\n')).toHaveLength(1001)
  expect(file.load().at(-1)).toBe('2499')
})

it('follows no symlink out of the project', () => {
  const outside = temporaryFolder()
  const folder = temporaryFolder()
  symlinkSync(outside, join(folder, '.locus'))
  expect(() => new PromptFile(folder).add('secret')).toThrow('leads out of the project')
  const other = temporaryFolder()
  mkdirSync(join(other, '.locus', 'exec-prompts'), { recursive: true })
  symlinkSync(join(outside, 'file'), pathIn(other))
  expect(() => new PromptFile(other).add('secret')).toThrow()
  expect(readdirSync(outside)).toEqual([])
})

it('does not write what others may read', () => {
  const folder = temporaryFolder()
  new PromptFile(folder).add('one')
  chmodSync(pathIn(folder), 0o644)
  expect(() => new PromptFile(folder).add('secret')).toThrow('others may read')
  expect(readFileSync(pathIn(folder), 'utf8')).toBe('"one"\n')
})
