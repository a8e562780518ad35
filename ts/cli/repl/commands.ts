import { resolve } from 'node:path'

import { Chalk, type ChalkInstance } from 'chalk'

import { execError } from '../../errors.js'
import { HistoryStore } from '../../history.js'
import type { ExecFlags } from '../commands/exec.js'
import { MarkdownStream } from '../display/markdown-stream.js'
import { symbols } from '../display/symbols.js'
import { definitions } from '../display/wrapped.js'
import { costText, formatCount, formatTokens } from '../format.js'
import type { RuleBook } from '../permissions/rule-book.js'
import { cleanValue } from '../renderers/clean-text.js'
import { exportSession } from '../sessions/export.js'
import { findSession } from '../sessions/find-session.js'
import { listSessions } from '../sessions/list.js'
import { Screen as SessionsScreen } from '../sessions/screen.js'
import { SHORT_ID } from '../short-id.js'
import { COMMANDS, type CommandName } from './command-table.js'
import type { Conversation } from './conversation.js'
import type { FileChanges } from './file-changes.js'
import type { Prompt, Repl } from './repl.js'
import { rulesHold } from './rules-hold.js'
import { say } from './say.js'
import type { ReplView } from './view.js'

export interface CommandParts {
  repl: Repl
  conversation: Conversation
  view: ReplView
  rules: RuleBook
  changes: FileChanges
  projectPath: string
  /** Whether conversations are kept on disk. */
  saves: boolean
  flags: Pick<ExecFlags, 'yes' | 'allow' | 'deny' | 'permissionMode'>
  columns(): number
}

const KEYS = [
  ['Enter', 'send; at the end of a line with \\, Alt+Enter or Ctrl+J: a new line'],
  ['Tab', 'complete a command, or a path behind @'],
  ['Up, Down', 'what was typed before; with nothing typed, the last of what is queued'],
  ['Ctrl+C', 'interrupt the turn; twice with nothing typed: leave'],
  ['Ctrl+D', 'leave'],
  ['Ctrl+L', 'empty the screen'],
  ['Ctrl+O', 'show what the model thinks, or hide it'],
  ['Ctrl+Z', 'back to the shell until `fg`'],
  ['Ctrl+_', 'undo what was typed'],
] as const

const MAX_SHOWN_MESSAGES = 10
const STATUS_WIDTH = 10

/** What the commands of the interactive mode do. What one resolves to is sent to the agent. */
export class Commands {
  readonly #parts: CommandParts
  readonly #chalk: ChalkInstance
  readonly #store: HistoryStore

  constructor(parts: CommandParts) {
    this.#parts = parts
    this.#chalk = new Chalk({ level: parts.view.colors ? 1 : 0 })
    this.#store = new HistoryStore({ projectPath: parts.projectPath })
  }

  async run(name: CommandName, args: string): Promise<Prompt | undefined> {
    const { repl, view, conversation } = this.#parts
    switch (name) {
      case 'help':
        this.#help()
        return undefined
      case 'exit':
        void repl.leave(0)
        return undefined
      case 'clear':
        view.clear()
        return undefined
      case 'reset':
        await this.#switchTo(undefined)
        return undefined
      case 'resume':
        await this.#switchTo(await this.#sessionToResume(args))
        return undefined
      case 'history':
        this.#history(args === '' ? MAX_SHOWN_MESSAGES : Number(args))
        return undefined
      case 'sessions':
        await listSessions({ store: this.#store, screen: new ViewScreen(view), json: false }, {})
        return undefined
      case 'session':
        view.note(`session ${conversation.session.id}${this.#parts.saves ? '' : ', which is not kept'}`)
        return undefined
      case 'model':
        await this.#model(args)
        return undefined
      case 'provider':
        await this.#provider(args)
        return undefined
      case 'status':
        this.#status()
        return undefined
      case 'forbid':
        this.#forbid(args)
        return undefined
      case 'cost':
        view.note(this.#cost())
        return undefined
      case 'save':
        await this.#save()
        return undefined
      case 'export':
        await this.#export(args)
        return undefined
      case 'diff':
        view.note(await this.#parts.changes.diff(this.#chalk))
        return undefined
      case 'undo':
        view.note(await this.#parts.changes.undo())
        return undefined
      case 'retry':
        return this.#retry()
      case 'compact':
        return this.#compact(args)
      case 'verbose':
        repl.verbose = args === '' ? !repl.verbose : args === 'on'
        view.note(repl.verbose ? 'more is shown of what the agent does' : 'the usual is shown')
        return undefined
    }
  }

  #help(): void {
    const { bold, cyan, dim } = this.#chalk
    const { view } = this.#parts
    const list = (rows: { term: string; meaning: string }[]) =>
      definitions(rows, { width: 32, columns: view.columns, style: cyan })
    const commands = COMMANDS.map(({ name, aliases, parameters, description }) => ({
      term: `  ${[`/${name}`, ...aliases].join(', ')}${parameters === '' ? '' : ` ${parameters}`}`,
      meaning: description,
    }))
    view.note(
      [
        bold('Commands'),
        ...list(commands),
        bold('Keys'),
        ...list(KEYS.map(([key, meaning]) => ({ term: `  ${key}`, meaning }))),
        dim('The / can be left out where the whole line is a command.'),
      ].join('\n'),
    )
  }

  async #switchTo(id: string | undefined): Promise<void> {
    const { conversation, view, rules } = this.#parts
    if (id === conversation.session.id) {
      view.note('this is that conversation')
      return
    }
    await conversation.switchTo(id)
    rules.open(conversation.session)
    this.#parts.changes.forget()
    if (id === undefined) {
      view.note('a new conversation begins')
      return
    }
    const messages = conversation.session.getHistory().length
    view.note(`going on with session ${conversation.shortId}, ${formatCount(messages, 'message')}`)
    this.#history(2)
    if (rules.rules.length > 0) {
      say(view, rulesHold(rules))
    }
  }

  /** The session of this id, or the one before this conversation. */
  async #sessionToResume(prefix: string): Promise<string> {
    if (prefix !== '') {
      return await findSession(this.#store, prefix)
    }
    const { sessions } = await this.#store.list({ limit: 2 })
    const other = sessions.find(({ id }) => id !== this.#parts.conversation.session.id)
    if (!other) {
      throw execError('SESSION_NOT_FOUND', 'there is no other conversation in this project')
    }
    return other.id
  }

  #history(count: number): void {
    const { conversation, view } = this.#parts
    const messages = conversation.session.getHistory()
    if (messages.length === 0) {
      view.note('nothing was said yet')
      return
    }
    const { cyan, dim } = this.#chalk
    const shown = count === 0 ? [] : messages.slice(-count)
    const left = messages.length - shown.length
    const columns = this.#parts.columns()
    view.note(
      [
        ...(left > 0 ? [dim(`${symbols().ellipsis} ${formatCount(left, 'earlier message')}`)] : []),
        ...cleanValue(shown).flatMap(({ role, content }) =>
          role === 'user'
            ? ['', `${cyan(symbols().prompt)} ${content.trim()}`]
            : this.#markdown(content.trim(), columns),
        ),
      ].join('\n'),
    )
  }

  #markdown(text: string, columns: number): string[] {
    const markdown = new MarkdownStream({ chalk: this.#chalk, highlighter: () => undefined })
    markdown.push(text)
    return markdown.break(columns)
  }

  async #model(name: string): Promise<void> {
    const { conversation, view } = this.#parts
    if (name === '') {
      view.note(`model: ${cleanValue(conversation.model) ?? "the agent's choice"}`)
      return
    }
    await conversation.use({ model: name })
    view.note(`from the next prompt on: ${cleanValue(name)}`)
  }

  async #provider(name: string): Promise<void> {
    const { conversation, view } = this.#parts
    if (name === '') {
      view.note(`agent: ${conversation.provider}`)
      return
    }
    await conversation.use({ provider: name })
    view.note(`from the next prompt on: ${name}; it is told what was said last`)
  }

  #status(): void {
    const { conversation, view, rules, flags, projectPath, saves } = this.#parts
    const { yes, allow = [], deny = [], permissionMode } = flags
    const numbered = rules.rules.map((rule, index) => `${index + 1} ${rule}`)
    const rows = [
      ['Agent', conversation.provider],
      ['Model', conversation.model ?? "the agent's choice"],
      ['Folder', projectPath],
      ['Session', `${conversation.session.id}${saves ? '' : ', not kept'}`],
      ['Messages', String(conversation.session.getHistory().length)],
      ['Mode', permissionMode ?? "the agent's own"],
      ['Allowed', (yes ? ['everything (--yes)'] : allow).join(', ') || 'what you allow when you are asked'],
      ...(deny.length > 0 ? [['Denied', deny.join(', ')]] : []),
      ...(numbered.length > 0 ? [['Always', numbered.join('\n')]] : []),
      ['Used', this.#cost()],
    ]
    view.note(
      definitions(
        cleanValue(rows).map(([name = '', value = '']) => ({ term: `${name}:`, meaning: value })),
        { width: STATUS_WIDTH, columns: view.columns },
      ).join('\n'),
    )
  }

  /** Takes back what was always allowed: the rule of this number, or all of them. */
  #forbid(which: string): void {
    const { rules, view } = this.#parts
    const known = rules.rules
    if (known.length === 0) {
      view.note('nothing was always allowed in this conversation')
      return
    }
    const index = which === '' && known.length === 1 ? 0 : Number(which) - 1
    if (which !== 'all' && known[index] === undefined) {
      const list = known.map((rule, index) => `  ${index + 1} ${rule}`).join('\n')
      view.note(cleanValue(`which one? /forbid with its number, or all:\n${list}`))
      return
    }
    const removed = rules.remove(which === 'all' ? undefined : index)
    view.note(cleanValue(`asked again from now on: ${removed.join(', ')}`))
  }

  #cost(): string {
    const { used, turns } = this.#parts.conversation
    const cached = used.cacheRead + used.cacheWrite
    return [
      formatCount(turns, 'turn'),
      `${formatTokens(used.input)} tokens in, ${formatTokens(used.output)} out, ${formatTokens(cached)} cached`,
      // Before anything was used nothing was paid, whoever asks no price.
      `cost ${costText(turns === 0 ? { costUsd: 0 } : used)}`,
    ].join('; ')
  }

  async #save(): Promise<void> {
    const { conversation, view, saves } = this.#parts
    if (!saves) {
      throw execError(
        'INVALID_INPUT',
        'this conversation is not kept, as --no-save or --save-on-exit never says',
      )
    }
    await conversation.session.save()
    view.note(`session ${conversation.shortId} is on disk, as it is after every turn`)
  }

  async #export(args: string): Promise<void> {
    const { conversation, view, saves, projectPath } = this.#parts
    if (!saves) {
      throw execError('INVALID_INPUT', 'a conversation that is not kept cannot be exported')
    }
    const [, format, file] = /^(md|json|jsonl|html)?\s*(.*)$/.exec(args) ?? []
    await conversation.session.save()
    const { id } = conversation.session
    const output = file || `session-${id.slice(0, SHORT_ID)}.${format ?? 'md'}`
    await exportSession({ store: this.#store, screen: new ViewScreen(view), json: false }, id, {
      format,
      output: resolve(projectPath, output),
    })
  }

  #retry(): Prompt {
    const prompt = this.#parts.conversation.lastPrompt
    if (prompt === undefined) {
      throw execError('INVALID_INPUT', 'nothing was asked yet that could be sent again')
    }
    return prompt
  }

  #compact(instructions: string): Prompt {
    const { provider, session } = this.#parts.conversation
    if (provider !== 'claude') {
      throw execError('INVALID_INPUT', `the ${provider} agent cannot compact a conversation`)
    }
    if (session.getHistory().length === 0) {
      throw execError('INVALID_INPUT', 'nothing was said yet')
    }
    return { prompt: `/compact ${instructions}`.trim(), images: [] }
  }
}

/** Has what the commands about sessions print shown by the view. */
class ViewScreen extends SessionsScreen {
  readonly #view: ReplView

  constructor(view: ReplView) {
    super(view.colors ? {} : { NO_COLOR: '1' })
    this.#view = view
  }

  override print(line = ''): void {
    this.#view.note(line)
  }

  override remark(line: string): void {
    this.#view.note(line)
  }
}
