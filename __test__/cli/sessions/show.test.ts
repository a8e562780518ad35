import { describe, expect, it } from 'vitest'

import { FIRST, json, project, sessions } from '../../support/project.js'
import { recordedSession } from '../../support/stored.js'

describe('sessions show', () => {
  it('shows what was said, with tools, times and how it ended', async () => {
    const { exitCode, stdout, stderr } = await sessions(['show', 'a8f3d'], project())
    expect(exitCode).toBe(0)
    const stable = stdout
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<time>')
      .replace(/changed .*/, 'changed …')
      .replace(/\d\.\d KB/, '… KB')
    expect(stable).toMatchInlineSnapshot(`
      "create a plan
      a8f3d9e2-1111-4000-8000-000000000001
      claude · 3 turns · $0.25 · … KB · interrupted
      begun <time>, changed …

      You <time>
      create a plan

      claude <time> · 899ms · $0.25
      ✓ 📝 Writing file /project/plan.md (23ms)
      I will write the plan.

      You <time>
      now fail

      claude <time> · 50ms
      ✗ RATE_LIMIT too many requests

      You <time>
      and be killed

      claude <time>
      half an ans
      ⚠ interrupted: this turn was never finished

      "
    `)
    expect(stderr).toBe('continue it: locus exec --session a8f3d9e2 "…"\n')
  })

  it('shows the last messages', async () => {
    const { stdout } = await sessions(['show', FIRST, '--last', '2'], project())
    expect(stdout).toContain('… 4 earlier messages\n')
    expect(stdout).toContain('half an ans')
    expect(stdout).not.toContain('the plan.')
  })

  it('gives everything that is stored as JSON', async () => {
    const shown = await json(['show', FIRST], project())
    expect(shown).toMatchObject({ id: FIRST, summary: { turns: 3, interrupted: true } })
    expect(shown.records).toEqual(recordedSession({ id: FIRST }))
    expect(shown.messages).toHaveLength(6)
  })
})

describe('sessions search', () => {
  it('shows where something was said', async () => {
    const { exitCode, stdout } = await sessions(['search', 'killed'], project())
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^a8f3[df][9f]\w+ you · .* ago.*\n {2}and be killed\n/)
    expect(stdout).not.toContain('\u0002')
  })

  it('says so where it was not', async () => {
    const { exitCode, stdout, stderr } = await sessions(['search', 'zebra'], project())
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
    expect(stderr).toContain('nothing found; "zebra"')
    expect(await json(['search', 'zebra'], project())).toEqual([])
  })
})
