import { execError } from '../../errors.js'
import { withConsent } from '../agents/consent.js'
import { type ExecFlags, fallbackOf, openSession, planOf, prune } from '../commands/exec.js'
import { symbols } from '../display/symbols.js'
import { EXIT_HUNG_UP, EXIT_TERMINATED } from '../exit-codes.js'
import { PermissionDesk } from '../permissions/permission-desk.js'
import { RuleBook } from '../permissions/rule-book.js'
import { canAsk } from '../recovery.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { Commands } from './commands.js'
import { createCompleter } from './completion.js'
import { Conversation } from './conversation.js'
import { Farewell, SAVE_ON_EXIT, type SaveOnExit } from './farewell.js'
import { FileChanges } from './file-changes.js'
import { InputHistory } from './input-history.js'
import { PromptFile } from './prompt-file.js'
import { Repl } from './repl.js'
import { rulesHold } from './rules-hold.js'
import { say } from './say.js'
import type { ReplView } from './view.js'

/** The flags of `locus exec -i`. */
export interface ReplFlags extends ExecFlags {
  simple?: boolean
  verbose?: boolean
  saveOnExit?: string
  status?: boolean
}

/** Runs the interactive mode; resolves to the exit code. `words`: the first prompt. */
export async function runRepl(words: string[], flags: ReplFlags): Promise<number> {
  const saveOnExit = saveOnExitOf(flags)
  const saves = flags.save !== false && saveOnExit !== 'never'
  const runFlags = { ...flags, save: saves ? flags.save : false }
  const plan = planOf(runFlags)
  const { projectPath } = plan
  const { images = [], ...limits } = plan.turn
  if (images.length > 0 && words.length === 0) {
    throw execError('INVALID_INPUT', '--image goes with a prompt; while you talk, write @ and its path')
  }
  const prompts = new PromptFile(projectPath)
  const problems: string[] = []
  const view = await viewOf(flags, projectPath, saves ? prompts : undefined, problems)
  const rules = new RuleBook(projectPath, (problem) => view.note(`${symbols().warning} ${problem}`))
  const desk = new PermissionDesk((request, signal) => view.askPermission(request, signal), rules)
  const onPermission = desk.decide
  const open = () => openSession(runFlags, { ...plan, options: { ...plan.options, onPermission } })
  const session = await (canAsk() ? withConsent(projectPath, open) : open())
  const conversation = Conversation.of(
    session,
    (id, changes) =>
      openSession(
        { ...runFlags, session: id, continue: false, ...changes },
        { ...plan, options: { ...plan.options, ...changes } },
      ),
    {
      resumed: flags.session !== undefined || flags.continue === true,
      model: plan.options.model,
      limits,
      onPermission,
    },
  )
  const changes = new FileChanges(projectPath)
  const repl = new Repl(
    {
      ...{
        conversation,
        view,
        desk,
        farewell: new Farewell(saveOnExit, { saves, projectPath }),
        changes,
        projectPath,
      },
      fallback: fallbackOf(flags, plan),
      runCommand: (repl) => {
        let commands: Commands | undefined
        return async (name, args) => {
          const { Commands } = await import('./commands.js')
          commands ??= new Commands({
            ...{ repl, conversation, view, rules, changes, projectPath, saves, flags },
            columns: () => process.stdout.columns || 80,
          })
          return await commands.run(name, args)
        }
      },
    },
    flags.verbose ?? false,
  )
  const release = onSignals(repl)
  say(view, greeting(conversation, view.colors))
  rules.open(session)
  if (rules.rules.length > 0) {
    say(view, rulesHold(rules))
  }
  for (const problem of problems) {
    view.note(`${symbols().warning} ${problem}`)
  }
  const ended = repl.run()
  if (words.length > 0) {
    repl.submit(` ${words.join(' ')}`, images)
  }
  const exitCode = await ended
  release()
  if (saves) {
    await prune(plan)
  }
  return exitCode
}

/** The live view in a terminal that can, otherwise the plain one. */
async function viewOf(
  flags: ReplFlags,
  folder: string,
  prompts: PromptFile | undefined,
  problems: string[],
): Promise<ReplView> {
  const { stdin, stdout, stderr, env } = process
  const plain = flags.simple || env.NO_COLOR || env.TERM === 'dumb'
  if (plain || !stdin.isTTY || !stdout.isTTY) {
    const { PlainView } = await import('./plain-view.js')
    return new PlainView(stdin, stdout, stderr)
  }
  // A history that cannot be read or written is no reason not to talk.
  let history: string[] = []
  try {
    history = cleanValue(prompts?.load() ?? [])
  } catch (error) {
    problems.push(`what was typed before cannot be read: ${(error as Error).message}`)
  }
  let remembers = prompts !== undefined
  const remember = (text: string) => {
    try {
      if (remembers) {
        prompts?.add(text)
      }
    } catch (error) {
      remembers = false
      view.note(`${symbols().warning} what is typed cannot be remembered: ${(error as Error).message}`)
    }
  }
  const { LiveView } = await import('./live-view.js')
  const view = new LiveView({
    ...{ stdin, stdout, remember, symbols: symbols() },
    history: new InputHistory(history),
    complete: createCompleter(folder),
    status: flags.status !== false,
  })
  return view
}

function greeting({ shortId, resumed, session }: Conversation, colors: boolean): string {
  const messages = session.getHistory().length
  const first = resumed
    ? `Resumed session ${shortId}, ${messages} messages; /history shows them`
    : 'Locus Exec Interactive Mode'
  const hint = 'Type your prompt, /help, or exit to leave'
  return colors ? `\u001b[34m${first}\u001b[39m\n\u001b[2m${hint}\u001b[22m` : `${first}\n${hint}`
}

function saveOnExitOf({ saveOnExit = 'always' }: ReplFlags): SaveOnExit {
  const known = SAVE_ON_EXIT.find((word) => word === saveOnExit)
  if (!known) {
    throw execError('INVALID_INPUT', `--save-on-exit must be ask, always or never, not '${saveOnExit}'`)
  }
  return known
}

/** What the signals ask for; the returned function takes it back. */
function onSignals(repl: Repl): () => void {
  const listeners: Array<[NodeJS.Signals, () => void]> = [
    ['SIGINT', () => repl.interrupt()],
    ['SIGTERM', () => void repl.leave(EXIT_TERMINATED, { ask: false })],
    ['SIGHUP', () => void repl.leave(EXIT_HUNG_UP, { ask: false })],
  ]
  for (const [signal, listener] of listeners) {
    process.on(signal, listener)
  }
  return () => {
    for (const [signal, listener] of listeners) {
      process.off(signal, listener)
    }
  }
}
