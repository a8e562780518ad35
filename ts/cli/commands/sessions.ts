import { resolve } from 'node:path'

import { Command, CommanderError } from 'commander'

import { ExecError, execError } from '../../errors.js'
import { HistoryStore } from '../../history.js'
import { symbols } from '../display/symbols.js'
import { EXIT_CODES } from '../exit-codes.js'
import { cleanValue } from '../renderers/clean-text.js'
import { clean } from '../sessions/clean.js'
import type { CommonFlags, SessionsCommand } from '../sessions/command.js'
import { exportSession } from '../sessions/export.js'
import { listSessions } from '../sessions/list.js'
import {
  clearSessions,
  deleteSessions,
  forkSession,
  importSession,
  renameSession,
} from '../sessions/manage.js'
import { pruneSessions } from '../sessions/prune.js'
import { Screen } from '../sessions/screen.js'
import { searchSessions } from '../sessions/search.js'
import { showSession } from '../sessions/show.js'
import { usageError } from '../usage-error.js'

/** Runs `locus exec sessions …`; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runSessions(args: string[], dir?: string): Promise<number> {
  const [first = ''] = args
  // Without a command: the list.
  const isHelp = first === '-h' || first === '--help'
  const words = first === '' || (first.startsWith('-') && !isHelp) ? ['list', ...args] : args
  return await runProjectCommand('sessions', words, dir, addSessions)
}

/** Runs `locus exec clean …`; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runClean(args: string[], dir?: string): Promise<number> {
  return await runProjectCommand('clean', args, dir, (root, start) => {
    addCommonFlags(
      root.description('delete and compress old sessions, remove what killed processes left behind'),
    ).action(async (flags: CommonFlags) => await clean(...start(flags)))
  })
}

/** Makes what a command works with, from its flags; the folder of the project too. */
type Start = (flags: CommonFlags) => [command: SessionsCommand, projectPath: string]

/** Runs a command about what is stored of a project; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runProjectCommand(
  name: string,
  args: string[],
  dir: string | undefined,
  add: (root: Command, start: Start) => void,
): Promise<number> {
  const screen = new Screen()
  const root = new Command(`locus exec ${name}`).exitOverride().configureOutput({ outputError: () => {} })
  add(root, (flags) => {
    const projectPath = resolve(projectOf(flags.dir ?? dir))
    const store = new HistoryStore({ projectPath })
    return [{ store, screen, json: flags.json ?? false }, projectPath]
  })
  try {
    await root.parseAsync(args, { from: 'user' })
    screen.flush()
    return 0
  } catch (thrown) {
    return tell(thrown, name, args, screen)
  }
}

function addSessions(root: Command, start: Start): void {
  root.description('the conversations of this project')
  const add = (name: string, description: string) =>
    addCommonFlags(root.command(name).description(description))

  add('list', 'the conversations, the newest first')
    .option('-q, --query <words>', 'only those in which this was said')
    .option('-p, --provider <name>', 'only those with this agent')
    .option('--after <when>', 'begun since: a date (2026-02-01) or an age (12h, 7d)')
    .option('--before <when>', 'begun before')
    .option('-n, --limit <count>', 'how many (default: 20)')
    .option('--offset <count>', 'how many to leave out first')
    .action(async (flags) => await listSessions(start(flags)[0], flags))

  add('show', 'what was said in one')
    .argument('<id>', ID)
    .option('--last <count>', 'only the last messages')
    .action(async (id, flags) => await showSession(start(flags)[0], id, flags))

  add('search', 'where something was said')
    .argument('<words...>', 'what to look for')
    .option('-n, --limit <count>', 'how many (default: 20)')
    .action(async (words, flags) => await searchSessions(start(flags)[0], words, flags))

  add('delete', 'delete some')
    .argument('<id...>', ID)
    .option('-y, --yes', 'do not ask')
    .action(async (ids, flags) => await deleteSessions(start(flags)[0], ids, flags))

  add('clear', 'delete all of this project')
    .option('-y, --yes', 'do not ask')
    .action(async (flags) => await clearSessions(start(flags)[0], flags))

  add('export', 'write one to stdout or to a file')
    .argument('<id>', ID)
    .option('-f, --format <format>', "json, jsonl, md or html (default: by the file's name, otherwise md)")
    .option('-o, --output <file>', 'the file')
    .option('--force', 'replace the file')
    .action(async (id, flags) => await exportSession(start(flags)[0], id, flags))

  add('import', 'take one in that was exported as json or jsonl')
    .argument('<file>', 'the file; - reads stdin')
    .action(async (file, flags) => await importSession(start(flags)[0], file))

  add('fork', 'copy one, to go on in another direction')
    .argument('<id>', ID)
    .option('--turns <count>', 'only its first turns')
    .action(async (id, flags) => await forkSession(start(flags)[0], id, flags))

  add('rename', 'give one a title')
    .argument('<id>', ID)
    .argument('<title...>', 'the title')
    .action(async (id, title, flags) => await renameSession(start(flags)[0], id, title))

  add('replay', 'see one again as it was when it ran')
    .argument('<id-or-file>', `${ID}; or the path of a file that an agent printed`)
    .option('-p, --provider <name>', 'the agent that printed the file (default: seen from its lines)')
    .option('--speed <factor>', 'how fast: 2, 0.5, max (default: 1)')
    .option('--max-pause <seconds>', 'the longest pause, before the speed (default: 3)')
    .action(async (id, flags) => {
      // The terminal renderer is not small.
      const { replaySession } = await import('../sessions/replay.js')
      await replaySession(start(flags)[0], id, flags)
    })

  add('prune', 'delete and compress what is too old or too much')
    .option('--keep <count>', 'how many of the newest to keep, or never (default: 30)')
    .option('--max-age <days>', 'for how many days to keep one, or never (default: 30)')
    .option('--compress-after <days>', 'when to compress one, or never')
    .option('--max-size <size>', 'what all may take together (200MB), or never (default: 256MB)')
    .option('--dry-run', 'only tell what would be done')
    .action(async (flags) => await pruneSessions(start(flags)[0], flags))
}

const ID = 'the id of the session, or its beginning'

/** The flags that every command about what is stored knows. */
export function addCommonFlags(command: Command): Command {
  return command
    .option('--json', 'print JSON')
    .option('-d, --dir <path>', 'the folder of the project (default: this one)')
}

function projectOf(dir = '.'): string {
  if (dir === '') {
    throw execError('INVALID_DIRECTORY', '--dir is empty; name a folder, or leave it out to use this one')
  }
  return dir
}

/** Tells what went wrong, in the mode that was asked for; the exit code. */
function tell(thrown: unknown, name: string, args: string[], screen: Screen): number {
  if (thrown instanceof CommanderError && (thrown.exitCode === 0 || thrown.code === 'commander.help')) {
    screen.flush()
    return thrown.exitCode === 0 ? 0 : EXIT_CODES.INVALID_INPUT
  }
  const error = asExecError(thrown, name)
  // It may have words of a stored session in it, or of the command line.
  const { code, message } = cleanValue({ code: error.code, message: error.message })
  if (args.includes('--json')) {
    screen.json({ error: { code, message } })
  } else {
    const { red, bold } = screen.remarks
    screen.remark(`${red(`${symbols().failed} ${bold(code)}`)} ${message}`)
  }
  screen.flush()
  return EXIT_CODES[error.code]
}

function asExecError(thrown: unknown, name: string): ExecError {
  if (thrown instanceof ExecError) {
    return thrown
  }
  if (thrown instanceof CommanderError) {
    const hint = `locus exec ${name} --help; a prompt that begins with "${name}" has to be in quotes`
    return execError('INVALID_INPUT', usageError(thrown, hint))
  }
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return execError('INTERNAL', message, { cause: thrown })
}
