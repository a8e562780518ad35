import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { temporaryFolder } from '../../support/folder.js'
import { FIRST, json, project, SECOND, sessions } from '../../support/project.js'

describe('sessions export and import', () => {
  it.each(['json', 'jsonl'])('take a conversation to another project as %s', async (format) => {
    const from = project()
    const to = temporaryFolder()
    const { stdout } = await sessions(['export', FIRST, '--format', format], from)
    const imported = await sessions(['import', '-', '--json'], to, { input: stdout })
    const { id } = JSON.parse(imported.stdout)
    const [before, after] = [await json(['show', FIRST], from), await json(['show', id], to)]
    const said = ({ messages }: typeof before) =>
      messages.map(({ role, content, timestamp }: typeof before) => [role, content, timestamp])
    expect(said(after)).toEqual(said(before))
  })

  it('write a file for its owner alone, in the format of its name, and replace none', async () => {
    const cwd = project()
    const path = join(cwd, 'a.html')
    const { exitCode, stdout } = await sessions(['export', 'b0', '-o', path], cwd)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `exported b0000000 as html to ${path}\n` })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toMatch(/^<!doctype html>/)
    const again = await sessions(['export', 'b0', '-o', path], cwd)
    expect(again).toMatchObject({ exitCode: 2, stdout: '' })
    expect(again.stderr).toContain('is there already; --force replaces it')
    expect((await sessions(['export', 'b0', '-o', path, '--force'], cwd)).exitCode).toBe(0)
  })

  it('give the lines of the file as they are', async () => {
    const cwd = project()
    const path = join(cwd, '.locus', 'exec-history', `${FIRST}.jsonl`)
    const { stdout } = await sessions(['export', FIRST, '-f', 'jsonl'], cwd)
    expect(stdout).toBe(readFileSync(path, 'utf8'))
  })

  it('print Markdown for people where nothing else is asked for', async () => {
    const { stdout } = await sessions(['export', SECOND], project())
    expect(stdout).toMatch(/^# the second one\n\n- Session: `a8f3ffff/)
    expect(stdout).toContain('\n\n*(interrupted)*\n')
  })

  it.each([
    [['export', 'b0', '-f', 'pdf'], /--format must be json, jsonl, md or html, not 'pdf'/],
    [['export', 'b0', '-o', '/nonexistent/x.md'], /cannot write the export: ENOENT/],
    [['import', '/nonexistent/x.json'], /cannot read '\/nonexistent\/x.json': ENOENT/],
    [['import', '/'], /cannot read '\/': EISDIR/],
    [['import', '-'], /✗ INVALID_INPUT /],
  ])('say what is wrong: %j', async (args, message) => {
    const { exitCode, stderr } = await sessions(args, project(), { input: 'no session' })
    expect(stderr).toMatch(message)
    expect(exitCode).toBe(2)
  })
})
