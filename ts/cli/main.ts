import { randomUUID } from 'node:crypto'

import { Command, CommanderError } from 'commander'
import pkg from '../../package.json'

import { type ErrorCode, execError } from '../errors.js'
import { type ExecFlags, runExec } from './commands/exec.js'
import { EXIT_CODES } from './exit-codes.js'
import { endIfTerminalIsGone } from './hang-up.js'
import { Output } from './output.js'
import type { PermissionDesk } from './permissions/permission-desk.js'
import { JsonStreamRenderer } from './renderers/json-stream.js'
import type { Renderer } from './renderers/renderer.js'

/** The flags of `locus exec`. */
interface Flags extends ExecFlags {
  interactive?: boolean
  saveOnExit?: string
  status?: boolean
  stream: boolean
  simple?: boolean
  jsonStream?: boolean
  legacy?: boolean
  verbose?: boolean
}

function program(run: (words: string[], flags: Flags) => Promise<void>): Command {
  const root = new Command('locus')
    .description('Runs coding agents and shows what they do while they do it.')
    .version(pkg.version)
    // What comes behind the name of a command belongs to that command.
    .enablePositionalOptions()
    .exitOverride()
    // What is wrong is told by `fail`, in the mode that was asked for.
    .configureOutput({ outputError: () => {} })
  const exec = root
    .command('exec')
    .description('run a prompt with an agent')
    .argument('[prompt...]', 'what the agent is to do; - reads it from stdin')
    .option('-i, --interactive', 'talk with the agent; also without a prompt in a terminal')
    .option(
      '-p, --provider <name>',
      'the agent: claude, codex, gemini, opencode, goose, qwen or demo (default: claude)',
    )
    .option('-m, --model <name>', "the model (default: the agent's choice)")
    .option('--executable <path>', "the agent's executable (default: found on PATH)")
    .option('--agent-command <argv>', 'any other agent that speaks ACP, for example "gemini --acp"')
    .option('-d, --dir <path>', 'the working directory of the agent (default: this one)')
    .option('--no-stream', 'show the answer when it is complete')
    .option('--simple', 'only append lines: no colour, no animation')
    .option('--json-stream', 'print the events as JSON, one a line')
    .option('--legacy', 'run the agent once with its plain text output, without the engine')
    .option('-y, --yes', 'allow every tool that is not denied')
    .option('--allow <tool>', 'allow a tool or a rule such as "Bash(git *)"; can be repeated', collect)
    .option('--deny <tool>', 'deny a tool or a rule; can be repeated', collect)
    .option('--permission-mode <mode>', "the agent's own permission mode, for example acceptEdits")
    .option(
      '-s, --session <id>',
      'go on with a stored conversation; the first 8 characters of its id will do',
    )
    .option('-c, --continue', 'go on with the conversation that was changed last')
    .option('--no-save', 'do not keep the conversation on disk')
    .option('--save-on-exit <when>', 'ask, always or never: whether a conversation of -i is kept')
    .option('--no-status', 'no status line under what is typed in -i')
    .option(
      '--retries <count>',
      'how often a turn is tried again that fails of something that may pass (default: 2)',
    )
    .option('--max-wait <duration>', 'for how long a rate limit is waited for until its reset (default: 60s)')
    .option(
      '--on-error <action>',
      'what to do when a turn fails for good: retry, continue, skip, switch:<model> or abort (default: ask in a terminal, else abort)',
    )
    .option('--max-cost-usd <dollars>', 'stop the turn when it has cost more')
    .option('--max-tokens <count>', 'stop the turn when it has used more, the cache included')
    .option('--max-turns <count>', 'stop the turn when it needs more model requests')
    .option('--timeout <duration>', 'stop the turn when it takes longer: 90s, 10m, 2h')
    .option('-v, --verbose', 'show also what was not understood, and stacks of errors')
    .version(pkg.version)
    .addHelpText('after', HELP)
    .action(run)
  addStored(exec, 'sessions', 'list, show, search, export, replay, … the conversations of this project')
  addStored(exec, 'usage', 'what the turns of this project used: tokens and costs')
  addStored(exec, 'clean', 'delete and compress old conversations, remove what killed processes left behind')
  return root
}

/** A command about stored conversations; what it knows is loaded when it is called. */
function addStored(exec: Command, name: 'sessions' | 'clean' | 'usage', description: string): void {
  exec
    .enablePositionalOptions()
    .command(name)
    .description(description)
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[], _flags: object, command: Command) => {
      const { dir } = command.optsWithGlobals<Flags>()
      if (name === 'usage') {
        const { runUsage } = await import('./commands/usage.js')
        process.exitCode = await runUsage(args, dir)
        return
      }
      const { runClean, runSessions } = await import('./commands/sessions.js')
      process.exitCode = await (name === 'sessions' ? runSessions : runClean)(args, dir)
    })
}

const HELP = `
Examples:
  $ locus exec "explain this project"
  $ locus exec --provider demo "hello"          offline, no account needed
  $ git diff | locus exec - > review.md         the answer goes to stdout, all else to stderr
  $ locus exec                                  talks with the agent
  $ locus exec --continue "and now test it"     goes on with the last conversation of this project

The provider and the model can also be set by LOCUS_PROVIDER and LOCUS_MODEL, or in .locus/settings.json.
Exit codes: docs/exit-codes.md.`

function collect(value: string, list: string[] = []): string[] {
  return [...list, value]
}

async function makeRenderer(flags: Flags): Promise<Renderer> {
  const out = new Output(process.stdout)
  if (flags.jsonStream) {
    return new JsonStreamRenderer(out)
  }
  const err = new Output(process.stderr)
  const { TerminalRenderer } = await import('./renderers/terminal.js')
  const { SpinnerIndicator } = await import('./renderers/spinner.js')
  const plain =
    flags.simple || err.isTerminal === false || process.env.NO_COLOR || process.env.TERM === 'dumb'
  return new TerminalRenderer({
    out,
    err,
    stream: flags.stream,
    ...(!plain && !process.env.CI && { indicator: new SpinnerIndicator() }),
    colors: !plain,
    verbose: flags.verbose ?? false,
  })
}

/** Who is asked for permission: the person at the terminal, if there is one. */
async function makeDesk({ jsonStream }: Flags): Promise<PermissionDesk | undefined> {
  if (jsonStream || !process.stdin.isTTY || !process.stderr.isTTY) {
    return undefined
  }
  const { PermissionDesk } = await import('./permissions/permission-desk.js')
  return new PermissionDesk(async (request, signal) => {
    const { askInTerminal } = await import('./permissions/terminal-asker.js')
    return await askInTerminal(request, signal)
  })
}

async function exec(words: string[], flags: Flags): Promise<void> {
  if (flags.legacy) {
    const { runLegacy } = await import('./commands/legacy.js')
    process.exitCode = await runLegacy(words, flags)
    return
  }
  if (isInteractive(words, flags)) {
    const { runRepl } = await import('./repl/run.js')
    process.exitCode = await runRepl(words, flags)
  } else {
    process.exitCode = await runExec(words, flags, await makeRenderer(flags), await makeDesk(flags))
  }
  endIfTerminalIsGone()
}

/** Whether somebody wants to talk: by the flag, or by giving no prompt in a terminal. */
function isInteractive(words: string[], { interactive, jsonStream }: Flags): boolean {
  if (interactive && jsonStream) {
    throw execError('INVALID_INPUT', '--json-stream is for programs; leave out --interactive')
  }
  const talks = words.length === 0 && process.stdin.isTTY && process.stdout.isTTY && !jsonStream
  return interactive ?? talks
}

function onOutputError(error: NodeJS.ErrnoException): void {
  // The terminal has gone; the signal says so too, and what it asks for is under way.
  if (error.code === 'EIO') {
    return
  }
  // `locus exec … | head`: when the reader has gone there is nobody to write for.
  process.exit(error.code === 'EPIPE' ? 0 : EXIT_CODES.INTERNAL)
}

/** Runs the command line; sets the exit code. */
export async function main(args: string[]): Promise<void> {
  process.stdout.on('error', onOutputError)
  process.stderr.on('error', onOutputError)
  try {
    await program(exec).parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return
    }
    // Without a command the help is shown, on stderr.
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.exitCode = EXIT_CODES.INVALID_INPUT
      return
    }
    fail(error, args.includes('--json-stream'))
  }
}

/** Tells what was wrong with the command line itself, in the mode that was asked for. */
function fail(thrown: unknown, jsonStream: boolean): void {
  const usage = thrown instanceof CommanderError
  const code = usage ? 'INVALID_INPUT' : codeOf(thrown)
  const text = thrown instanceof Error ? thrown.message.replace(/^error: /, '') : String(thrown)
  const message = usage ? `${text}; see locus exec --help` : text
  process.exitCode = EXIT_CODES[code]
  if (!jsonStream) {
    process.stderr.write(`✗ ${code} ${message}\n`)
    return
  }
  const renderer = new JsonStreamRenderer(new Output(process.stdout))
  renderer.start({
    sessionId: randomUUID(),
    saved: false,
    cwd: process.cwd(),
    provider: '',
    model: undefined,
  })
  renderer.end({ exitCode: EXIT_CODES[code], durationMs: 0, error: execError(code, message) })
}

function codeOf(thrown: unknown): ErrorCode {
  const code = (thrown as { code?: string }).code ?? ''
  return Object.hasOwn(EXIT_CODES, code) ? (code as ErrorCode) : 'INTERNAL'
}
