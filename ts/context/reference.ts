import { type Artifact, baseName, type Task } from './artifacts.js'

/** Something that may be meant. */
interface Candidate<T> {
  item: T
  /** In lower case: what may be said to mean exactly this one. */
  names: string[]
  /** In lower case; empty where it is no file. */
  path: string
  /** The words in its names. */
  words: string[]
  kinds: Kinds
  updatedAt: number
}

const POINTERS = new Set(
  'a an the this that these those my our your its it one ones last latest newest recent previous just created made'.split(
    ' ',
  ),
)
/** Words that fit nearly everything: they count only where nothing else is said. */
const GENERIC = new Set('file files artifact artifacts thing things task tasks item items'.split(' '))
const FILLERS = new Set('of for in on to from with about and or'.split(' '))

/** Words for what a thing is: those that name it, and those that may as well be part of the title of another. */
interface Kinds {
  names: readonly string[]
  hints?: readonly string[]
}

const KINDS: Record<Artifact['type'], Kinds> = {
  plan: { names: ['plan'], hints: ['roadmap', 'sprint', 'strategy'] },
  document: {
    names: ['doc', 'document', 'documentation'],
    hints: ['notes', 'text', 'guide', 'spec', 'specification', 'readme'],
  },
  code: { names: ['code', 'script', 'implementation'], hints: ['module', 'program', 'source'] },
  'task-list': { names: ['todo', 'checklist'], hints: ['list'] },
  diagram: { names: ['diagram', 'chart'], hints: ['graph', 'drawing'] },
  config: { names: ['config', 'configuration', 'settings'] },
  report: { names: ['report', 'review'], hints: ['findings', 'summary'] },
  other: { names: ['data'] },
}

const NOTEBOOK: Kinds = { names: ['notebook', ...KINDS.code.names], hints: KINDS.code.hints }

/**
 * The artifact that "the plan", "that doc" or "the auth tests" means; null where none is meant.
 *
 * An id, a title or a path that is named exactly wins. Otherwise the words that say something are looked for in the titles
 * and file names, and among the words for what a thing is; what has most of them wins, and of equals the newest. A
 * reference that only points ("it", "that one") means the newest of all.
 */
export function referencedArtifact(artifacts: Iterable<Artifact>, reference: string): Artifact | null {
  return resolve(
    reference,
    [...artifacts].map((item) => {
      const name = baseName(item.filePath ?? '')
      const kinds = name.endsWith('.ipynb') ? NOTEBOOK : KINDS[item.type]
      return candidate(item, kinds, name, item.filePath)
    }),
  )
}

const STATUS_KINDS: Record<Task['status'], Kinds> = {
  pending: { names: ['pending', 'open', 'next'] },
  in_progress: { names: ['current', 'running', 'progress'] },
  completed: { names: ['done', 'completed', 'finished'] },
  cancelled: { names: ['cancelled', 'dropped'] },
}

/** The task that a reference means, found in the same way; null where none is meant. */
export function referencedTask(tasks: Iterable<Task>, reference: string): Task | null {
  return resolve(
    reference,
    [...tasks].map((item) => candidate(item, STATUS_KINDS[item.status])),
  )
}

function candidate<T extends Artifact | Task>(item: T, kinds: Kinds, name = '', filePath = ''): Candidate<T> {
  const names = [item.id, item.title, name].filter(Boolean).map((it) => it.toLowerCase())
  const path = filePath.toLowerCase().replaceAll('\\', '/')
  return { item, names, path, words: wordsOf(`${item.title} ${name}`), kinds, updatedAt: item.updatedAt }
}

function resolve<T>(reference: string, candidates: Candidate<T>[]): T | null {
  const said = reference.trim().toLowerCase()
  if (said === '') {
    return null
  }
  const isNamed = ({ names, path }: Candidate<T>) =>
    names.includes(said) || path === said || path.endsWith(`/${said}`)
  const named = newest(candidates.filter(isNamed))
  if (named) {
    return named.item
  }
  const words = wordsOf(said)
  const significant = words.filter((word) => !POINTERS.has(word) && !FILLERS.has(word) && !GENERIC.has(word))
  if (significant.length === 0) {
    const points = words.some((word) => POINTERS.has(word) || GENERIC.has(word))
    return points ? (newest(candidates)?.item ?? null) : null
  }
  const scored = candidates.map((it) => ({ it, score: score(it, significant) }))
  const best = Math.max(0, ...scored.map(({ score }) => score))
  if (best === 0) {
    return null
  }
  return newest(scored.filter(({ score }) => score === best).map(({ it }) => it))?.item ?? null
}

/** How well it fits: by its words, and best where they stand in a name as they were said. */
function score<T>(it: Candidate<T>, significant: string[]): number {
  const isPhrase = significant.length > 1 && it.names.some((name) => name.includes(significant.join(' ')))
  return significant.reduce((sum, word) => sum + scoreOfWord(it, word), isPhrase ? 1 : 0)
}

function scoreOfWord<T>({ names, words, kinds }: Candidate<T>, word: string): number {
  const isAmong = (list: readonly string[] = []) => list.some((own) => isSameWord(own, word))
  // Scripts that write words without spaces have no words to compare.
  const isInside = !IS_ASCII.test(word) && names.some((name) => name.includes(word))
  if (isInside || isAmong(words) || isAmong(kinds.names)) {
    return 2
  }
  return isAmong(kinds.hints) ? 1 : 0
}

const IS_ASCII = /^[\x20-\x7e]*$/
const SHORTEST_STEM = 3

/** "auth" and "authentication", "test" and "tests". */
function isSameWord(own: string, word: string): boolean {
  if (own === word) {
    return true
  }
  const [shorter, longer] = own.length < word.length ? [own, word] : [word, own]
  return shorter.length >= SHORTEST_STEM && longer.startsWith(shorter)
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

function newest<T>(candidates: Candidate<T>[]): Candidate<T> | undefined {
  let found: Candidate<T> | undefined
  for (const it of candidates) {
    // Of the same millisecond, the later one in the list.
    if (found === undefined || it.updatedAt >= found.updatedAt) {
      found = it
    }
  }
  return found
}
