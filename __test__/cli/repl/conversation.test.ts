import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { EXIT_CODES } from '../../../ts/cli/exit-codes.js'
import { runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { CTRL_C, CTRL_D, DOWN, ENTER, send, stable, startRepl, UP } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const sessionsIn = (folder: string) =>
  readdirSync(join(folder, '.locus', 'exec-history')).filter((name) => name.endsWith('.jsonl'))

describe('a conversation', () => {
  it('keeps each of its turns to the limits of the flags', async () => {
    const args = ['exec', '-i', '--max-tokens', '5']
    const { exitCode, stderr } = await runCli(args, { agent: 'answers-with-the-prompt', input: 'one\ntwo\n' })
    expect(stderr.match(/BUDGET_EXCEEDED the turn used 8 of 5 tokens/g)).toHaveLength(2)
    expect(exitCode).toBe(EXIT_CODES.BUDGET_EXCEEDED)
  })

  it('of three turns has one agent, is shown line by line, and is saved', async () => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-its-pid', { cwd })
    const answers: string[] = []
    for (const prompt of ['one', 'two', 'three']) {
      send(terminal, prompt)
      await terminal.shown(`❯ ${prompt}\n`)
      await terminal.shown(`❯\n`)
      await terminal.shown('out\n\n❯\n')
      answers.push(/❯ \w+\n(\d+)\n(?!.*❯ \w)/s.exec(terminal.screen())?.[1] ?? '')
    }
    expect(new Set(answers).size).toBe(1)
    send(terminal, 'exit')
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(stable(screen).replaceAll(answers[0] ?? '', 'PID')).toMatchInlineSnapshot(`
      "Locus Exec Interactive Mode
      Type your prompt, /help, or exit to leave

      ❯ one
      PID
      …ms · 3 in, 5 out

      ❯ two
      PID
      …ms · 3 in, 5 out

      ❯ three
      PID
      …ms · 3 in, 5 out

      ❯ exit
      Conversation saved; go on with it: locus exec -i -s 12345678"
    `)
    expect(sessionsIn(cwd)).toHaveLength(1)
  })

  it('begins by itself in a terminal where no prompt is given', async () => {
    const terminal = startInTerminal(['exec'], 'answers-with-the-prompt')
    await terminal.shown('❯')
    terminal.type(CTRL_D)
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(screen).toMatch(/Goodbye!$/)
  })

  it('takes the first prompt from the command line', async () => {
    const terminal = await startRepl('answers-with-the-prompt', { flags: ['first words'] })
    await terminal.shown('first words\nfirst words\n')
    send(terminal, 'q')
    expect((await terminal.finished).exitCode).toBe(0)
  })

  it('goes on with a stored one', async () => {
    const cwd = temporaryFolder()
    const first = await startRepl('answers-with-the-prompt', { cwd })
    send(first, 'remember this')
    await first.shown('out\n')
    send(first, '/exit')
    const id = /-s (\w{8})/.exec((await first.finished).screen)?.[1] ?? ''
    const second = await startRepl('answers-with-the-prompt', { cwd, flags: ['--session', id] })
    await second.shown(`Resumed session ${id}, 2 messages`)
    send(second, 'quit')
    await second.finished
    expect(sessionsIn(cwd)).toEqual([expect.stringContaining(id)])
  })

  it.each(['exit', 'quit', 'q', '/exit', CTRL_D])('ends by %j', async (words) => {
    const terminal = await startRepl('answers-with-the-prompt')
    terminal.type(words === CTRL_D ? words : `${words}${ENTER}`)
    expect((await terminal.finished).exitCode).toBe(0)
  })

  it('an empty line is nothing, and a failed turn is told and does not end it', async () => {
    const terminal = await startRepl('fails-as-told')
    terminal.type(`${ENTER}  ${ENTER}`)
    send(terminal, '{"api_error_status":529}')
    await terminal.shown('✗ OVERLOADED')
    send(terminal, 'exit')
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(screen).not.toContain('❯   ')
  })
})

describe('what is typed', () => {
  it('may have several lines: a backslash, Alt+Enter, a paste', async () => {
    const notes = join(temporaryFolder(), 'notes')
    const terminal = await startRepl('notes-its-prompts', { env: { FAKE_NOTES: notes } })
    terminal.type(`a\\${ENTER}b\u001b${ENTER}c\u001b[200~d\re\u001b[201~${ENTER}`)
    await terminal.shown('out\n')
    expect(readFileSync(notes, 'utf8')).toBe('a\nb\ncd\ne\n')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('a paste is no command to the terminal and no Enter', async () => {
    const notes = join(temporaryFolder(), 'notes')
    const terminal = await startRepl('notes-its-prompts', { env: { FAKE_NOTES: notes } })
    terminal.type('\u001b[200~rm -rf\r\u001b]0;evil\u0007\u001b[31mred\u0003\u001b[201~')
    await terminal.shown('red')
    expect(existsSync(notes)).toBe(false)
    terminal.type(ENTER)
    await terminal.shown('out\n')
    expect(readFileSync(notes, 'utf8')).toBe('rm -rf\nred\n')
    terminal.type(CTRL_D)
    const { bytes } = await terminal.finished
    expect(bytes).not.toContain('evil')
  })

  it('is found again by Up, also by the next program, and is for its owner alone', async () => {
    const cwd = temporaryFolder()
    const first = await startRepl('answers-with-the-prompt', { cwd })
    send(first, 'the first')
    await first.shown('out\n')
    first.type(CTRL_D)
    await first.finished
    const path = join(cwd, '.locus', 'exec-prompts', 'prompts.jsonl')
    expect(readFileSync(path, 'utf8')).toBe('"the first"\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const second = await startRepl('answers-with-the-prompt', { cwd })
    second.type(`draft${UP}`)
    await second.shown('❯ the first')
    second.type(DOWN)
    await second.shown('❯ draft')
    second.type(CTRL_C)
    await second.shown('❯\n')
    second.type(`${UP} again${ENTER}`)
    await second.shown('\nthe first again\n')
    second.type(CTRL_D)
    await second.finished
  })

  it('that cannot be remembered is told once, and sent all the same', async () => {
    const cwd = temporaryFolder()
    const folder = join(cwd, '.locus', 'exec-prompts')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, 'prompts.jsonl'), '')
    chmodSync(join(folder, 'prompts.jsonl'), 0o644)
    const terminal = await startRepl('answers-with-the-prompt', { cwd })
    send(terminal, 'one')
    await terminal.shown('⚠ what is typed cannot be remembered: others may read')
    await terminal.shown('out\n\n❯\n')
    send(terminal, 'two')
    await terminal.shown('❯ two\ntwo\n')
    terminal.type(CTRL_D)
    expect((await terminal.finished).screen.match(/cannot be remembered/g)).toHaveLength(1)
  })

  it('nothing is remembered with --no-save', async () => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-the-prompt', { cwd, flags: ['--no-save'] })
    send(terminal, 'a secret')
    await terminal.shown('out\n')
    terminal.type(CTRL_D)
    expect((await terminal.finished).screen).toMatch(/Goodbye!$/)
    expect(existsSync(join(cwd, '.locus'))).toBe(false)
  })
})

describe('while the agent works', () => {
  it('what is typed is queued, shown, taken back to be edited, and sent when the turn ends', async () => {
    const notes = join(temporaryFolder(), 'notes')
    const terminal = await startRepl('answers-when-the-file-is-there', {
      env: { FAKE_NOTES: notes, FAKE_FILE: join(notes, '..', 'go') },
    })
    send(terminal, 'first')
    await terminal.shown('working')
    send(terminal, 'second')
    await terminal.shown('then: second')
    send(terminal, 'third')
    await terminal.shown('then: third')
    terminal.type(UP)
    await terminal.shown('❯ third')
    expect(terminal.screen()).not.toContain('then: third')
    terminal.type(` one${ENTER}`)
    await terminal.shown('then: third one')
    writeFileSync(join(notes, '..', 'go'), '')
    await terminal.shown('answer to third one')
    expect(readFileSync(notes, 'utf8')).toBe('first\nsecond\nthird one\n')
    await terminal.shown('❯\n')
    terminal.type(CTRL_D)
    await terminal.finished
  })
})

describe('prompts from a pipe', () => {
  const inPipe = (input: string, agent: string) => runCli(['exec', '-i'], { agent, input })

  it('are answered one after the other by one agent, to the end of them', async () => {
    const { exitCode, stdout } = await inPipe('one\ntwo\nexit\nthree\n', 'answers-with-the-prompt')
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one\ntwo\n' })
  })

  it('end with the exit code of what failed last', async () => {
    const { exitCode, stderr } = await inPipe('{"api_error_status":529}\n', 'fails-as-told')
    expect(stderr).toContain('OVERLOADED')
    expect(exitCode).toBe(24)
  })
})

describe('where nothing can be drawn over', () => {
  it.each([
    ['--simple', ['--simple'], {}],
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ])('%s only appends', async (_, flags, env) => {
    const terminal = startInTerminal(['exec', '-i', ...flags], 'answers-with-the-prompt', env)
    await terminal.written('> ')
    terminal.type(`hello there${ENTER}`)
    await terminal.shown('> hello there\nhello there\n')
    await terminal.written('out\r\n> ')
    terminal.type(`exit${ENTER}`)
    const { exitCode, bytes } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(bytes).not.toContain('\u001b')
  })
})
