// @ts-check
// Google's Gemini API in the words of the stand-in (see model-server.mjs), as far as Gemini CLI uses it: what was said before, out of
// a request; the pieces of an answer, out of a plan; and answers to what the CLI asks the model for itself.

/** @typedef {import('./model-server.mjs').Call} Call */
/** @typedef {import('./model-server.mjs').Conversation} Conversation */
/** @typedef {import('./model-server.mjs').Plan} Plan */
/** @typedef {import('./model-server.mjs').Usage} Usage */

/** What Gemini CLI says in the user's name: the environment, what hooks and files say, that a subagent is to begin. */
const NOT_TYPED = /^\s*(<[a-z_-]+>|This is the Gemini CLI|Got it|--- |\nContent from)/

/** The words of the API for a status. @type {Record<number, string>} */
const STATUSES = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  529: 'UNAVAILABLE',
}

/**
 * The model and the method that a path is about: `/v1beta/models/<model>:<method>`.
 * @param {string} path
 */
export function generateCall(path) {
  const [, model, method] = /^\/v1(?:beta)?\/models\/([^:/]+):(\w+)$/.exec(path) ?? []
  return model && method ? { model, method } : null
}

/** A refusal in the words of the API. @param {number} status @param {boolean} saysWhen */
export function generateRefusal(status, saysWhen) {
  const again = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' }
  return {
    error: {
      code: status,
      message: `the prompt asked for status ${status}`,
      status: STATUSES[status] ?? 'UNKNOWN',
      ...(saysWhen && { details: [again] }),
    },
  }
}

/**
 * The prompts of a conversation. A prompt whose turn was interrupted or refused may stand beside the one after it: only the last counts.
 * @type {(contents: any[]) => Conversation}
 */
export function generateConversation(contents) {
  const answered =
    contents.findLastIndex(({ role, parts }) => role === 'model' || parts.some(isFunctionResponse)) + 1
  const prompts = (/** @type {any[]} */ some) =>
    some
      .filter(({ role }) => role === 'user')
      .flatMap(({ parts }) => parts.flatMap((/** @type {any} */ { text }) => text ?? ''))
      .filter((text) => text.trim() !== '' && !NOT_TYPED.test(text))
  const recent = prompts(contents.slice(answered))
  const images = contents
    .flatMap(({ parts }) => parts)
    .flatMap(({ inlineData }) => (inlineData ? `data:${inlineData.mimeType};base64,${inlineData.data}` : []))
  return { prompt: recent.pop() ?? '', earlier: [...prompts(contents.slice(0, answered)), ...recent], images }
}

/** @param {any} part */
function isFunctionResponse(part) {
  return part.functionResponse !== undefined
}

/** How many tokens were used, in the words of the API: what was thought is no part of what was said. @param {Usage} usage */
export function usageMetadata({ input, output, cacheRead }) {
  const promptTokenCount = input + cacheRead
  return {
    promptTokenCount,
    cachedContentTokenCount: cacheRead,
    candidatesTokenCount: output - 1,
    thoughtsTokenCount: 1,
    totalTokenCount: promptTokenCount + output,
  }
}

/**
 * The pieces of an answer, each to be sent as one event.
 * @param {Plan} plan
 * @param {AsyncIterable<string>} words
 * @param {{ id: string, body: any, usage: Usage, model: string }} exchange
 */
export async function* generatePieces(plan, words, { id, body, usage, model }) {
  const piece = (/** @type {object[]} */ parts, /** @type {object} */ more = {}) => ({
    candidates: [{ index: 0, content: { role: 'model', parts }, ...more }],
    modelVersion: model,
    responseId: id,
  })
  // It says how much it was given before it says anything else.
  yield piece([{ text: '' }])
  if (plan.ending === 'hang') return
  // Thoughts come summed up, one at a time.
  if (plan.thinking.length > 0) yield piece([{ text: plan.thinking.join(''), thought: true }])
  for await (const text of words) yield piece([{ text }])
  if (plan.ending === 'cut') return
  const uses = plan.calls.flatMap((call) => generateFunctionCall(call, body.tools ?? []))
  if (uses.length > 0) yield piece(uses.map((functionCall) => ({ functionCall })))
  yield { ...piece([{ text: '' }], { finishReason: 'STOP' }), usageMetadata: usageMetadata(usage) }
}

/** One use, or none when no tool on offer can do it. @type {(call: Call, tools: any[]) => { name: string, args: object }[]} */
function generateFunctionCall(call, tools) {
  const offered = tools
    .flatMap(({ functionDeclarations }) => functionDeclarations ?? [])
    .map((/** @type {any} */ { name }) => name)
  const use = (/** @type {string} */ name, /** @type {object} */ args) =>
    offered.includes(name) ? [{ name, args }] : []
  if (call.kind === 'shell')
    return use('run_shell_command', { command: call.command, description: 'Run a command' })
  if (call.kind === 'write')
    return use('write_file', { file_path: call.path, content: 'Written by the model.\n' })
  if (call.kind === 'subagent') return use('invoke_agent', { agent_name: 'generalist', prompt: call.prompt })
  return []
}

/**
 * Something that a schema allows: what the CLI asks the model for itself, such as which model to take, and who speaks next.
 * @param {any} schema
 * @returns {unknown}
 */
export function anythingOf(schema) {
  switch (String(schema.type).toLowerCase()) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, property]) => [name, anythingOf(property)]),
      )
    case 'array':
      return []
    case 'boolean':
      return false
    case 'number':
    case 'integer':
      return schema.minimum ?? 1
    default:
      // The turn is the user's, where that is among what can be said.
      return schema.enum?.includes('user') ? 'user' : (schema.enum?.[0] ?? 'stand-in')
  }
}
