import { PassThrough } from 'node:stream'

import { describe, expect, it } from 'vitest'

import { Output } from '../../ts/cli/output.js'
import { type TerminalOptions, TerminalRenderer } from '../../ts/cli/renderers/terminal.js'
import { execError, type StreamChunk } from '../../ts/index.js'

const START = { sessionId: 'session-1', saved: true, cwd: '/project', provider: 'claude', model: undefined }
const USAGE = { input: 1234, output: 56, cacheRead: 1000, cacheWrite: 500, costUsd: 0.0123 }
const SUMMARY = { runId: 'run-1', success: true, durationMs: 1200, toolsUsed: ['Read', 'Bash'], usage: USAGE }
const RESULT: StreamChunk = {
  ...{ type: 'result', content: 'The answer.', success: true, stopReason: 'end_turn' },
  ...{ usage: USAGE, durationMs: 1200, turns: 1 },
}

const text = (content: string, parentToolUseId?: string): StreamChunk =>
  parentToolUseId ? { type: 'text_delta', content, parentToolUseId } : { type: 'text_delta', content }

/** What both streams show of a run, together in `screen` in the order in which it was written. */
function shown(
  happen: (renderer: TerminalRenderer) => void,
  options: Partial<TerminalOptions> = {},
  end = {},
) {
  const written = { stdout: '', stderr: '', screen: '' }
  const record = (name: 'stdout' | 'stderr') =>
    new Output(
      new PassThrough().on('data', (data) => {
        written[name] += data
        written.screen += data
      }),
    )
  const [out, err] = [record('stdout'), record('stderr')]
  const renderer = new TerminalRenderer({
    ...{ out, err, stream: true, colors: false, verbose: false },
    ...options,
  })
  renderer.start(START)
  happen(renderer)
  renderer.end({ exitCode: 0, durationMs: 65_000, error: undefined, ...end })
  return written
}

const shownChunks = (chunks: StreamChunk[], options: Partial<TerminalOptions> = {}) =>
  shown((renderer) => {
    for (const chunk of chunks) {
      renderer.chunk(chunk)
    }
  }, options)

const ESCAPE = '\u001b'

describe('the answer at a terminal', () => {
  it('goes to stdout as it comes, and ends with a new line', () => {
    expect(shownChunks([text('one '), text('two'), RESULT])).toMatchObject({
      stdout: 'one two\n',
      stderr: '',
    })
    expect(shownChunks([text('one\n')]).stdout).toBe('one\n')
  })

  it('goes to stdout at its end where it is not to be streamed', () => {
    const { stdout } = shownChunks([text('one '), text('two'), RESULT], { stream: false })
    expect(stdout).toBe('The answer.\n')
  })

  it('begins with its first visible character and has all others', () => {
    expect(shownChunks([text('\n'), text(' \n one'), text('\n\n  two')]).stdout).toBe('one\n\n  two\n')
  })

  it('is the answer of the main agent alone', () => {
    expect(shownChunks([text('of a subagent', 'task'), text('mine')]).stdout).toBe('mine\n')
  })

  it('is shown also where it comes only with the result', () => {
    expect(shownChunks([RESULT]).stdout).toBe('The answer.\n')
  })

  it('is shown once where it comes in both ways', () => {
    expect(shownChunks([text('The answer.'), RESULT]).stdout).toBe('The answer.\n')
  })
})

describe('what is about the answer', () => {
  it('goes to stderr: tools with their title, time and outcome', () => {
    const { stdout, stderr } = shownChunks([
      { type: 'tool_use', tool: 'Read', id: '1' },
      { type: 'tool_parameters', tool: 'Read', id: '1', parameters: { file_path: 'a.ts' } },
      {
        type: 'tool_result',
        tool: 'Read',
        id: '1',
        success: true,
        duration: 85,
        data: { file: { numLines: 3 } },
      },
      {
        type: 'tool_parameters',
        tool: 'Bash',
        id: '2',
        parameters: { command: 'ls' },
        parentToolUseId: 'task',
      },
      {
        type: 'tool_result',
        tool: 'Bash',
        id: '2',
        success: false,
        duration: 3200,
        error: 'denied',
        parentToolUseId: 'task',
      },
      { type: 'tool_result', tool: 'Other', id: '3', success: true, duration: 0 },
    ])
    expect(stdout).toBe('')
    expect(stderr).toBe(
      [
        ...['✓ 📖 Reading file a.ts (85ms)', '  │ 3 lines'],
        ...['  ✗ ⚡ Running command ls (3.2s)', '    │ denied'],
        ...['✓ 🔧 Using Other (0ms)', ''],
      ].join('\n'),
    )
  })

  it('begins on a line of its own in the middle of the answer', () => {
    const tool: StreamChunk = { type: 'tool_result', tool: 'Other', id: '1', success: true, duration: 0 }
    const { screen } = shownChunks([
      text('I will look'),
      tool,
      text('And again.\n'),
      tool,
      text('Done.'),
      tool,
    ])
    const line = '✓ 🔧 Using Other (0ms)\n'
    expect(screen).toBe(`I will look\n${line}\nAnd again.\n${line}\nDone.\n${line}`)
  })

  it('tells a retry with its reason, wait and number', () => {
    const retry = (detail: object): StreamChunk => ({
      type: 'status',
      status: 'retrying',
      detail: { ...detail },
    })
    const { stderr } = shownChunks([
      retry({ attempt: 1, maxRetries: 10, delayMs: 500, errorStatus: 529, error: 'overloaded' }),
      retry({ attempt: 2, maxRetries: 10, error: 'server_error' }),
    ])
    expect(stderr).toBe(
      "↻ the model's API answered 529; retrying in 500ms (1/10)\n" +
        "↻ the model's API failed (server_error); retrying (2/10)\n",
    )
  })

  it('tells that a broken stream begins again, where something of it was shown', () => {
    const abandoned = (detail?: object): StreamChunk => ({
      ...{ type: 'status', status: 'abandoned', detail: { ...detail } },
    })
    const fromTheStart = abandoned({ from_block_index: 0 })
    expect(shownChunks([text('half'), fromTheStart, text('whole')]).screen).toBe(
      'half\n↻ the stream broke; the answer begins again\n\nwhole\n',
    )
    expect(shownChunks([fromTheStart, text('whole')]).screen).toBe('whole\n')
    // What was interrupted keeps the blocks before the one that was under way.
    expect(shownChunks([text('half'), abandoned({ from_block_index: 1 })]).screen).toBe('half\n')
    expect(shownChunks([text('half'), abandoned()]).screen).toBe('half\n')
  })

  it('tells what was not understood, and other statuses, only where that is wanted', () => {
    const chunks: StreamChunk[] = [
      { type: 'unparsed', line: '<html>', reason: 'expected value' },
      { type: 'status', status: 'tidying' },
    ]
    expect(shownChunks(chunks).stderr).toBe('')
    const verbose = shown(
      (renderer) => {
        for (const chunk of chunks) {
          renderer.chunk(chunk)
        }
        renderer.turnCompleted(SUMMARY)
      },
      { verbose: true },
    )
    expect(verbose.stderr).toContain('not understood (expected value): <html>\nstatus: tidying\n')
    expect(verbose.stderr).toContain('Not understood:1 lines')
  })

  it('tells a denial with the remedy, where nobody was there to be asked', () => {
    const denied = { id: '1', tool: 'Bash', behavior: 'deny' } as const
    const { stderr } = shown((renderer) => {
      renderer.permissionResolved({ ...denied, decidedBy: 'default' })
      renderer.permissionResolved({ ...denied, decidedBy: 'policy' })
      renderer.permissionResolved({ ...denied, behavior: 'allow', decidedBy: 'policy' })
    })
    expect(stderr).toBe(
      '⚠ Bash was denied: nobody could be asked. Allow it with --allow Bash, or everything with --yes\n',
    )
  })

  it('has a summary at the end, with the model that the agent named', () => {
    const { stderr } = shown((renderer) => {
      renderer.chunk({ type: 'status', status: 'initialized', detail: { model: 'opus' } })
      renderer.turnCompleted(SUMMARY)
    })
    const rule = '─'.repeat(50)
    expect(stderr).toBe(
      [
        ...['', rule, 'Execution Summary', '  Duration:   1m 05s', '  Tools used: Read, Bash'],
        ...[
          '  Tokens:     1.2k in, 56 out, 1.5k cached',
          '  Cost:       $0.0123',
          '  Model:      opus',
          '  Session:    session-; go on with locus exec -s session- "…"',
          rule,
          '',
        ],
      ].join('\n'),
    )
  })

  it('has a summary also of a turn without tools, of unknown cost', () => {
    const { costUsd: _, ...usage } = USAGE
    const { stderr } = shown((renderer) => renderer.turnCompleted({ ...SUMMARY, toolsUsed: [], usage }))
    expect(stderr).toContain('Tools used: none')
    expect(stderr).toContain('Cost:       unknown')
    expect(stderr).not.toContain('Model:')
  })

  it('ends with the error: its code, its message, the last ten lines of the agent, and the remedy', () => {
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`)
    const error = execError('PROCESS_CRASHED', 'it failed', { stderrTail: lines.join('\n') })
    const { screen } = shown((renderer) => renderer.chunk(text('half')), {}, { error })
    const tail = lines.slice(2).map((line) => `  │ ${line}\n`)
    expect(screen).toBe(`half\n✗ PROCESS_CRASHED it failed\n${tail.join('')}  → ${error.remedy}\n`)
  })
})

describe('colour', () => {
  const happen = (renderer: TerminalRenderer) => {
    renderer.chunk(text('plain'))
    renderer.chunk({ type: 'tool_result', tool: 'Other', id: '1', success: true, duration: 0, data: 'text' })
    renderer.permissionResolved({ id: '1', tool: 'Bash', behavior: 'deny', decidedBy: 'default' })
    renderer.turnCompleted(SUMMARY)
  }
  const error = execError('AUTH', 'it failed', { stderrTail: 'tail' })

  it('is on stderr alone where it is wanted', () => {
    const { stdout, stderr } = shown(happen, { colors: true }, { error })
    expect(stdout).not.toContain(ESCAPE)
    expect(stderr).toContain(`${ESCAPE}[32m✓${ESCAPE}[39m`)
    expect(stderr).toContain(`${ESCAPE}[31m✗ ${ESCAPE}[1mAUTH`)
  })

  it('is nowhere where it is not', () => {
    expect(shown(happen, {}, { error }).screen).not.toContain(ESCAPE)
  })
})

it('the terminal says when one of its streams cannot keep up', () => {
  for (const slow of ['out', 'err'] as const) {
    const stream = new PassThrough({ highWaterMark: 1 })
    const output = new Output(stream)
    const other = new Output(new PassThrough())
    const outputs = slow === 'out' ? { out: output, err: other } : { out: other, err: output }
    const renderer = new TerminalRenderer({
      ...outputs,
      stream: true,
      colors: false,
      verbose: false,
    })
    expect(renderer.ready()).toBe(undefined)
    output.write('more than one character')
    output.flush()
    expect(renderer.ready()).toBeInstanceOf(Promise)
  }
})
