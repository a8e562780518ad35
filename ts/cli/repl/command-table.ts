/** The commands of the interactive mode; what they do is in `commands.ts`. */
export type CommandName =
  | 'help'
  | 'exit'
  | 'clear'
  | 'reset'
  | 'history'
  | 'sessions'
  | 'resume'
  | 'session'
  | 'model'
  | 'provider'
  | 'status'
  | 'forbid'
  | 'cost'
  | 'save'
  | 'export'
  | 'diff'
  | 'undo'
  | 'retry'
  | 'compact'
  | 'verbose'

/** How a command is written. */
export interface CommandSpec {
  name: CommandName
  aliases: readonly string[]
  parameters: string
  description: string
  /** Whether it does not wait for the turn under way. */
  anytime: boolean
  /** Whether it can be used with these arguments. */
  accepts(args: string): boolean
  /** Whether it is meant when it is written without `/`. */
  bare(args: string): boolean
}

const AGENT_NAME = /^[a-z0-9-]{1,32}$/
export const EXPORT_FORMATS: readonly string[] = ['md', 'json', 'jsonl', 'html']

const none = (args: string) => args === ''
const oneWord = (args: string) => /^\S*$/.test(args)
const anything = () => true
const onOrOff = (args: string) => ['', 'on', 'off'].includes(args)
const idOrNone = (args: string) => /^([\w-]{1,64})?$/.test(args)
/** What looks like the beginning of a session's id, and not like a word. */
const bareId = (args: string) => none(args) || /^(?=.*\d)[0-9a-f][0-9a-f-]{3,}$/.test(args)
/** What looks like the name of a model, and not like a word. */
const bareModel = (args: string) => /^(|opus|sonnet|haiku|default|\S*\d\S*)$/.test(args)
const provider = (args: string) => none(args) || AGENT_NAME.test(args)
const count = (args: string) => /^\d{0,6}$/.test(args)
const numberOrAll = (args: string) => /^(\d{1,3}|all|)$/.test(args)
const exportArgs = (args: string) => none(args) || EXPORT_FORMATS.includes(args.split(/\s/)[0] ?? '')

type Row = [
  name: CommandName,
  parameters: string,
  description: string,
  options: {
    accepts: CommandSpec['accepts']
    bare?: CommandSpec['bare']
    aliases?: string[]
    anytime?: true
  },
]

const ROWS: Row[] = [
  ['help', '', 'show the commands and the keys', { accepts: none, anytime: true, aliases: ['?'] }],
  ['exit', '', 'leave, when all before it is done', { accepts: none, aliases: ['quit', 'q'] }],
  [
    'clear',
    '',
    'empty the screen; the conversation goes on',
    { accepts: none, anytime: true, aliases: ['cls'] },
  ],
  ['reset', '', 'begin a new conversation', { accepts: none, aliases: ['new'], bare: none }],
  ['history', '[count]', 'show what was said in this conversation', { accepts: count, anytime: true }],
  ['sessions', '', 'list the conversations of this project', { accepts: none, anytime: true }],
  [
    'resume',
    '[id]',
    'go on with another conversation (default: the one before)',
    { accepts: idOrNone, bare: bareId },
  ],
  ['session', '', 'show the id of this conversation', { accepts: none, anytime: true }],
  ['model', '[name]', 'show or change the model', { accepts: oneWord, bare: bareModel }],
  ['provider', '[name]', 'show or change the agent', { accepts: provider }],
  ['status', '', 'show who answers, what is allowed, what was used', { accepts: none, anytime: true }],
  [
    'forbid',
    '[number|all]',
    'take back what you always allowed in this conversation',
    { accepts: numberOrAll, bare: none, anytime: true },
  ],
  ['cost', '', 'show tokens and cost', { accepts: none, anytime: true }],
  ['save', '', 'make sure that the conversation is on disk', { accepts: none, anytime: true }],
  [
    'export',
    '[md|json|jsonl|html] [file]',
    'write the conversation to a file',
    { accepts: anything, bare: exportArgs },
  ],
  ['diff', '', 'show what has changed in the files since the last prompt', { accepts: none }],
  ['undo', '', 'take back what the last turn did to the files (needs Git)', { accepts: none }],
  ['retry', '', 'send the last prompt again', { accepts: none }],
  [
    'compact',
    '[instructions]',
    'have the agent shorten its memory of the conversation',
    { accepts: anything, bare: none },
  ],
  ['verbose', '[on|off]', 'show more of what the agent does', { accepts: onOrOff, anytime: true }],
]

export const COMMANDS: readonly CommandSpec[] = ROWS.map(([name, parameters, description, options]) => ({
  name,
  parameters,
  description,
  accepts: options.accepts,
  bare: options.bare ?? options.accepts,
  aliases: options.aliases ?? [],
  anytime: options.anytime ?? false,
}))

const BY_WORD = new Map(
  COMMANDS.flatMap((command) => [command.name, ...command.aliases].map((word) => [word, command])),
)

/** The command of this name. */
export function findCommand(word: string): CommandSpec | undefined {
  return BY_WORD.get(word)
}
