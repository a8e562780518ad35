import { randomUUID } from 'node:crypto'
import { fstatSync } from 'node:fs'

import { Command, CommanderError } from 'commander'
import pkg from '../../package.json'

import { type ErrorCode, execError } from '../errors.js'
import { type ExecFlags, runExec } from './commands/exec.js'
import { symbols } from './display/symbols.js'
import { EXIT_CODES } from './exit-codes.js'
import { endIfTerminalIsGone } from './hang-up.js'
import { Output } from './output.js'
import type { Asker } from './permissions/permission-desk.js'
import { JsonStreamRenderer } from './renderers/json-stream.js'
import type { Renderer } from './renderers/renderer.js'
import { usageError } from './usage-error.js'

/** The flags of `locus exec`. */
interface Flags extends ExecFlags {
  interactive?: boolean
  saveOnExit?: string
  status?: boolean
  stream?: boolean
  simple?: boolean
  ascii?: boolean
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
    .option('-p, --provider <name>', 'the agent; `locus exec agents` lists them (default: claude)')
    .option('--trust-project', "run agents as the project's .locus/agents.toml says, without asking")
    .option('-m, --model <name>', "the model (default: the agent's choice)")
    .option('--image <path>', 'an image for the agent to look at; can be repeated', collect)
    .option('--executable <path>', "the agent's executable (default: found on PATH)")
    .option('--agent-command <argv>', 'any other agent that speaks ACP, for example "gemini --acp"')
    .option('-d, --dir <path>', 'the working directory of the agent (default: this one)')
    .option('--stream', 'show the list of things to do in a box, and the answer below it')
    .option('--no-stream', 'show the answer when it is complete')
    .option('--simple', 'only append lines: no colour, no animation')
    .option('--ascii', 'no symbol beyond ASCII in the display; also by LOCUS_ASCII=1')
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
    .option('--no-status', 'no status line')
    .option(
      '--retries <count>',
      'how often a turn is tried again that fails of something that may pass (default: 2)',
    )
    .option('--max-wait <duration>', 'for how long a rate limit is waited for until its reset (default: 60s)')
    .option(
      '--on-error <action>',
      'what to do when a turn fails for good: retry, continue, skip, switch:<model> or abort (default: ask in a terminal, else abort)',
    )
    .option(
      '--fallback <names>',
      'agents that take over, in this order, where one is limited, missing or not logged in',
    )
    .option('--no-fallback', 'nobody takes over, whatever the settings say')
    .option('--fallback-after-changes', 'also where the turn that failed had changed something')
    .option('--max-cost-usd <dollars>', 'stop the turn when it has cost more')
    .option('--max-tokens <count>', 'stop the turn when it has used more, the cache included')
    .option('--max-turns <count>', 'stop the turn when it needs more model requests')
    .option('--timeout <duration>', 'stop the turn when it takes longer: 90s, 10m, 2h')
    .option('-v, --verbose', 'show also what was not understood, and stacks of errors')
    .version(pkg.version)
    .addHelpText('after', HELP)
    .action(run)
  addProjectCommand(
    exec,
    'sessions',
    'list, show, search, export, replay the conversations of this project, and more',
  )
  addProjectCommand(exec, 'usage', 'what the turns of this project used: tokens and costs')
  addProjectCommand(
    exec,
    'clean',
    'delete and compress old conversations, remove what killed processes left behind',
  )
  addProjectCommand(exec, 'doctor', 'whether the agents can be used, and what to do where not')
  addProjectCommand(exec, 'models', 'the models that are known, with their prices')
  addProjectCommand(exec, 'agents', 'the agents that there are; allow those of this project')
  return root
}

/** A command about a project; what it knows is loaded when it is called. */
function addProjectCommand(exec: Command, name: ProjectCommand, description: string): void {
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
      process.exitCode = await (await RUNS[name]())(args, dir)
    })
}

type ProjectCommand = keyof typeof RUNS

const RUNS = {
  sessions: async () => (await import('./commands/sessions.js')).runSessions,
  clean: async () => (await import('./commands/sessions.js')).runClean,
  usage: async () => (await import('./commands/usage.js')).runUsage,
  doctor: async () => (await import('./commands/doctor.js')).runDoctor,
  models: async () => (await import('./commands/models.js')).runModels,
  agents: async () => (await import('./commands/agents.js')).runAgents,
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
  const plain =
    flags.simple || err.isTerminal === false || process.env.NO_COLOR || process.env.TERM === 'dumb'
  const box = flags.stream === true
  const options = { stream: flags.stream !== false, verbose: flags.verbose ?? false, symbols: symbols() }
  if (!plain && !process.env.CI && isOneTerminal()) {
    const { LiveRun } = await import('./display/live-run.js')
    return new LiveRun({ ...options, stdout: process.stdout, status: flags.status !== false, box })
  }
  const { TerminalRenderer } = await import('./renderers/terminal.js')
  const { SpinnerIndicator } = await import('./renderers/spinner.js')
  const renderer = new TerminalRenderer({
    ...{ ...options, out, err, colors: !plain },
    ...(!plain && !process.env.CI && { indicator: new SpinnerIndicator() }),
  })
  if (!box) {
    return renderer
  }
  const { ChecklistLines } = await import('./renderers/checklist-lines.js')
  return new ChecklistLines(renderer, options.symbols)
}

/** Whether stdout and stderr are the same terminal: one screen, with one cursor. */
function isOneTerminal(): boolean {
  const { stdout, stderr } = process
  return stdout.isTTY && stderr.isTTY && fstatSync(stdout.fd).rdev === fstatSync(stderr.fd).rdev
}

/** Who is asked for permission: the person at the terminal, if there is one. */
function makeAsker({ jsonStream }: Flags, { lend = (ask) => ask() }: Renderer): Asker | undefined {
  if (jsonStream || !process.stdin.isTTY || !process.stderr.isTTY) {
    return undefined
  }
  return async (request, signal) => {
    const { askInTerminal } = await import('./permissions/terminal-asker.js')
    return await lend(() => askInTerminal(request, signal))
  }
}

async function exec(words: string[], flags: Flags): Promise<void> {
  if (flags.ascii) {
    process.env.LOCUS_ASCII = '1'
  }
  if (flags.legacy) {
    const { runLegacy } = await import('./commands/legacy.js')
    process.exitCode = await runLegacy(words, flags)
    return
  }
  if (isInteractive(words, flags)) {
    const { runRepl } = await import('./repl/run.js')
    process.exitCode = await runRepl(words, flags)
  } else {
    const renderer = await makeRenderer(flags)
    process.exitCode = await runExec(words, flags, renderer, makeAsker(flags, renderer))
  }
  endIfTerminalIsGone()
}

/** Whether somebody wants to talk: by the flag, or by giving no prompt in a terminal. */
function isInteractive(words: string[], { interactive, jsonStream, stream }: Flags): boolean {
  if (interactive && jsonStream) {
    throw execError('INVALID_INPUT', '--json-stream is for programs; leave out --interactive')
  }
  const talks = words.length === 0 && process.stdin.isTTY && process.stdout.isTTY && !jsonStream
  const isInteractive = interactive ?? talks
  if (isInteractive && stream) {
    throw execError('INVALID_INPUT', '--stream is for a single prompt; give one, or leave it out')
  }
  return isInteractive
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
  const isUsage = thrown instanceof CommanderError
  const code = isUsage ? 'INVALID_INPUT' : codeOf(thrown)
  const text = () => (thrown instanceof Error ? thrown.message : String(thrown))
  const message = isUsage ? usageError(thrown, 'locus exec --help') : text()
  process.exitCode = EXIT_CODES[code]
  if (!jsonStream) {
    process.stderr.write(`${symbols().failed} ${code} ${message}\n`)
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
