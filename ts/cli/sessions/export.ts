import { writeFileSync } from 'node:fs'
import { extname } from 'node:path'

import { execError } from '../../errors.js'
import type { HistoryStore } from '../../history.js'
import { cleanValue } from '../renderers/clean-text.js'
import { SHORT_ID } from '../short-id.js'
import { forTerminal } from '../terminal-json.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { findSession } from './find-session.js'
import { sessionToHtml } from './formats/html.js'
import { sessionToJson } from './formats/json.js'
import { sessionToMarkdown } from './formats/markdown.js'

export interface ExportFlags extends CommonFlags {
  format?: string
  output?: string
  force?: boolean
}

type Format = 'json' | 'jsonl' | 'markdown' | 'html'

const FORMATS: Record<string, Format> = {
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  htm: 'html',
}

/** `sessions export`: to a file, or to stdout. */
export async function exportSession(
  { store, screen, json }: SessionsCommand,
  prefix: string,
  flags: ExportFlags,
): Promise<void> {
  const format = formatOf(flags, json)
  const id = await findSession(store, prefix)
  const text = await textOf(store, id, format)
  const { output } = flags
  if (output === undefined) {
    // A file keeps lines that are no JSON as they are; a terminal is not to obey them.
    const raw = format === 'jsonl' && screen.out.isTerminal
    screen.out.write(raw ? cleanValue(forTerminal(text)) : text)
    return
  }
  try {
    // Like the session itself: for its owner alone.
    writeFileSync(output, text, { flag: flags.force ? 'w' : 'wx', mode: 0o600 })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const problem = code === 'EEXIST' ? `'${output}' is there already; --force replaces it` : message
    throw execError('INVALID_INPUT', `cannot write the export: ${problem}`, { cause })
  }
  if (json) {
    screen.json({ id, format, path: output })
  } else {
    screen.print(`exported ${id.slice(0, SHORT_ID)} as ${format} to ${output}`)
  }
}

/** The format that was asked for, or that the ending of the file asks for; otherwise Markdown, for people. */
function formatOf({ format, output }: ExportFlags, json: boolean): Format {
  const ending = output === undefined ? '' : extname(output).slice(1).toLowerCase()
  const word = format ?? (ending in FORMATS ? ending : json && output === undefined ? 'json' : 'markdown')
  if (!Object.hasOwn(FORMATS, word)) {
    throw execError('INVALID_INPUT', `--format must be json, jsonl, md or html, not '${word}'`)
  }
  return FORMATS[word] as Format
}

async function textOf(store: HistoryStore, id: string, format: Format): Promise<string> {
  switch (format) {
    case 'jsonl':
      return await store.exportJsonl(id)
    case 'json':
      return sessionToJson(await store.read(id))
    case 'markdown':
      return sessionToMarkdown(await store.read(id))
    case 'html':
      return sessionToHtml(await store.read(id))
  }
}
