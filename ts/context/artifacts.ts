import { beginningOf, oneLine } from './text.js'

/** What kind of thing an artifact is. */
export type ArtifactType =
  | 'plan'
  | 'document'
  | 'code'
  | 'task-list'
  | 'diagram'
  | 'config'
  | 'report'
  | 'other'

/** Something that was made in a conversation and that later prompts may be about. */
export interface Artifact {
  id: string
  title: string
  type: ArtifactType
  /** The text, or its beginning; empty where only the file has it. */
  content: string
  /** Milliseconds since the epoch. */
  createdAt: number
  /** Milliseconds since the epoch. */
  updatedAt: number
  /** The path as the agent wrote it, where it is a file. */
  filePath?: string
  metadata?: Record<string, unknown>
}

export type TaskStatus = 'pending' | 'in_progress' | 'completed' | 'cancelled'

/** Something to do that came up in a conversation. */
export interface Task {
  id: string
  title: string
  description?: string
  status: TaskStatus
  /** Milliseconds since the epoch. */
  createdAt: number
  /** Milliseconds since the epoch. */
  updatedAt: number
  parentId?: string
  metadata?: Record<string, unknown>
}

/** What is kept of a tracker with its session. */
export interface ContextTrackerState {
  artifacts: Artifact[]
  tasks: Task[]
}

const TEXT = /\.(md|mdx|markdown|txt|rst|adoc|org)$/
const TYPES: ReadonlyArray<[pattern: RegExp, type: ArtifactType]> = [
  [/\.(mmd|mermaid|puml|plantuml|dot|drawio|svg)$/, 'diagram'],
  [/\.(json|jsonc|json5|ya?ml|toml|ini|cfg|conf|env|properties|lock)$/, 'config'],
  [/^(\.[^.]+|dockerfile|makefile|justfile|procfile)$/, 'config'],
  [/\.(docx?|odt|pdf|rtf|tex)$/, 'document'],
  [/\.(csv|tsv|log|parquet|sqlite|db|png|jpe?g|gif|webp|ico|zip|gz|tar|bin)$/, 'other'],
  [/\.[a-z][a-z0-9+]*$/, 'code'],
]

/** What a file is, by its path. */
export function typeOfFile(filePath: string): ArtifactType {
  const path = filePath.toLowerCase().replaceAll('\\', '/')
  const name = baseName(path)
  if (TEXT.test(name) || !name.includes('.')) {
    return typeOfText(path, name)
  }
  return TYPES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other'
}

function typeOfText(path: string, name: string): ArtifactType {
  if (hasWord(name, 'plans?|roadmap') || /(^|\/)plans?\//.test(path)) {
    return 'plan'
  }
  if (hasWord(name, 'todos?|tasks?|checklist')) {
    return 'task-list'
  }
  if (hasWord(name, 'reports?|review|findings|postmortem')) {
    return 'report'
  }
  if (TEXT.test(name)) {
    return 'document'
  }
  return TYPES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other'
}

function hasWord(name: string, words: string): boolean {
  return new RegExp(`(^|[^a-z])(${words})([^a-z]|$)`).test(name)
}

/** The last part of a path, of either kind of separator. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}

const MAX_TITLE_CHARS = 120
/** Where a first heading is looked for. */
const HEADING_WITHIN = 4000

/** What a text is called: its first heading where it is prose, otherwise `otherwise`. */
export function titleOf(type: ArtifactType, content: string, otherwise: string): string {
  const isProse = type === 'plan' || type === 'document' || type === 'report' || type === 'task-list'
  const heading = isProse
    ? /^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$/m.exec(content.slice(0, HEADING_WITHIN))?.[1]
    : undefined
  return beginningOf(oneLine(heading ?? otherwise), MAX_TITLE_CHARS)
}
