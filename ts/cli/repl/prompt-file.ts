import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** How many prompts are kept. */
const KEPT = 1000
const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_RDONLY, O_WRONLY } = constants

/**
 * The prompts that were typed in a project, in `.locus/exec-prompts/prompts.jsonl`: a JSON string a line, for their owner
 * alone. Like the conversations it follows no symlink out of the project.
 */
export class PromptFile {
  readonly #project: string
  readonly #folder: string
  readonly #path: string

  constructor(projectPath: string) {
    this.#project = projectPath
    this.#folder = join(projectPath, '.locus', 'exec-prompts')
    this.#path = join(this.#folder, 'prompts.jsonl')
  }

  /** The newest prompts, the oldest of them first. Throws where they are there and cannot be read. */
  load(): string[] {
    if (!existsSync(this.#path)) {
      return []
    }
    this.#check(this.#folder)
    const file = openSync(this.#path, O_RDONLY | O_NOFOLLOW)
    let prompts: string[]
    try {
      prompts = readFileSync(file, 'utf8').split('\n').flatMap(promptOf)
    } finally {
      closeSync(file)
    }
    const kept = prompts.slice(-KEPT)
    if (prompts.length > 2 * KEPT) {
      this.#replace(kept)
    }
    return kept
  }

  /** Adds a prompt. Throws where it cannot be written. */
  add(prompt: string): void {
    this.#makeFolder()
    const file = openSync(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
    try {
      const { mode } = fstatSync(file)
      if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
        throw new Error(`others may read '${this.#path}'`)
      }
      // One write, so that what several terminals append is not mixed.
      appendFileSync(file, `${JSON.stringify(prompt)}\n`)
    } finally {
      closeSync(file)
    }
  }

  #replace(prompts: string[]): void {
    const path = `${this.#path}.${process.pid}`
    writeFileSync(path, prompts.map((prompt) => `${JSON.stringify(prompt)}\n`).join(''), {
      mode: 0o600,
      flag: 'wx',
    })
    renameSync(path, this.#path)
  }

  #makeFolder(): void {
    const locus = dirname(this.#folder)
    if (!existsSync(locus)) {
      mkdirSync(locus, { mode: 0o700 })
    }
    this.#check(locus)
    if (!existsSync(this.#folder)) {
      mkdirSync(this.#folder, { mode: 0o700 })
      writeFileSync(join(this.#folder, '.gitignore'), '*\n', { mode: 0o600 })
    }
    this.#check(this.#folder)
  }

  #check(folder: string): void {
    if (!realpathSync(folder).startsWith(realpathSync(this.#project) + sep)) {
      throw new Error(`'${folder}' leads out of the project`)
    }
  }
}

function promptOf(line: string): string[] {
  try {
    const prompt: unknown = JSON.parse(line)
    return typeof prompt === 'string' ? [prompt] : []
  } catch {
    // A line that was cut off, or one of somebody else.
    return []
  }
}
