import type { ChalkInstance } from 'chalk'
import bash from 'highlight.js/lib/languages/bash'
import c from 'highlight.js/lib/languages/c'
import cpp from 'highlight.js/lib/languages/cpp'
import csharp from 'highlight.js/lib/languages/csharp'
import css from 'highlight.js/lib/languages/css'
import diff from 'highlight.js/lib/languages/diff'
import dockerfile from 'highlight.js/lib/languages/dockerfile'
import go from 'highlight.js/lib/languages/go'
import graphql from 'highlight.js/lib/languages/graphql'
import ini from 'highlight.js/lib/languages/ini'
import java from 'highlight.js/lib/languages/java'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import kotlin from 'highlight.js/lib/languages/kotlin'
import makefile from 'highlight.js/lib/languages/makefile'
import markdown from 'highlight.js/lib/languages/markdown'
import php from 'highlight.js/lib/languages/php'
import python from 'highlight.js/lib/languages/python'
import ruby from 'highlight.js/lib/languages/ruby'
import rust from 'highlight.js/lib/languages/rust'
import sql from 'highlight.js/lib/languages/sql'
import swift from 'highlight.js/lib/languages/swift'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'
import { createLowlight } from 'lowlight'

import type { Highlighter } from './markdown-stream.js'

const LANGUAGES = {
  ...{ bash, c, cpp, csharp, css, diff, dockerfile, go, graphql, ini, java, javascript, json, kotlin },
  ...{ makefile, markdown, php, python, ruby, rust, sql, swift, typescript, xml, yaml },
}
/** More than this is not code that somebody reads. */
const MAX_CODE = 20_000

type Style = 'magenta' | 'green' | 'yellow' | 'blue' | 'cyan' | 'dim' | 'red'

/** The colour of each of highlight.js's classes; what is not here has none. */
const STYLES: Record<string, Style> = {
  ...{ keyword: 'magenta', operator: 'magenta', literal: 'cyan', number: 'yellow', symbol: 'yellow' },
  ...{ string: 'green', regexp: 'green', 'template-tag': 'green', comment: 'dim', quote: 'dim', meta: 'dim' },
  ...{ title: 'blue', section: 'blue', name: 'blue', 'selector-tag': 'blue', built_in: 'cyan', type: 'cyan' },
  ...{ class: 'cyan', attr: 'cyan', attribute: 'cyan', property: 'cyan', variable: 'cyan', bullet: 'cyan' },
  ...{ addition: 'green', deletion: 'red', 'selector-class': 'yellow', 'selector-id': 'yellow' },
}

/** Colours code by highlight.js's grammars. */
export function createHighlighter(chalk: ChalkInstance): Highlighter {
  const lowlight = createLowlight(LANGUAGES)
  return (language, lines, from) => {
    const code = lines.join('\n')
    if (code.length > MAX_CODE || !lowlight.registered(language.toLowerCase())) {
      return undefined
    }
    const rows = ['']
    colour(lowlight.highlight(language.toLowerCase(), code), undefined)
    return rows.slice(from)

    function colour(node: Node, style: Style | undefined): void {
      if (node.type === 'text') {
        for (const [index, part] of (node.value ?? '').split('\n').entries()) {
          if (index > 0) {
            rows.push('')
          }
          // Each row for itself, so that any of them can be shown alone.
          rows[rows.length - 1] += style && part !== '' ? chalk[style](part) : part
        }
      }
      const inner = styleOf(node) ?? style
      for (const child of node.children ?? []) {
        colour(child, inner)
      }
    }
  }
}

/** What of lowlight's tree is looked at. */
interface Node {
  type: string
  value?: string
  properties?: { className?: unknown }
  children?: Node[]
}

function styleOf({ properties }: Node): Style | undefined {
  const [name] = Array.isArray(properties?.className) ? properties.className : []
  return typeof name === 'string' ? STYLES[name.replace(/^hljs-/, '')] : undefined
}
