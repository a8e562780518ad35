import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { temporaryFolder } from '../../support/folder.js'
import { project, SECOND } from '../../support/project.js'
import { CTRL_D, send, stable, startRepl, TAB } from '../../support/repl.js'
import type { StartedTerminal } from '../../support/terminal.js'

async function leave(terminal: StartedTerminal): Promise<string> {
  terminal.type(CTRL_D)
  const { exitCode, screen } = await terminal.finished
  expect(exitCode).toBe(0)
  return screen
}

/** Sends a prompt and waits for the end of its turn. */
async function turn(terminal: StartedTerminal, prompt: string): Promise<void> {
  send(terminal, prompt)
  await terminal.shown(`❯ ${prompt}\n`)
  await terminal.shown('out\n\n❯\n')
}

describe('commands', () => {
  it('help lists every command and the keys', async () => {
    const terminal = await startRepl('answers-with-the-prompt', { rows: 50 })
    send(terminal, 'help')
    await terminal.shown('undo what was typed')
    expect(stable(await leave(terminal))).toMatchInlineSnapshot(`
      "Locus Exec Interactive Mode
      Type your prompt, /help, or exit to leave

      ❯ help
      Commands
        /help, ?                      show the commands and the keys
        /exit, quit, q                leave, when all before it is done
        /clear, cls                   empty the screen; the conversation goes on
        /reset, new                   begin a new conversation
        /history [count]              show what was said in this conversation
        /sessions                     list the conversations of this project
        /resume [id]                  go on with another conversation (default: the
                                      one before)
        /session                      show the id of this conversation
        /model [name]                 show or change the model
        /provider [name]              show or change the agent
        /status                       show who answers, what is allowed, what was
                                      used
        /forbid [number|all]          take back what you always allowed in this
                                      conversation
        /cost                         show tokens and cost
        /save                         make sure that the conversation is on disk
        /export [md|json|jsonl|html] [file]
                                      write the conversation to a file
        /diff                         show what has changed in the files since the
                                      last prompt
        /undo                         take back what the last turn did to the files
                                      (needs Git)
        /retry                        send the last prompt again
        /compact [instructions]       have the agent shorten its memory of the
                                      conversation
        /verbose [on|off]             show more of what the agent does
      Keys
        Enter                         send; at the end of a line with \\, Alt+Enter or
                                      Ctrl+J: a new line
        Tab                           complete a command, or a path behind @
        Up, Down                      what was typed before; with nothing typed, the
                                      last of what is queued
        Ctrl+C                        interrupt the turn; twice with nothing typed:
                                      leave
        Ctrl+D                        leave
        Ctrl+L                        empty the screen
        Ctrl+O                        show what the model thinks, or hide it
        Ctrl+Z                        back to the shell until \`fg\`
        Ctrl+_                        undo what was typed
      The / can be left out where the whole line is a command.
      Goodbye!"
    `)
  })

  it('a prompt that begins with the word of a command is a prompt', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    await turn(terminal, 'help me with this')
    expect(await leave(terminal)).toContain('\nhelp me with this\nhelp me with this\n'.slice(1))
  })

  it('one that is unknown is not sent', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    send(terminal, '/hlep')
    await terminal.shown('there is no command /hlep; do you mean /help?')
    send(terminal, '/model a b')
    await terminal.shown('usage: /model [name]')
    await leave(terminal)
  })

  it('history, session, status, cost and verbose tell what is', async () => {
    const terminal = await startRepl('says-everything', { rows: 60, flags: ['--yes', '--deny', 'Write'] })
    send(terminal, '/cost')
    await terminal.shown('0 turns; 0 tokens in, 0 out, 0 cached; cost $0.00')
    send(terminal, 'look')
    await terminal.shown('$0.25')
    send(terminal, '/status')
    await terminal.shown('Allowed:  everything (--yes)\nDenied:   Write')
    send(terminal, '/cost')
    await terminal.shown('1 turn; 10 tokens in, 20 out, 6 cached; cost $0.25')
    send(terminal, 'session')
    await terminal.shown('session ')
    send(terminal, '/history')
    await terminal.shown('I will look. That is all.')
    send(terminal, '/verbose on')
    await terminal.shown('more is shown')
    await leave(terminal)
  })

  it('model and provider change who answers from the next prompt on', async () => {
    const terminal = await startRepl('answers-with-how-it-was-started')
    await turn(terminal, 'one')
    send(terminal, '/model other-model')
    await terminal.shown('from the next prompt on: other-model')
    send(terminal, 'two')
    await terminal.shown('--model=other-model')
    send(terminal, '/model')
    await terminal.shown('model: ')
    send(terminal, '/provider demo')
    await terminal.shown('from the next prompt on: demo')
    await terminal.shown('❯\ndemo')
    await leave(terminal)
  })

  it('reset begins a new conversation, and resume goes back', async () => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-the-prompt', { cwd })
    await turn(terminal, 'the first')
    const first = /claude fake-1 · (\w{8})/.exec(terminal.screen())?.[1]
    send(terminal, 'reset')
    await terminal.shown('a new conversation begins')
    await turn(terminal, 'the second')
    expect(/claude fake-1 · (\w{8})/.exec(terminal.screen())?.[1]).not.toBe(first)
    send(terminal, '/sessions')
    await terminal.shown(`${first}`)
    send(terminal, '/resume')
    await terminal.shown(`going on with session ${first}, 2 messages`)
    send(terminal, '/retry')
    await terminal.shown('/retry\nthe first\n')
    await leave(terminal)
  })

  it('resume takes the beginning of an id', async () => {
    const cwd = project()
    const terminal = await startRepl('answers-with-the-prompt', { cwd, rows: 50 })
    send(terminal, `/resume ${SECOND.slice(0, 6)}`)
    await terminal.shown('going on with session a8f3ffff')
    send(terminal, '/resume zzzz')
    await terminal.shown("✗ SESSION_NOT_FOUND there is no session 'zzzz'")
    await leave(terminal)
  })

  it('export writes a file for its owner alone', async () => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-the-prompt', { cwd })
    await turn(terminal, 'a prompt')
    send(terminal, '/export md notes.md')
    await terminal.shown('exported ')
    await leave(terminal)
    const path = join(cwd, 'notes.md')
    expect(readFileSync(path, 'utf8')).toContain('a prompt')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('compact is for agents that can', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    send(terminal, '/compact')
    await terminal.shown('✗ INVALID_INPUT nothing was said yet')
    await turn(terminal, 'hello')
    send(terminal, '/compact keep names')
    await terminal.shown('\n/compact keep names\n/compact keep names\n'.slice(1))
    await leave(terminal)
  })

  it('clear empties the screen', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    await turn(terminal, 'to be gone')
    send(terminal, '/clear')
    await expect.poll(() => terminal.screen()).not.toContain('to be gone')
    await leave(terminal)
  })
})

describe('completion', () => {
  it('completes commands, arguments and paths', async () => {
    const cwd = temporaryFolder()
    mkdirSync(join(cwd, 'source'))
    writeFileSync(join(cwd, 'source', 'main.rs'), '')
    writeFileSync(join(cwd, 'sorted.txt'), '')
    const terminal = await startRepl('answers-with-the-prompt', { cwd })
    terminal.type(`/prov${TAB}d${TAB}`)
    await terminal.shown('❯ /provider demo')
    terminal.type('\u0015')
    terminal.type(`read @so${TAB}`)
    await terminal.shown('sorted.txt  source/')
    terminal.type(`u${TAB}m${TAB}`)
    await terminal.shown('❯ read @source/main.rs')
    terminal.type('\u0015')
    await leave(terminal)
  })
})

describe('undo and diff', () => {
  function repository(): string {
    const cwd = temporaryFolder()
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd })
    git('init', '--quiet')
    writeFileSync(join(cwd, 'kept.txt'), 'as it was\n')
    writeFileSync(join(cwd, 'gone.txt'), 'to be deleted\n')
    git('add', '.')
    git('commit', '--quiet', '-m', 'first')
    return cwd
  }

  it('take back what the last turn did to the files, and nothing else', async () => {
    const cwd = repository()
    writeFileSync(join(cwd, 'mine.txt'), 'not committed\n')
    const status = () => execFileSync('git', ['status', '--porcelain'], { cwd, encoding: 'utf8' })
    const before = status()
    const terminal = await startRepl('runs-its-prompt', { cwd, flags: ['--no-save'] })
    await turn(terminal, 'echo more >> kept.txt; rm gone.txt; mkdir -p a/b; echo new > a/b/new.txt')
    expect(status()).not.toBe(before)
    send(terminal, '/diff')
    await terminal.shown('+more')
    send(terminal, '/undo')
    await terminal.shown('undone in a/b/new.txt, gone.txt, kept.txt; the agent is not told')
    expect(status()).toBe(before)
    expect(readFileSync(join(cwd, 'kept.txt'), 'utf8')).toBe('as it was\n')
    expect(readFileSync(join(cwd, 'mine.txt'), 'utf8')).toBe('not committed\n')
    expect(existsSync(join(cwd, 'a'))).toBe(false)
    send(terminal, '/undo')
    await terminal.shown('there was no turn yet that could be undone')
    await leave(terminal)
  })

  it('undo touches nothing that was changed since', async () => {
    const cwd = repository()
    const terminal = await startRepl('runs-its-prompt', { cwd, flags: ['--no-save'] })
    await turn(terminal, 'echo agent > kept.txt')
    writeFileSync(join(cwd, 'kept.txt'), 'mine now\n')
    send(terminal, '/undo')
    await terminal.shown('nothing was undone: changed since the turn: kept.txt')
    expect(readFileSync(join(cwd, 'kept.txt'), 'utf8')).toBe('mine now\n')
    await leave(terminal)
  })

  it('say why they cannot where there is no repository', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    await turn(terminal, 'hello')
    send(terminal, '/undo')
    await terminal.shown('the files cannot be compared: fatal: not a git repository')
    await leave(terminal)
  })
})
