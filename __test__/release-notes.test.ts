import { expect, it } from 'vitest'

import { releaseNotes } from '../scripts/release-notes.mjs'

const CHANGELOG = `# Changelog

## Unreleased

- more

## 1.2.0 - 2026-11-21

### Added

- a thing

## 1.1.0

## [1.0.0] - 2026-01-01

- all of it
`

it.each([
  ['1.2.0', '### Added\n\n- a thing'],
  ['1.0.0', '- all of it'],
  ['1.1.0', undefined],
  ['1.2', undefined],
  ['9.9.9', undefined],
])('the notes of %s are %j', (version, notes) => {
  expect(releaseNotes(CHANGELOG, version)).toBe(notes)
})
