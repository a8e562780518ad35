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

/**
 * What the use of a tool changed in which files, from what the tool was given and, where it tells that, from what it
 * returned. Empty for a tool that changes none.
 */
export function editDiffs(tool: string, parameters: Fields, data?: unknown): FileDiff[] {
  const { file_path: path, changes } = parameters
  if (tool === 'file_change') {
    return Array.isArray(changes) ? changes.flatMap(changedFile) : []
  }
  if (typeof path !== 'string') {
    return []
  }
  switch (tool) {
    case 'Edit':
      return [diffOf(path, patched(data) ?? edited(parameters))]
    case 'MultiEdit': {
      const edits = Array.isArray(parameters.edits) ? parameters.edits : []
      return [diffOf(path, patched(data) ?? separated(edits.map((edit) => edited(fieldsOf(edit)))))]
    }
    case 'Write':
      return [diffOf(path, patched(data) ?? written(parameters.content, 'added'))]
    default:
      return []
  }
}

/** A file that codex changed: of a new or a deleted one the difference is all that is in it. */
function changedFile(change: unknown): FileDiff[] {
  const { path, movePath, kind, diff } = fieldsOf(change)
  if (typeof path !== 'string') {
    return []
  }
  const lines =
    kind === 'add' || kind === 'delete' ? written(diff, kind === 'add' ? 'added' : 'removed') : unified(diff)
  return [{ ...diffOf(path, lines), ...(typeof movePath === 'string' && { movedTo: movePath }) }]
}

function diffOf(path: string, lines: DiffLine[]): FileDiff {
  const count = (wanted: DiffLine['kind']) => lines.filter(({ kind }) => kind === wanted).length
  return { path, added: count('added'), removed: count('removed'), lines }
}

function edited({ old_string: before, new_string: after }: Fields): DiffLine[] {
  if (typeof before !== 'string' || typeof after !== 'string') {
    return []
  }
  const options = { context: CONTEXT, maxEditLength: MAX_EDIT_LENGTH }
  const patch = structuredPatch('', '', before, after, undefined, undefined, options)
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
