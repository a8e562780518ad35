import { structuredPatch } from 'diff'

/** A line of a change to a file. */
export interface DiffLine {
  /** `gap`: lines that are the same are left out here. */
  kind: 'added' | 'removed' | 'same' | 'gap'
  text: string
}

/** What a tool changed in one file. */
export interface FileDiff {
  path: string
  movedTo?: string
  /** How many lines. */
  added: number
  removed: number
  lines: DiffLine[]
}

/** So many lines that stay the same are told around those that change. */
const CONTEXT = 2
/** Where two texts have less in common than this allows, one is told to replace the other. */
const MAX_EDIT_LENGTH = 1000

type Fields = Record<string, unknown>

/** The parameters that a difference shows; what else a tool is given may change what it means. */
export const SHOWN_BY_DIFFS: ReadonlySet<string> = new Set([
  ...['file_path', 'filePath', 'filepath', 'content', 'edits', 'changes', 'paths', 'diff'],
  ...['old_string', 'new_string', 'oldString', 'newString'],
])

/** The tools whose `content` becomes that of a file: those of claude, of ACP's kinds, and of agents that speak it. */
const WRITERS: ReadonlySet<string> = new Set(['Write', 'edit', 'write', 'write_file'])

/**
 * What the use of a tool changed in which files, from what the tool was given and, where it tells that, from what it
 * returned. Empty for a tool that changes none. `before`: what is in a file that is to be written, where that is known.
 */
export function editDiffs(
  tool: string,
  parameters: Fields,
  data?: unknown,
  before: (path: string) => string | undefined = () => undefined,
): FileDiff[] {
  const { changes, edits, content, diff } = parameters
  if (Array.isArray(changes)) {
    return changes.flatMap(changedFile)
  }
  const path = parameters.file_path ?? parameters.filePath ?? parameters.filepath
  if (typeof path !== 'string') {
    return []
  }
  const isEdit = (edit: unknown) => textsOf(fieldsOf(edit)) !== undefined
  if (isEdit(parameters)) {
    return [diffOf(path, patched(data) ?? edited(parameters))]
  }
  if (Array.isArray(edits) && edits.some(isEdit)) {
    return [diffOf(path, patched(data) ?? separated(edits.map((edit) => edited(fieldsOf(edit)))))]
  }
  if (WRITERS.has(tool) && typeof content === 'string') {
    return [diffOf(path, patched(data) ?? replaced(before(path) ?? '', content))]
  }
  return typeof diff === 'string' ? [diffOf(path, unified(diff))] : []
}

/** A file that was changed: of a new or a deleted one codex tells all that is in it; ACP has the text before and after. */
function changedFile(change: unknown): FileDiff[] {
  const { path, movePath, kind, diff, oldText = '', newText } = fieldsOf(change)
  if (typeof path !== 'string') {
    return []
  }
  const lines = () => {
    if (typeof oldText === 'string' && typeof newText === 'string') {
      return replaced(oldText, newText)
    }
    return kind === 'add' || kind === 'delete'
      ? written(diff, kind === 'add' ? 'added' : 'removed')
      : unified(diff)
  }
  return [{ ...diffOf(path, lines()), ...(typeof movePath === 'string' && { movedTo: movePath }) }]
}

function diffOf(path: string, lines: DiffLine[]): FileDiff {
  const count = (wanted: DiffLine['kind']) => lines.filter(({ kind }) => kind === wanted).length
  return { path, added: count('added'), removed: count('removed'), lines }
}

/** The text that an edit replaces, and the one that it puts in its place. */
function textsOf(edit: Fields): [before: string, after: string] | undefined {
  const before = edit.old_string ?? edit.oldString
  const after = edit.new_string ?? edit.newString
  return typeof before === 'string' && typeof after === 'string' ? [before, after] : undefined
}

function edited(edit: Fields): DiffLine[] {
  const texts = textsOf(edit)
  return texts ? replaced(...texts) : []
}

function replaced(before: string, after: string): DiffLine[] {
  if (before === '' || after === '') {
    return [...written(before, 'removed'), ...written(after, 'added')]
  }
  const options = { context: CONTEXT, maxEditLength: MAX_EDIT_LENGTH }
  // A last line without an end is not another one where only what follows it is new.
  const end = before.endsWith('\n') && after.endsWith('\n') ? '' : '\n'
  const patch = structuredPatch('', '', before + end, after + end, undefined, undefined, options)
  return patch ? hunkLines(patch.hunks) : [...written(before, 'removed'), ...written(after, 'added')]
}

/** The patch that claude returns, in which the edit has its surroundings. */
function patched(data: unknown): DiffLine[] | undefined {
  const { structuredPatch: hunks } = fieldsOf(data)
  const isHunk = (hunk: unknown) => {
    const { lines } = fieldsOf(hunk)
    return Array.isArray(lines) && lines.every((line) => typeof line === 'string')
  }
  return Array.isArray(hunks) && hunks.length > 0 && hunks.every(isHunk) ? hunkLines(hunks) : undefined
}

function hunkLines(hunks: Array<{ lines: string[] }>): DiffLine[] {
  return separated(hunks.map(({ lines }) => lines.flatMap(diffLine)))
}

/** A diff in the unified format; what is none of its lines is passed over. */
function unified(diff: unknown): DiffLine[] {
  if (typeof diff !== 'string') {
    return []
  }
  const [, ...hunks] = diff.split(/^@@.*\n?/m)
  return separated(hunks.map((hunk) => linesOf(hunk).flatMap(diffLine)))
}

const KINDS: Record<string, DiffLine['kind']> = { '+': 'added', '-': 'removed', ' ': 'same' }

function diffLine(line: string): DiffLine[] {
  const kind = KINDS[line[0] ?? '']
  return kind ? [{ kind, text: line.slice(1) }] : []
}

function separated(parts: DiffLine[][]): DiffLine[] {
  return parts.flatMap((part, index) => (index > 0 ? [{ kind: 'gap', text: '' } as const, ...part] : part))
}

function written(text: unknown, kind: 'added' | 'removed'): DiffLine[] {
  return typeof text === 'string' ? linesOf(text).map((line) => ({ kind, text: line })) : []
}

/** The lines of a text; the end of the last one begins no other. */
function linesOf(text: string): string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
