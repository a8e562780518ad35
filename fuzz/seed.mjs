// Writes the first corpus of every target to `corpus/`: the recordings of real agents, and lines that are meant badly.
// Usage: node fuzz/seed.mjs

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const transcripts = join(here, '../fixtures/transcripts')

function recordings() {
  return readdirSync(transcripts, { recursive: true })
    .filter((path) => path.endsWith('.jsonl'))
    .map((path) => readFileSync(join(transcripts, path), 'utf8'))
    .map((text) => text.replace(/^>>> .*\n/gm, '').replace(/^<<< /gm, ''))
}

const delta = (text) =>
  `{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}},"session_id":"s","parent_tool_use_id":null,"uuid":"u"}`
const whole = (text) => `{"type":"assistant","message":{"content":[{"type":"text","text":"${text}"}]}}`
const result = (fields) => `{"type":"result","is_error":false,"result":"done"${fields}}`
const deep = '{"a":['.repeat(300) + ']}'.repeat(300)

const nasty = [
  delta('\\ud83d'),
  delta('\\ude00\\ud83d\\ude00'),
  delta('\u001b[31m\t\u0000'),
  delta('\\u0000\\u001b\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9'),
  delta('a\u2028b\u0085c\ufeff'),
  delta('a').replace('"index":0', '"index":1e999'),
  delta('a').replace('"uuid":"u"', '"uuid":"u","abandoned_blocks":{}'),
  `${delta('a')}${delta('b')}`,
  `${whole('a')} \r${result('')}`,
  whole('\\ud83d'),
  whole('x').replace('"message"', '"message":5,"message"'),
  whole('x').replace('"type":"text"', '"type":5,"type":"text"'),
  `{"type":"assistant","error":"rate_limit","message":{"content":[]}}`,
  `{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"Bash","input":{"a":1e999,"a":9007199254740993}}]}}`,
  `{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","is_error":1,"content":[{"type":"text","text":"\\udfff"}]}]},"tool_use_result":{}}`,
  `{"type":"user","isReplay":null,"message":{"content":"text"}}`,
  `{"type":"control_request","request_id":"1","request":{"subtype":"can_use_tool","tool_name":"Bash","input":${deep}}}`,
  `{"type":"control_request","request_id":"1","request":{"subtype":5}}`,
  `{"type":"control_cancel_request","request_id":"1"}`,
  `{"type":"command_lifecycle","command_uuid":"u","state":"started"}`,
  `{"type":"system","subtype":"init","session_id":"s","session_id":"t","model":{}}`,
  `{"type":"system","subtype":"api_retry","retry_delay_ms":1e308}`,
  `{"type":"stream_event","event":{"type":"message_start","message":{"usage":{"input_tokens":18446744073709551615}}}}`,
  result(',"usage":{"input_tokens":-1,"output_tokens":1.5},"total_cost_usd":-0.5'),
  result(',"modelUsage":{"a":null,"b":{"inputTokens":18446744073709551615}},"total_cost_usd":1e308'),
  result(`,"usage":${deep},"subtype":1e999,"parent_tool_use_id":[]`),
  result(',"is_error":true,"errors":[null,"x"],"api_error_status":70000,"origin":{"kind":"task"}'),
  '\ufeff{"type":"keep_alive"}\r',
  '[1,2] {} 3',
  deep,
  '['.repeat(500),
  'Debugger attached.',
]

const hostile = [
  '\u001b]52;c;cm0gLXJm\u0007a',
  '\u001b]8;;http://evil.example\u001b\\text\u001b]8;;\u001b\\',
  '\u001b]0;title\u0007\u001b[2J\u001b[H\u001b[31mred\u001b[0m',
  '\u001bP1$r0m\u001b\\a\u001b_G;payload\u001b\\b\u001b^p\u001b\\c\u001bXs\u001b\\d',
  '\u009b31ma\u009d52;c;x\u009cb\u0090q\u009c',
  'safe\rEVIL\b\b\u0007\u000b\u000c\u007f\t\n',
  '\u202eevil\u202c \u2066x\u2069 \u200f\u061c\ufeff\u2028',
  '\u001b[200~paste\u001b[201~\u001b(0x\u001bc\u001b7',
  '\u001b]52;c;unterminated\nnext \u001b[38:2::1;2;3',
  'naïve 日本語 👩‍👩‍👧 עברית e\u0301 \u001bé\u001b[é\u001b]é',
]

function write(target, ...seeds) {
  const folder = join(here, 'corpus', target)
  mkdirSync(folder, { recursive: true })
  for (const parts of seeds) {
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)))
    writeFileSync(join(folder, createHash('sha1').update(bytes).digest('hex')), bytes)
  }
}

// In front of the text are the bytes that `arbitrary` takes for a target's other inputs.
const texts = recordings()
const lines = [
  ...new Map(
    texts.flatMap((text) => text.split('\n')).map((line) => [line.replace(/[\d-]+/g, ''), line]),
  ).values(),
]
const short = lines.filter((line) => line.length < 3000)
const latin1 = (line) => Buffer.from(line, 'latin1')

const rpc = (method, params) =>
  JSON.stringify({ method, id: undefined, params: { threadId: 't', ...params } })
const nastyOfCodex = [
  '{"id":2,"result":{"thread":{"id":"t"}}}\n{"id":3,"result":{"turn":{"id":"u"}}}\n' +
    rpc('turn/started', { turn: { id: 'u' } }) +
    '\n' +
    rpc('turn/completed', { turn: { id: 'u', status: 'failed', error: { codexErrorInfo: deep } } }),
  '{"id":2,"error":{}}\n{"id":3,"error":null}\n{"id":-1}\n{"id":"2","result":[]}',
  '{"id":[],"method":"item/fileChange/requestApproval"}\n{"id":[],"method":"serverRequest/resolved"}',
  rpc('item/started', {
    item: { type: 'fileChange', id: 'f', changes: [1, { kind: 5 }, { kind: { type: [] } }] },
  }),
  rpc('item/completed', {
    item: { type: 'CommandÉxecution', id: 'c', command: "sh -c '", exitCode: 2 ** 70 },
  }),
  rpc('turn/plan/updated', { plan: [{}, null, { step: 5 }] }),
  rpc('thread/tokenUsage/updated', {
    tokenUsage: { total: { inputTokens: 2 ** 64, cachedInputTokens: 2 ** 64 } },
  }),
  rpc('account/rateLimits/updated', { rateLimits: { primary: { usedPercent: 1e308, resetsAt: 2 ** 63 } } }),
  rpc('error', { willRetry: true, error: { message: 'Reconnecting... 18446744073709551616/0' } }),
]
for (const line of [...short, ...nasty, ...nastyOfCodex]) {
  write('codex', [[0, 8, 0], line, '\n'], [[0, 8, 1], line, '\n'])
}
for (const text of texts) {
  write('codex', [[0, 8, 0], text.slice(0, 9000)], [[0, 8, 0], text.slice(-4000)])
}

const nastyOfGemini = [
  '{"type":"tool_use","tool_name":"glob","tool_id":"t"}\n{"type":"tool_use","tool_name":"glob","tool_id":"t"}\n{"type":"tool_result","tool_id":"t","status":5}',
  '{"type":"tool_use","tool_name":"write_todos","tool_id":"p","parameters":{"todos":[5,{}]}}\n{"type":"tool_result","tool_id":"p"}',
  `{"type":"tool_use","tool_name":"x","tool_id":"","parameters":${deep}}`,
  '{"type":"message","role":"assistant","content":"\\ud83d"}',
  '{"type":"error","message":[]}\n{"type":"result","status":"error","error":{"message":"[API Error: {\\"error\\":{}}]"}}',
  '{"type":"result","stats":{"total_tokens":18446744073709551615,"models":{"a":null,"b":{"cached":18446744073709551615}}}}',
]
for (const line of [...short, ...nasty, ...nastyOfGemini]) write('gemini', [[0, 8], line, '\n'])
for (const text of texts) write('gemini', [[0, 8], text.slice(0, 9000)])

const update = (more) => rpc('session/update', { sessionId: 's', update: more })
const nastyOfAcp = [
  '{"id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}}\n{"id":2,"result":null}\n{"id":3}',
  '{"id":1,"error":{"code":-32000,"data":[]}}\n{"id":2,"error":{"code":"429","message":"status 429"}}',
  update({
    sessionUpdate: 'tool_call',
    toolCallId: 't',
    kind: 'edit',
    status: 'completed',
    rawInput: [1],
    content: [5],
  }),
  update({
    sessionUpdate: 'tool_call_update',
    toolCallId: 't',
    title: '',
    status: 'failed',
    rawOutput: 2 ** 70,
  }),
  update({ sessionUpdate: 'plan', entries: [{}, null, { content: 5 }] }),
  update({ sessionUpdate: 'usage_update', cost: { amount: 1e308, currency: 'USD' } }),
  update({
    sessionUpdate: 'agent_message_chunk',
    _meta: { usage: { inputTokens: 2 ** 64, totalTokens: 1 } },
  }),
  '{"id":[],"method":"session/request_permission","params":{"toolCall":{"toolCallId":"t"},"options":[{"kind":5}]}}',
  '{"method":"$/cancel_request","params":{"requestId":[]}}',
]
for (const line of [...short, ...nasty, ...nastyOfAcp]) {
  write('acp', [[0, 8, 0, 1], line, '\n'], [[0, 8, 1, 0], line, '\n'])
}
for (const text of texts) {
  write('acp', [[0, 8, 0, 0], text.slice(0, 9000)], [[0, 8, 0, 1], text.slice(-4000)])
}

for (const line of [...short, ...nasty]) {
  write('claude', [[40, 0, 1], line, '\n'], [[40, 0, 0], latin1(line), '\n'])
  write('repair', [line])
}
for (const text of texts) {
  write('claude', [[0, 8, 1], text.slice(0, 4000)], [[0, 8, 1], text.slice(-4000)])
}
for (const text of [...nasty, 'a\r\nb\rc\n\nd', `${'x'.repeat(3000)}\r\n`]) {
  write('frame', [[100, 0], [1, 7, 0, 1, 1, 0, 0], [0], text], [[0, 8], [0], [40], text])
}
for (const text of [...hostile, ...hostile.map((text) => hostile.join(text)), ...short.slice(0, 20)]) {
  write('sanitizer', [[0], text], [[1, 1, 1, 3, 0], text])
}

// The others make what they feed out of any bytes.
let state = 1
const nextByte = () => {
  state = (state * 48271) % 0x7fffffff
  return state & 0xff
}
const bytes = (length) => Buffer.from(Array.from({ length }, nextByte))
for (let length = 16; length <= 2048; length *= 2) {
  for (let nth = 0; nth < 8; nth++) {
    write('batch', [bytes(length)])
    write('claude_structured', [bytes(length)])
  }
}
