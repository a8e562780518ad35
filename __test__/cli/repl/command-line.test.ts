import { describe, expect, it } from 'vitest'

import { parseLine } from '../../../ts/cli/repl/command-line.js'
import { COMMANDS } from '../../../ts/cli/repl/command-table.js'
import { InputHistory } from '../../../ts/cli/repl/input-history.js'

describe('a line', () => {
  it.each([
    ['help', 'help', ''],
    ['/help', 'help', ''],
    ['?', 'help', ''],
    ['EXIT', 'exit', ''],
    [' q ', 'exit', ''],
    ['history 5', 'history', '5'],
    ['/model some-name', 'model', 'some-name'],
    ['model claude-opus-4', 'model', 'claude-opus-4'],
    ['model opus', 'model', 'opus'],
    ['provider demo', 'provider', 'demo'],
    ['resume a8f3d9e2', 'resume', 'a8f3d9e2'],
    ['export md notes.md', 'export', 'md notes.md'],
    ['/compact keep the names', 'compact', 'keep the names'],
    ['verbose on', 'verbose', 'on'],
  ])('%j is a command', (line, name, args) => {
    expect(parseLine(line)).toEqual({ kind: 'command', name, args })
  })

  it.each([
    'help me with this',
    'clear the cache of the browser',
    'resume work',
    'resume deadbeefs',
    'model trains',
    'history of rome',
    'diff a.txt b.txt',
    'undo the last commit',
    'export the table',
    'compact the code',
    'exit\nquit',
    'status?',
    ' /help',
    '/usr/bin/env is a path',
  ])('%j is a prompt', (line) => {
    expect(parseLine(line)).toEqual({ kind: 'prompt', text: line.trim() })
  })

  it('with an unknown command is told what may be meant', () => {
    expect(parseLine('/hepl')).toEqual({ kind: 'unknown', word: '/hepl', nearest: '/help' })
    expect(parseLine('/frobnicate it')).toMatchObject({ kind: 'unknown', nearest: undefined })
    expect(parseLine('/provider GPT')).toEqual({
      kind: 'misused',
      name: 'provider',
      usage: '/provider [name]',
    })
  })

  it('that is blank is nothing', () => {
    expect(parseLine(' \n ')).toEqual({ kind: 'empty' })
  })

  it('every command is one with a slash and alone', () => {
    for (const { name, aliases } of COMMANDS) {
      for (const word of [name, ...aliases]) {
        expect(parseLine(`/${word}`)).toEqual({ kind: 'command', name, args: '' })
        expect(parseLine(word)).toEqual({ kind: 'command', name, args: '' })
      }
    }
  })
})

describe('the history of what was typed', () => {
  it('is walked back and forth; the draft is kept', () => {
    const history = new InputHistory(['a', 'b'])
    expect(history.add('b')).toBe(false)
    expect(history.add('c')).toBe(true)
    expect([history.older('draft'), history.older(''), history.older(''), history.older('')]).toEqual([
      'c',
      'b',
      'a',
      undefined,
    ])
    expect([history.newer(), history.newer(), history.newer(), history.newer()]).toEqual([
      'b',
      'c',
      'draft',
      undefined,
    ])
  })
})
