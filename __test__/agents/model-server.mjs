#!/usr/bin/env node
// @ts-check
// A loopback stand-in for the model APIs: the real agent CLIs run against it offline, and the prompt decides what the model "says".
//   node __test__/agents/model-server.mjs [port=8771] [lifeMs=600000]      (for the agents' environments see claude-env.mjs, codex-env.mjs, …)
//
// How a request is answered: a function per API (Anthropic Messages, OpenAI Responses and Chat Completions, Gemini) reads the Conversation out of the body; `planFor` turns its
// keywords into a Plan that knows nothing of wire formats; the same API function sends that plan in its own format.
//
// Keywords, upper case, anywhere in what the human typed last (the answer to a tool result has none):
//   TOOL      one shell call, then text     FAILTOOL   the call exits 3          TWOTOOLS   two calls in one answer
//   BIGTOOL   the call prints 1 MB          SLEEPTOOL  the call sleeps for a minute, and so does a child of it
//   WRITETOOL creates the file path=<…>     AGENT      a subagent makes a shell call (the TOOL word beside AGENT, else TOOL)
//   THINK     thinking first                UNICODE    text outside ASCII        LONG       5,000 words at once
//   SLOW      100 words, 50 ms apart, or SLOWMS=<n>    GATE       waits after the first word for release()
//   LOOK      says which images it was sent
//   ECHO      lists the earlier prompts     HANG       starts, then silence      CUT        the stream breaks mid-text, every time
//   ERR400 ERR401 ERR429 ERR500 ERR529      that status, every time              RATE429    429 twice, then success
//   BARE      a 429 does not say when to come back
// Only codex has the tools for:
//   SEARCH    a web search                  MCPTOOL    the first tool of an MCP server
// Only qwen and opencode have it for:
//   PLANTOOL  a plan of two steps
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { chatConversation, chatPieces } from './chat-completions.mjs'
import {
  anythingOf,
  generateCall,
  generateConversation,
  generatePieces,
  generateRefusal,
  usageMetadata,
} from './generate-content.mjs'

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {{ input: number, output: number, cacheRead: number, cacheWrite: number }} Usage in tokens */
/**
 * What one request asked for and got. The path is without the query, the session names the conversation where the agent does, the
 * status is null until it is answered, the usage null unless an answer was sent to its end. The prompts are all that the human typed,
 * oldest first; the images are all of the conversation, as `data:` URLs.
 * @typedef {{ path: string, session: string, keywords: string[], prompts: string[], images: string[], status: number | null, model: string | null, usage: Usage | null }} RequestRecord
 */
/**
 * @typedef {object} ModelServer
 * @property {string} url
 * @property {number} port
 * @property {RequestRecord[]} requests all so far, in order of arrival
 * @property {(session?: string) => Usage} usage the sum over all answers that were sent to their end, or those of one session
 * @property {() => Promise<void>} gated resolves as soon as an answer waits at the gate
 * @property {() => void} release lets every answer go on that waits at the gate now
 * @property {() => Promise<void>} close breaks off what is still going on
 */
/**
 * @typedef {object} Exchange a request and what is needed to answer it
 * @property {any} body
 * @property {string} session names the conversation, where the agent does
 * @property {string} id differs for each exchange
 * @property {RequestRecord} record
 * @property {ServerResponse} response
 * @property {EventEmitter} gate emits `arrival` and `release`
 * @property {Map<string, number>} refusals how often RATE429 was refused, by session and prompt
 */
/** @typedef {{ prompt: string, earlier: string[], images: string[] }} Conversation what the human typed last ('' after tool results), and before that */
/** @typedef {{ kind: 'shell', command: string } | { kind: 'write', path: string } | { kind: 'subagent', prompt: string } | { kind: 'search' | 'mcp' | 'plan' }} Call */
/**
 * @typedef {object} Plan an answer, whatever the API
 * @property {string[]} thinking
 * @property {string[]} words
 * @property {number} delayMs between two words
 * @property {boolean} isGated whether it waits at the gate after the first word
 * @property {Call[]} calls
 * @property {'whole' | 'hang' | 'cut'} ending
 */

const USAGE = /** @satisfies {Usage} */ ({ input: 25, output: 15, cacheRead: 7, cacheWrite: 3 })
const KEYWORD =
  /\b(?:(?:(?:FAIL|BIG|SLEEP|WRITE|MCP|PLAN)?TOOL|TWOTOOLS|AGENT|SEARCH|THINK|UNICODE|LONG|SLOW|GATE|LOOK|ECHO|HANG|CUT|BARE|ERR[45]\d\d|RATE429)\b|SLOW(?=MS=\d))/g
const GREETING = ['Hello ', 'from ', 'the ', 'stand-in ', 'model.']
const AFTER_TOOLS = ['That ', 'is ', 'what ', 'came ', 'of ', 'it.']
// Accents within and apart from their letter, a script that runs from right to left, emoji of one and of several code points.
const BEYOND_ASCII = ['naïve ', 'cafe', '\u0301 ', '日本語 ', 'עברית ', '🦀🎉 ', '👩‍👩‍👧 ', '√Ω']
// Not `sleep`, which Claude Code refuses to run.
const SLEEPER = `node -e "setTimeout(() => {}, 60_000)"`
/** @type {Record<string, string[]>} */
const COMMANDS = {
  TOOL: ['echo hi-from-shell'],
  FAILTOOL: ['echo out; echo err >&2; exit 3'],
  TWOTOOLS: ['echo first-call', 'echo second-call'],
  SLEEPTOOL: [`${SLEEPER} & ${SLEEPER}`],
  BIGTOOL: ["head -c 1000000 /dev/zero | tr '\\0' x"],
}

/** What answers at each path; it leaves the response open only for HANG. @type {Record<string, (exchange: Exchange) => Promise<void>>} */
const APIS = {
  '/v1/messages': anthropicMessages,
  '/v1/messages/count_tokens': async (exchange) => sendJson(exchange, 200, { input_tokens: USAGE.input }),
  '/v1/responses': openaiResponses,
  '/v1/chat/completions': openaiChat,
  '/v1/models': async (exchange) => sendJson(exchange, 200, { object: 'list', data: [], models: [] }),
}

/**
 * Starts a server on 127.0.0.1.
 * @param {{ port?: number }} [options] port 0: any free one
 * @returns {Promise<ModelServer>}
 */
export async function startModelServer({ port = 0 } = {}) {
  /** @type {RequestRecord[]} */
  const requests = []
  const shared = { gate: new EventEmitter().setMaxListeners(0), refusals: new Map() }
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const session = String(request.headers['x-claude-code-session-id'] ?? '')
    /** @type {RequestRecord} */
    const record = {
      path,
      session,
      keywords: [],
      prompts: [],
      images: [],
      status: null,
      model: null,
      usage: null,
    }
    const id = String(requests.push(record))
    try {
      const body = JSON.parse(Buffer.concat(await request.toArray()).toString() || '{}')
      record.model = body.model ?? null
      const exchange = { ...shared, body, session, id, record, response }
      const api = APIS[path] ?? (generateCall(path) ? gemini : undefined)
      if (api) await api(exchange)
      else sendJson(exchange, 404, { error: { message: `nothing is served at ${path}` } })
    } catch (error) {
      // A body that is not JSON, or that broke off. Failures of our own end the answer, which no agent takes for a whole one.
      if (response.headersSent) response.destroy()
      else sendJson({ record, response }, 400, { error: { message: String(error) } })
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = /** @type {import('node:net').AddressInfo} */ (server.address()).port
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    usage: (session) =>
      requests
        .filter((request) => session === undefined || request.session === session)
        .flatMap(({ usage }) => usage ?? [])
        .reduce(sum, { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }),
    async gated() {
      if (shared.gate.listenerCount('release') === 0) await once(shared.gate, 'arrival')
    },
    release: () => void shared.gate.emit('release'),
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** @type {(a: Usage, b: Usage) => Usage} */
function sum(a, b) {
  const [cacheRead, cacheWrite] = [a.cacheRead + b.cacheRead, a.cacheWrite + b.cacheWrite]
  return { input: a.input + b.input, output: a.output + b.output, cacheRead, cacheWrite }
}

/** Decides what to answer. @type {(conversation: Conversation, keywords: string[]) => Plan} */
function planFor({ prompt, earlier, images }, keywords) {
  const has = (/** @type {string} */ keyword) => keywords.includes(keyword)
  const words = []
  if (has('LOOK'))
    words.push(`I see ${images.length} of them: `, images.map((url) => url.split(';')[0]).join(', '))
  if (has('ECHO')) words.push('Earlier prompts: ', JSON.stringify(earlier))
  if (has('UNICODE')) words.push(...BEYOND_ASCII)
  if (has('LONG')) words.push(...Array.from({ length: 5000 }, (_, i) => `word${i} `))
  if (has('SLOW')) words.push(...Array.from({ length: 100 }, (_, i) => `slow${i} `))
  return {
    thinking: has('THINK') ? ['Hmm, ', 'let me ', 'think.'] : [],
    words: words.length > 0 ? words : prompt === '' ? AFTER_TOOLS : GREETING,
    delayMs: Number(/\bSLOWMS=(\d+)/.exec(prompt)?.[1] ?? (has('SLOW') ? 50 : 0)),
    isGated: has('GATE'),
    calls: callsFor(prompt, keywords),
    ending: has('HANG') ? 'hang' : has('CUT') ? 'cut' : 'whole',
  }
}

/** @type {(prompt: string, keywords: string[]) => Call[]} */
function callsFor(prompt, keywords) {
  const shell = keywords.find((keyword) => keyword in COMMANDS)
  if (keywords.includes('AGENT'))
    return [{ kind: 'subagent', prompt: `Please run ${shell ?? 'TOOL'} and say what it printed.` }]
  if (keywords.includes('WRITETOOL')) {
    const [, inBrackets, bare] = /\bpath=(?:<([^>]+)>|([^\s<]+))/.exec(prompt) ?? []
    return [{ kind: 'write', path: inBrackets ?? bare ?? 'WRITETOOL needs path=<…> in the prompt' }]
  }
  for (const [keyword, kind] of /** @type {const} */ ([
    ['SEARCH', 'search'],
    ['MCPTOOL', 'mcp'],
    ['PLANTOOL', 'plan'],
  ]))
    if (keywords.includes(keyword)) return [{ kind }]
  return (shell ? (COMMANDS[shell] ?? []) : []).map((command) => ({ kind: 'shell', command }))
}

/** The words of a plan, each when it is due: half of them for one that is cut. @param {Plan} plan @param {Exchange} exchange */
async function* wordsInTime({ words, delayMs, isGated, ending }, { response, gate }) {
  for (const [i, word] of words.slice(0, ending === 'cut' ? words.length / 2 : undefined).entries()) {
    if (i > 0 && delayMs > 0) await sleep(delayMs)
    if (response.destroyed) return
    yield word
    if (i === 0 && isGated) await waitAtGate(gate, response)
  }
}

/**
 * Lets a test tell by order, not by time, what is shown while an answer is written.
 * @type {(gate: EventEmitter, response: ServerResponse) => Promise<void>}
 */
async function waitAtGate(gate, response) {
  const left = new AbortController()
  response.once('close', () => left.abort())
  const released = once(gate, 'release', { signal: left.signal })
  gate.emit('arrival')
  await released.catch(() => {}) // the client has left; whoever writes next notices
}

/** Whether RATE429 is to be refused now: twice, then not, and so on. @type {(exchange: Exchange, prompt: string) => boolean} */
function isRateLimited({ refusals, session }, prompt) {
  const key = `${session} ${prompt}`
  const refused = refusals.get(key) ?? 0
  refusals.set(key, (refused + 1) % 3)
  return refused < 2
}

/** @type {(exchange: Pick<Exchange, 'record' | 'response'>, status: number, body: object) => void} */
function sendJson({ record, response }, status, body) {
  record.status = status
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 429 && !record.keywords.includes('BARE') && { 'retry-after': '1' }),
  })
  response.end(JSON.stringify(body))
}

/** Writes down what is asked for, and decides on the status. @type {(exchange: Exchange, conversation: Conversation) => number} */
function statusFor(exchange, { prompt, earlier, images }) {
  const { record } = exchange
  record.keywords = [...new Set(prompt.match(KEYWORD))]
  record.prompts = [...earlier, prompt]
  record.images = images
  const wanted = record.keywords.find((keyword) => keyword.startsWith('ERR'))
  const isLimited = record.keywords.includes('RATE429') && isRateLimited(exchange, prompt)
  return wanted ? Number(wanted.slice(3)) : isLimited ? 429 : 200
}

/** The Anthropic Messages API, as far as Claude Code uses it. @param {Exchange} exchange */
async function anthropicMessages(exchange) {
  const { body, record, response, id } = exchange
  const conversation = anthropicConversation(body.messages ?? [])
  const status = statusFor(exchange, conversation)
  if (status !== 200) {
    /** @type {Record<number, string>} */
    const types = {
      400: 'invalid_request_error',
      401: 'authentication_error',
      429: 'rate_limit_error',
      529: 'overloaded_error',
    }
    const error = { type: types[status] ?? 'api_error', message: `the prompt asked for status ${status}` }
    return sendJson(exchange, status, { type: 'error', error, request_id: `req_${id}` })
  }
  const plan = planFor(conversation, record.keywords)
  const usage = {
    input_tokens: USAGE.input,
    cache_read_input_tokens: USAGE.cacheRead,
    cache_creation_input_tokens: USAGE.cacheWrite,
  }
  const ids = { id: `msg_${id}`, type: 'message', role: 'assistant', model: body.model }
  const message = { ...ids, content: [], stop_reason: null, stop_sequence: null }
  // Claude Code asks for this when streams keep breaking, so CUT succeeds in the end.
  if (!body.stream) {
    const content = [{ type: 'text', text: plan.words.join('') }]
    record.usage = { ...USAGE }
    return sendJson(exchange, 200, {
      ...message,
      content,
      stop_reason: 'end_turn',
      usage: { ...usage, output_tokens: USAGE.output },
    })
  }
  record.status = 200
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for await (const event of anthropicEvents(plan, exchange, {
    ...message,
    usage: { ...usage, output_tokens: 1 },
  })) {
    if (response.destroyed) return
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  await endAnswer(plan, exchange)
}

/** Ends an answer as planned. @param {Plan} plan @param {Exchange} exchange @param {Usage} usage */
async function endAnswer({ ending }, { record, response }, usage = USAGE) {
  if (ending === 'cut') {
    await sleep(100) // a client that learns of the end together with the last words may never show those
    response.socket?.destroySoon()
  }
  if (ending !== 'whole') return
  record.usage = { ...usage }
  response.end()
}

/** @param {Plan} plan @param {Exchange} exchange @param {object} message the answer before it has any content */
async function* anthropicEvents(plan, exchange, message) {
  const start = (/** @type {object} */ content_block) => ({
    type: 'content_block_start',
    index,
    content_block,
  })
  /** @type {(type: string, piece: object) => { type: string, [field: string]: unknown }} */
  const delta = (type, piece) => ({ type: 'content_block_delta', index, delta: { type, ...piece } })
  const stop = () => ({ type: 'content_block_stop', index: index++ })
  let index = 0
  yield { type: 'message_start', message }
  if (plan.ending === 'hang') return
  if (plan.thinking.length > 0) {
    yield start({ type: 'thinking', thinking: '', signature: '' })
    for (const thinking of plan.thinking) yield delta('thinking_delta', { thinking })
    yield delta('signature_delta', { signature: 'c2lnbmVk' })
    yield stop()
  }
  yield start({ type: 'text', text: '' })
  for await (const text of wordsInTime(plan, exchange)) yield delta('text_delta', { text })
  if (plan.ending === 'cut') return
  yield stop()
  const uses = plan.calls.flatMap((call) => anthropicToolUse(call, exchange.body.tools ?? []))
  for (const [i, { name, input }] of uses.entries()) {
    yield start({ type: 'tool_use', id: `toolu_${exchange.id}_${i}`, name, input: {} })
    for (const partial_json of JSON.stringify(input).match(/.{1,20}/gu) ?? [])
      yield delta('input_json_delta', { partial_json })
    yield stop()
  }
  const stop_reason = uses.length > 0 ? 'tool_use' : 'end_turn'
  yield {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: USAGE.output },
  }
  yield { type: 'message_stop' }
}

/** One use, or none when no tool on offer can do it. @type {(call: Call, tools: any[]) => { name: string, input: object }[]} */
function anthropicToolUse(call, tools) {
  /** @type {Partial<Record<Call['kind'], string[]>>} */
  const known = { shell: ['Bash'], write: ['Write'], subagent: ['Agent', 'Task'] }
  const names = known[call.kind] ?? []
  const tool = tools.find(({ name }) => names.includes(name))
  if (!tool) return []
  if (call.kind === 'shell')
    return [{ name: tool.name, input: { command: call.command, description: 'Run a command' } }]
  if (call.kind === 'write')
    return [{ name: tool.name, input: { file_path: call.path, content: 'Written by the model.\n' } }]
  if (call.kind !== 'subagent') return []
  // Where subagents run in the background unless told otherwise, the turn would end before they do.
  const foreground = tool.input_schema?.properties?.run_in_background && { run_in_background: false }
  const input = {
    description: 'Run a command',
    prompt: call.prompt,
    subagent_type: 'general-purpose',
    ...foreground,
  }
  return [{ name: tool.name, input }]
}

/**
 * Claude Code joins all user messages up to the next answer, so a prompt whose turn was interrupted or refused is still there beside
 * the one after it: only the last text counts as the prompt. @type {(messages: any[]) => Conversation}
 */
function anthropicConversation(messages) {
  const answered = messages.findLastIndex(({ role }) => role === 'assistant') + 1
  const prompts = (/** @type {any[]} */ some) =>
    some.flatMap(({ role, content }) => {
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
      return blocks.flatMap((/** @type {any} */ { type, text }) => (type === 'text' ? typed(role, text) : []))
    })
  const recent = prompts(messages.slice(answered))
  const images = messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .flatMap(({ type, source }) =>
      type === 'image' ? `data:${source.media_type};base64,${source.data}` : [],
    )
  return { prompt: recent.pop() ?? '', earlier: [...prompts(messages.slice(0, answered)), ...recent], images }
}

/** What of a text the human typed: nothing, or one prompt. @type {(role: string, text: string) => string[]} */
function typed(role, text) {
  // What is typed while a turn goes on arrives in the system's name, wrapped in an explanation.
  if (role === 'system')
    return (
      /^The user sent a new message while you were working:\n(.*?)(?=\n\nThis is how|$)/s
        .exec(text)
        ?.slice(1) ?? []
    )
  const own = text.replaceAll(/<(system-reminder|task-notification)>.*?<\/\1>/gs, '').trim()
  const isNote = /^\[(Request interrupted by user|Image: source: )/.test(own)
  return role !== 'user' || own === '' || isNote ? [] : [own]
}

/** The OpenAI Responses API, as far as codex uses it. @param {Exchange} exchange */
async function openaiResponses(exchange) {
  const { body, record, response, id } = exchange
  exchange.session = String(body.prompt_cache_key ?? '')
  const conversation = openaiConversation(body.input ?? [])
  const status = statusFor(exchange, conversation)
  if (status !== 200) {
    const error = { type: 'stand_in_error', code: null, message: `the prompt asked for status ${status}` }
    return sendJson(exchange, status, { error })
  }
  const plan = planFor(conversation, record.keywords)
  record.status = 200
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const answer = { id: `resp_${id}`, object: 'response', model: body.model }
  for await (const event of openaiEvents(plan, exchange, answer)) {
    if (response.destroyed) return
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  await endAnswer(plan, exchange)
}

/** @param {Plan} plan @param {Exchange} exchange @param {object} answer the answer before it has any content */
async function* openaiEvents(plan, exchange, answer) {
  /** @type {object[]} */
  const output = []
  const place = () => ({ output_index: output.length })
  const added = (/** @type {object} */ item) => ({ type: 'response.output_item.added', ...place(), item })
  const done = (/** @type {object} */ item) => {
    const event = { type: 'response.output_item.done', ...place(), item }
    output.push(item)
    return event
  }
  yield { type: 'response.created', response: { ...answer, status: 'in_progress', output: [] } }
  if (plan.ending === 'hang') return
  if (plan.thinking.length > 0) {
    const item = { type: 'reasoning', id: `rs_${exchange.id}`, encrypted_content: null }
    yield added({ ...item, summary: [] })
    for (const delta of plan.thinking)
      yield {
        type: 'response.reasoning_summary_text.delta',
        item_id: item.id,
        ...place(),
        summary_index: 0,
        delta,
      }
    yield done({ ...item, summary: [{ type: 'summary_text', text: plan.thinking.join('') }] })
  }
  const message = { type: 'message', role: 'assistant', id: `msg_${exchange.id}` }
  yield added({ ...message, status: 'in_progress', content: [] })
  let text = ''
  for await (const delta of wordsInTime(plan, exchange)) {
    text += delta
    yield { type: 'response.output_text.delta', item_id: message.id, ...place(), content_index: 0, delta }
  }
  if (plan.ending === 'cut') return
  yield done({ ...message, status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] })
  for (const [i, call] of plan.calls.entries())
    for (const item of openaiCall(call, exchange, i)) {
      yield added(item)
      yield done(item)
    }
  const { input, output: generated, cacheRead, cacheWrite } = USAGE
  const usage = {
    // Here what was read from the cache or written to it is a part of the input.
    input_tokens: input + cacheRead + cacheWrite,
    input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
    output_tokens: generated,
    output_tokens_details: { reasoning_tokens: 1 },
    total_tokens: input + cacheRead + cacheWrite + generated,
  }
  yield { type: 'response.completed', response: { ...answer, status: 'completed', output, usage } }
}

/** One item, or none when no tool on offer can do it. @type {(call: Call, exchange: Exchange, nth: number) => object[]} */
function openaiCall(call, { body, id }, nth) {
  const ids = { id: `fc_${id}_${nth}`, call_id: `call_${id}_${nth}` }
  /** @type {(name: string, args: object) => object[]} */
  const use = (name, args) => [{ type: 'function_call', ...ids, name, arguments: JSON.stringify(args) }]
  const names = (body.tools ?? []).map((/** @type {any} */ tool) => tool.name ?? tool.type)
  const shell = (/** @type {string} */ command) =>
    names.includes('exec_command')
      ? use('exec_command', { cmd: command })
      : names.includes('shell_command')
        ? use('shell_command', { command })
        : []
  if (call.kind === 'shell') return shell(call.command)
  if (call.kind === 'write') {
    const patch = `*** Begin Patch\n*** Add File: ${call.path}\n+Written by the model.\n*** End Patch\n`
    return names.includes('apply_patch')
      ? [{ type: 'custom_tool_call', ...ids, status: 'completed', name: 'apply_patch', input: patch }]
      : shell(`apply_patch <<'END'\n${patch}END\n`)
  }
  if (call.kind === 'search') {
    const action = { type: 'search', query: 'weather in Paris' }
    return [{ type: 'web_search_call', id: `ws_${id}`, status: 'completed', action }]
  }
  // These come in namespaces.
  const isSubagent = call.kind === 'subagent'
  const [prefix, args] = isSubagent
    ? ['multi_agent', { message: call.prompt }]
    : ['mcp__', { name: 'Quokka' }]
  const space = (body.tools ?? []).find(
    (/** @type {any} */ { type, name }) => type === 'namespace' && name.startsWith(prefix),
  )
  const tool = space?.tools.find((/** @type {any} */ { name }) => !isSubagent || name === 'spawn_agent')
  return tool ? use(tool.name, args).map((item) => ({ ...item, namespace: space.name })) : []
}

/** @type {(items: any[]) => Conversation} */
function openaiConversation(items) {
  const answered = items.findLastIndex(({ type, role }) => role === 'assistant' || /_call$/.test(type)) + 1
  const prompts = (/** @type {any[]} */ some) =>
    some
      .filter(({ type, role }) => type === 'message' && role === 'user')
      .flatMap(({ content }) => content.map((/** @type {any} */ { text }) => text ?? ''))
      // What codex says in the user's name: the environment, instructions, that a turn was interrupted.
      .filter((text) => text !== '' && !/^\s*(<[a-z_]+>|# AGENTS\.md)/.test(text))
  const recent = prompts(items.slice(answered))
  const images = items
    .flatMap(({ type, content }) => (type === 'message' ? content : []))
    .flatMap(({ type, image_url }) => (type === 'input_image' ? image_url : []))
  return { prompt: recent.pop() ?? '', earlier: [...prompts(items.slice(0, answered)), ...recent], images }
}

/** The Chat Completions API. @param {Exchange} exchange */
async function openaiChat(exchange) {
  const { body, record, response } = exchange
  const conversation = chatConversation(body.messages ?? [])
  const status = statusFor(exchange, conversation)
  if (status !== 200) {
    const error = { type: 'stand_in_error', code: null, message: `the prompt asked for status ${status}` }
    return sendJson(exchange, status, { error })
  }
  const plan = planFor(conversation, record.keywords)
  const usage = { ...USAGE, cacheWrite: 0 }
  record.status = 200
  if (!body.stream) {
    record.usage = usage
    const message = { role: 'assistant', content: plan.words.join('') }
    return sendJson(exchange, 200, {
      id: `chatcmpl-${exchange.id}`,
      object: 'chat.completion',
      model: body.model,
      choices: [{ index: 0, message, finish_reason: 'stop' }],
    })
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for await (const piece of chatPieces(plan, wordsInTime(plan, exchange), { ...exchange, usage })) {
    if (response.destroyed) return
    response.write(`data: ${JSON.stringify(piece)}\n\n`)
  }
  if (plan.ending === 'whole') response.write('data: [DONE]\n\n')
  await endAnswer(plan, exchange, usage)
}

/** The Gemini API. What is not streamed is what the CLI asks for itself, whose conversation is quoted and not to be answered. @param {Exchange} exchange */
async function gemini(exchange) {
  const { body, record, response, id } = exchange
  const { model, method } = /** @type {{ model: string, method: string }} */ (generateCall(record.path))
  const usage = { ...USAGE, cacheWrite: 0 }
  record.model = model
  if (method === 'countTokens') return sendJson(exchange, 200, { totalTokens: usage.input })
  if (method === 'generateContent') {
    const { responseJsonSchema, responseSchema } = body.generationConfig ?? {}
    const schema = responseJsonSchema ?? responseSchema
    const text = schema ? JSON.stringify(anythingOf(schema)) : GREETING.join('')
    record.usage = usage
    const candidates = [{ index: 0, content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }]
    return sendJson(exchange, 200, { candidates, modelVersion: model, usageMetadata: usageMetadata(usage) })
  }
  const conversation = generateConversation(body.contents ?? [])
  const status = statusFor(exchange, conversation)
  if (status !== 200)
    return sendJson(
      exchange,
      status,
      generateRefusal(status, status === 429 && !record.keywords.includes('BARE')),
    )
  const plan = planFor(conversation, record.keywords)
  record.status = 200
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for await (const piece of generatePieces(plan, wordsInTime(plan, exchange), { id, body, usage, model })) {
    if (response.destroyed) return
    response.write(`data: ${JSON.stringify(piece)}\n\n`)
  }
  await endAnswer(plan, exchange, usage)
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { url, close } = await startModelServer({ port: Number(process.argv[2] ?? 8771) })
  process.stdout.write(`${url}\n`)
  await sleep(Number(process.argv[3] ?? 600_000))
  await close()
}
