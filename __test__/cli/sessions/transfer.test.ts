import { readFileSync, statSync, writeFileSync } from 'node:fs'
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

describe('a conversation in the format of the plan', () => {
  it('is listed, shown and replayed, and its file is left as it is', async () => {
    const cwd = project()
    const path = join(cwd, '.locus', 'exec-history', 'V1StGXR8_Z5jdHi6B-myT.json')
    const message = { timestamp: Date.now() - 5000 }
    const session = {
      ...{ id: 'V1StGXR8_Z5jdHi6B-myT', projectPath: cwd, createdAt: message.timestamp },
      messages: [
        { role: 'user', content: 'plan a sprint', ...message },
        {
          ...{ role: 'assistant', content: 'Week 1 …', ...message },
          metadata: { toolsUsed: ['Read'], duration: 1200 },
        },
      ],
      ...{ updatedAt: message.timestamp, metadata: { model: 'sonnet', provider: 'claude' } },
    }
    writeFileSync(path, JSON.stringify(session, null, 2))
    const list = await json(['list', '--limit', '1'], cwd)
    expect(list.sessions[0]).toMatchObject({ format: 'plan-json', preview: 'plan a sprint', turns: 1 })
    const { stdout } = await sessions(['show', 'V1StG'], cwd)
    expect(stdout).toContain('plan a sprint\n')
    expect(stdout).toMatch(/claude .* · 1\.2s\n.*Read.*\nWeek 1 …\n/)
    const replay = await sessions(['replay', 'V1StG', '--speed', 'max'], cwd)
    expect(replay).toMatchObject({ exitCode: 0, stdout: 'Week 1 …\n' })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(session)
    const cleared = await sessions(['clear', '--yes'], cwd)
    expect(cleared.stdout).toBe('deleted 4 sessions\n')
  })
})
