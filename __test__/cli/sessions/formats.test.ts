import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { sessionToHtml } from '../../../ts/cli/sessions/formats/html.js'
import { sessionToJson } from '../../../ts/cli/sessions/formats/json.js'
import { sessionToMarkdown } from '../../../ts/cli/sessions/formats/markdown.js'
import type { ConversationMessage, StoredSession } from '../../../ts/index.js'

const at = (minute: number) => new Date(2026, 1, 1, 9, minute).getTime()

const messages: ConversationMessage[] = [
  { role: 'user', content: 'create a *plan*', timestamp: at(30), runId: 'r1' },
  {
    ...{
      role: 'assistant',
      content: '# Plan\n\n```ts\nif (a < b) {}\n```\n',
      timestamp: at(31),
      runId: 'r1',
    },
    metadata: { toolsUsed: ['Read', 'Write'], durationMs: 8200 },
  },
  { role: 'user', content: 'go on', timestamp: at(40), runId: 'r2' },
  { role: 'assistant', content: '', timestamp: at(41), runId: 'r2', metadata: { errorCode: 'RATE_LIMIT' } },
  { role: 'user', content: 'and now?', timestamp: at(50), runId: 'r3' },
  { role: 'assistant', content: 'half', timestamp: at(51), runId: 'r3', metadata: { interrupted: true } },
]

function session(said: ConversationMessage[] = messages, title = 'The plan'): StoredSession {
  const facts = { id: 'a8f3d9e2-0000', createdAt: at(30), provider: 'claude' }
  return {
    ...{ ...facts, projectPath: '/project', messages: said, records: [], agentSessions: {}, problems: [] },
    summary: {
      ...{ ...facts, title, preview: 'create a *plan*', updatedAt: at(51), model: 'fake-1', turns: 3 },
      ...{ messages: said.length, sizeBytes: 1, costUsd: 0.25, interrupted: true, compressed: false },
      ...{ format: 'locus-exec', open: false },
    },
  }
}

const ESCAPE = '\u001b'
const HOSTILE = `</div><script>alert(1)</script><img src=x onerror=alert(2)> "' ${ESCAPE}]52;c;c2VjcmV0\u0007${ESCAPE}[2J\u202e\u0000`

describe('JSON', () => {
  it('has the shape of the plan', () => {
    expect(JSON.parse(sessionToJson(session()))).toEqual({
      id: 'a8f3d9e2-0000',
      title: 'The plan',
      projectPath: '/project',
      messages: [
        { role: 'user', content: 'create a *plan*', timestamp: at(30) },
        {
          ...{ role: 'assistant', content: messages[1]?.content, timestamp: at(31) },
          metadata: { toolsUsed: ['Read', 'Write'], duration: 8200 },
        },
        { role: 'user', content: 'go on', timestamp: at(40) },
        { role: 'assistant', content: '', timestamp: at(41), metadata: { errorCode: 'RATE_LIMIT' } },
        { role: 'user', content: 'and now?', timestamp: at(50) },
        { role: 'assistant', content: 'half', timestamp: at(51), metadata: { interrupted: true } },
      ],
      createdAt: at(30),
      updatedAt: at(51),
      metadata: { model: 'fake-1', provider: 'claude' },
    })
  })

  it('is readable, loses nothing, and has nothing that a terminal would obey', () => {
    const said = [{ role: 'user' as const, content: HOSTILE, timestamp: 0, runId: '' }]
    const json = sessionToJson(session(said))
    expect(json).toContain('\n  "projectPath": "/project",\n')
    expect(JSON.parse(json).messages[0].content).toBe(HOSTILE)
    expect(json).not.toMatch(/[^\n\x20-\x7e]/)
  })
})

describe('Markdown', () => {
  it('is what was said, under who said it', () => {
    expect(sessionToMarkdown(session())).toMatchInlineSnapshot(`
      "# The plan

      - Session: \`a8f3d9e2-0000\`
      - Agent: claude fake-1
      - 3 turns, 2026-02-01 09:30 to 2026-02-01 09:51
      - Cost: $0.25

      ## You

      *2026-02-01 09:30*

      create a *plan*

      ## claude

      *2026-02-01 09:31 · 8.2s · tools: Read, Write*

      # Plan

      \`\`\`ts
      if (a < b) {}
      \`\`\`

      ## You

      *2026-02-01 09:40*

      go on

      ## claude

      *2026-02-01 09:41*

      *(failed: RATE\\_LIMIT)*

      ## You

      *2026-02-01 09:50*

      and now?

      ## claude

      *2026-02-01 09:51*

      half

      *(interrupted)*
      "
    `)
  })

  it('has nothing that a terminal would obey, and no Markdown in what is not said', () => {
    const hostile = { role: 'user' as const, content: HOSTILE, timestamp: 0, runId: '' }
    const markdown = sessionToMarkdown(session([hostile], `# *x* <b>${ESCAPE}[31m`))
    expect(markdown.split('\n')[0]).toBe('# \\# \\*x\\* \\<b\\>')
    expect(markdown.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  })
})

describe('HTML', () => {
  it('is one page that says what was said', () => {
    const html = sessionToHtml(session())
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(html).toContain('<title>The plan</title>')
    expect(html).toContain('if (a &lt; b) {}')
    expect(html).toContain(
      'claude fake-1 · 3 turns · 2026-02-01 09:30 to 2026-02-01 09:51 · $0.25 · a8f3d9e2-0000',
    )
    expect(html).toContain('8.2s · tools: Read, Write')
    expect(html).toContain('<p class="mark">failed: RATE_LIMIT</p>')
    expect(html).toContain('<p class="mark">interrupted</p>')
    expect(html.match(/<article class="user">/g)).toHaveLength(3)
  })

  it('needs nothing from anywhere, and allows nothing but its own style', () => {
    const html = sessionToHtml(session())
    const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(html).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    )
    expect(html).not.toMatch(
      /<(script|link|img|iframe|object)|\bhref=|\bsrc=|\bstyle=|\bon\w+=|@import|url\(/,
    )
    expect(style).toContain('prefers-color-scheme: dark')
  })

  it('has nothing in it that the session could have put there', () => {
    const said = messages.map((message) => ({
      ...{ ...message, content: HOSTILE },
      ...(message.metadata && {
        metadata: { ...message.metadata, toolsUsed: [HOSTILE], errorCode: HOSTILE },
      }),
    }))
    const stored = session(said, HOSTILE)
    const tags = (html: string) => new Set(html.match(/<\/?[a-z1-6]+/g))
    const html = sessionToHtml({
      ...stored,
      summary: { ...stored.summary, provider: HOSTILE, model: HOSTILE },
    })
    expect(tags(html)).toEqual(tags(sessionToHtml(session())))
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(html).toContain('&quot;&#39;')
    expect(html.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  })

  it('shows messages without a time', () => {
    const said = [{ role: 'user' as const, content: 'x', timestamp: Number.NaN, runId: '' }]
    expect(sessionToHtml(session(said))).toContain('<h2>You <small></small></h2>')
  })
})
