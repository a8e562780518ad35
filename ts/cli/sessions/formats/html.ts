import { createHash } from 'node:crypto'

import type { ConversationMessage } from '../../../conversation.js'
import type { StoredSession } from '../../../history.js'
import { shownName } from '../../file-names.js'
import { costText, formatCount, formatDuration, formatTime } from '../../format.js'
import { cleanValue } from '../../renderers/clean-text.js'
import { titleOf } from '../find-session.js'
import { agentOf } from '../list.js'

/**
 * A conversation as one HTML page that needs nothing else: no script, no font, no request. Everything from the session is
 * escaped, and the policy of the page allows its own style and nothing more.
 */
export function sessionToHtml(stored: StoredSession): string {
  const { summary, messages } = cleanValue(stored)
  const { id, provider, model, turns, createdAt, updatedAt } = summary
  const title = escaped(titleOf(summary))
  const facts = [
    agentOf(provider, model),
    formatCount(turns, 'turn'),
    `${formatTime(createdAt)} to ${formatTime(updatedAt)}`,
    ...(summary.costUsd === undefined ? [] : [costText(summary)]),
    id,
  ]
  const hash = createHash('sha256').update(STYLE).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1 dir="auto">${title}</h1>
<p>${escaped(facts.join(' · '))}</p>
</header>
<main>
${messages.map((message) => article(message, provider)).join('\n')}
</main>
</body>
</html>
`
}

function article({ role, content, timestamp, metadata = {} }: ConversationMessage, provider: string): string {
  const { toolsUsed = [], durationMs, interrupted, errorCode, images = [] } = metadata
  const who = role === 'user' ? 'You' : provider || 'Agent'
  const facts = [
    ...(durationMs === undefined ? [] : [formatDuration(durationMs)]),
    ...(toolsUsed.length > 0 ? [`tools: ${toolsUsed.join(', ')}`] : []),
    ...images.map(({ name }) => `image: ${shownName(name)}`),
  ]
  const date = new Date(timestamp)
  const time = Number.isNaN(date.getTime())
    ? ''
    : `<time datetime="${date.toISOString()}">${formatTime(timestamp)}</time>`
  const about = [time, escaped(facts.join(' · '))].filter(Boolean).join(' · ')
  const marks = [
    ...(interrupted ? ['<p class="mark">interrupted</p>'] : []),
    ...(errorCode === undefined ? [] : [`<p class="mark">failed: ${escaped(errorCode)}</p>`]),
  ].join('')
  return `<article class="${role === 'user' ? 'user' : 'assistant'}">
<h2>${escaped(who)} <small>${about}</small></h2>
<div class="text" dir="auto">${escaped(content.trim())}</div>${marks}
</article>`
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text in which nothing is HTML, in an element as in an attribute. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

const STYLE = `
:root { color-scheme: light dark; --text: #1f2328; --dim: #636c76; --back: #fff; --user: #eef4fb; --line: #d1d9e0; --mark: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --dim: #9198a1; --back: #0d1117; --user: #15202e; --line: #30363d; --mark: #d29922; }
}
body { margin: 0 auto; max-width: 52rem; padding: 2rem 1rem; background: var(--back); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
header p, small { color: var(--dim); font-size: 0.85rem; font-weight: normal; }
article { border-top: 1px solid var(--line); padding: 0.5rem 1rem 1rem; }
article.user { background: var(--user); }
h2 { font-size: 1rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: 0.9rem; }
.mark { color: var(--mark); }
`
