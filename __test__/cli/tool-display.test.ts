import { describe, expect, it } from 'vitest'

import { UNICODE } from '../../ts/cli/display/symbols.js'
import { toolOutcome, toolTitle } from '../../ts/cli/renderers/tool-display.js'
import type { ToolResultChunk } from '../../ts/index.js'

const result = (fields: Partial<ToolResultChunk>): ToolResultChunk => ({
  ...{ type: 'tool_result', tool: 'Tool', id: '1', success: true, duration: 5 },
  ...fields,
})

describe('the title of a tool', () => {
  it.each([
    ['Read', { file_path: 'a.ts', limit: 5 }, '📖 Reading file a.ts'],
    ['Write', { file_path: 'a.ts', content: 'x' }, '📝 Writing file a.ts'],
    ['Edit', { file_path: 'a.ts' }, '🔧 Editing file a.ts'],
    ['Bash', { description: 'list', command: 'ls -l' }, '⚡ Running command ls -l'],
    ['Grep', { path: '.', pattern: 'x+' }, '🔍 Searching code x+'],
    ['Glob', { pattern: '*.ts' }, '📁 Finding files *.ts'],
    ['WebFetch', { prompt: 'read', url: 'https://example.com' }, '🌐 Fetching URL https://example.com'],
    ['WebSearch', { query: 'rust' }, '🌐 Searching the web rust'],
    ['Task', { prompt: 'long', description: 'look' }, '🤖 Spawning agent look'],
    ['Agent', { description: 'look' }, '🤖 Spawning agent look'],
    ['command_execution', { command: 'ls -l', cwd: '/project' }, '⚡ Running command ls -l'],
    [
      'file_change',
      { changes: [{ path: 'a.ts', kind: 'add' }, { path: 'b.ts', kind: 'update' }, null] },
      '📝 Changing files a.ts, b.ts',
    ],
    ['web_search', { query: 'rust' }, '🌐 Searching the web rust'],
    ['todo_list', { items: [{ text: 'look' }, { text: 'leap' }, { text: 5 }] }, '📋 Planning look, leap'],
    ['spawn_agent', { prompt: 'look\nwell', model: 'm' }, '🤖 Spawning agent look well'],
    ['MultiEdit', { file_path: 'a.ts', edits: [] }, '🔧 Editing file a.ts'],
    ['TodoWrite', { todos: [{ content: 'look' }, { content: 'leap' }] }, '📋 Planning look, leap'],
    ['bash', { command: 'ls -l' }, '⚡ Running command ls -l'],
    ['write', { filePath: 'a.ts', content: 'x' }, '📝 Writing file a.ts'],
    ['edit', { filePath: 'a.ts', oldString: 'x' }, '🔧 Changing files a.ts'],
    ['run_shell_command', { command: 'ls -l', description: 'list' }, '⚡ Running command ls -l'],
    ['write_file', { content: 'x', file_path: 'a.ts' }, '📝 Writing file a.ts'],
    ['mcp__db__query', { limit: 5, sql: 'select 1' }, '🔧 Using mcp__db__query select 1'],
  ])('%s tells what it does and to what', (tool, parameters, shown) => {
    const { icon, message, detail } = toolTitle(tool, parameters)
    expect(`${UNICODE.icons[icon]}${message} ${detail}`).toBe(shown)
  })

  it('is complete before the parameters are known, and without any', () => {
    expect(toolTitle('Bash')).toEqual({ icon: 'run', message: 'Running command', detail: '' })
    expect(toolTitle('Other', {})).toEqual({ icon: 'other', message: 'Using Other', detail: '' })
  })

  it('is one line, whatever the parameter is', () => {
    expect(toolTitle('Bash', { command: ' git add .\n\tgit commit\r\n' }).detail).toBe('git add . git commit')
    expect(toolTitle('Bash', { command: ['ls'] }).detail).toBe('')
  })

  it('does not take an inherited name for a tool it knows', () => {
    expect(toolTitle('constructor').message).toBe('Using constructor')
    expect(toolTitle('toString').message).toBe('Using toString')
  })
})

describe('the outcome of a tool', () => {
  it.each<[string, Partial<ToolResultChunk>, string[]]>([
    ['text', { data: 'one\n\ntwo\n' }, ['one', 'two']],
    ['the output of a command', { data: { stdout: 'out', stderr: 'err' } }, ['out', 'err']],
    ['no output', { data: { stdout: '', stderr: '' } }, []],
    ['a count of matches', { data: { numMatches: 1, numFiles: 1 } }, ['1 match']],
    ['a count of files', { data: { numFiles: 12 } }, ['12 files']],
    ['one file', { data: { numFiles: 1 } }, ['1 file']],
    ['a count of lines', { data: { numLines: 0 } }, ['0 lines']],
    ['the lines of a file', { data: { file: { numLines: 1 } } }, ['1 line']],
    ['a search that returns lines', { data: { mode: 'content', numFiles: 0, numLines: 7 } }, ['7 lines']],
    ['a page', { data: { code: 200, codeText: 'OK', bytes: 12_345 } }, ['200, 12.3 KB']],
    ['a subagent', { data: { totalToolUseCount: 3, totalTokens: 1200 } }, ['3 tool uses, 1.2k tokens']],
    ['a subagent without tools', { data: { totalToolUseCount: 1 } }, ['1 tool use']],
    ['a failure', { success: false, error: 'no such file', data: 'ignored' }, ['no such file']],
    ['a failure without a word', { success: false }, ['failed']],
    ['nothing', {}, []],
    ['null', { data: null }, []],
    ['a shape that is not known', { data: { file: null, other: [1] } }, []],
    ['blocks', { data: [{ type: 'text', text: 'x' }] }, []],
  ])('is told for %s', (_, fields, lines) => {
    expect(toolOutcome(result(fields), UNICODE)).toEqual(lines)
  })

  it('shows three lines and how many more there are', () => {
    expect(toolOutcome(result({ data: '1\n2\n3' }), UNICODE)).toEqual(['1', '2', '3'])
    expect(toolOutcome(result({ data: '1\n2\n3\n4' }), UNICODE)).toEqual(['1', '2', '3', '… 1 more line'])
    expect(toolOutcome(result({ success: false, error: '1\n2\n3\n4\n5' }), UNICODE)).toEqual([
      '1',
      '2',
      '3',
      '… 2 more lines',
    ])
  })
})
