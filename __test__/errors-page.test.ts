import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { ERROR_CODES, errorInfo } from '../ts/index.js'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')

it('docs/errors.md has every code, in the order of the engine, and no other', () => {
  expect([...page.matchAll(/^### (\w+)$/gm)].map(([, code]) => code)).toEqual(ERROR_CODES)
})

it.each(ERROR_CODES)('docs/errors.md says what is known of %s', (code) => {
  const { retryable, remedy, docs } = errorInfo(code)
  const [, section = ''] = page.split(`### ${code}\n`)
  const [about = ''] = section.split('\n### ')
  expect(docs).toBe(`docs/errors.md#${code.toLowerCase()}`)
  expect(about).toContain(retryable ? 'May pass: tried again.' : 'Stays: fails at once.')
  expect(about).toContain(`What to do: ${remedy}.`)
})
