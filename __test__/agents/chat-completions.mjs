// @ts-check
// OpenAI's Chat Completions API in the words of the stand-in (see model-server.mjs), as far as qwen and opencode use it: what was
// said before, out of a request; and the pieces of an answer, out of a plan.

/** @typedef {import('./model-server.mjs').Call} Call */
/** @typedef {import('./model-server.mjs').Conversation} Conversation */
/** @typedef {import('./model-server.mjs').Plan} Plan */
/** @typedef {import('./model-server.mjs').Usage} Usage */

/**
 * What agents say in the user's name: the environment, reminders, a summary of the project.
 */
const NOT_TYPED = /^\s*(<[a-z_-]+>|This is the Qwen Code|Got it)/

/**
 * The prompts of a conversation. A prompt whose turn was interrupted or refused may stand beside the one after it: only the last counts.
 * @type {(messages: any[]) => Conversation}
 */
export function chatConversation(messages) {
  const answered = messages.findLastIndex(({ role }) => role === 'assistant' || role === 'tool') + 1
  const prompts = (/** @type {any[]} */ some) =>
    some
      .filter(({ role }) => role === 'user')
      .flatMap(({ content }) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content))
      .flatMap(({ text }) => text ?? '')
      .filter((text) => text.trim() !== '' && !NOT_TYPED.test(text))
  const recent = prompts(messages.slice(answered))
  const images = messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .flatMap(({ image_url }) => image_url?.url ?? [])
  return { prompt: recent.pop() ?? '', earlier: [...prompts(messages.slice(0, answered)), ...recent], images }
}

/**
 * The pieces of an answer, each to be sent as one event.
 * @param {Plan} plan
 * @param {AsyncIterable<string>} words
 * @param {{ id: string, body: any, usage: Usage }} exchange
 */
export async function* chatPieces(plan, words, { id, body, usage }) {
  const piece = (/** @type {object} */ delta, /** @type {string | null} */ finish_reason = null) => ({
    id: `chatcmpl-${id}`,
    object: 'chat.completion.chunk',
    created: 0,
    model: body.model,
    choices: [{ index: 0, delta, finish_reason }],
  })
  yield piece({ role: 'assistant', content: '' })
  if (plan.ending === 'hang') return
  for (const reasoning_content of plan.thinking) yield piece({ reasoning_content })
  for await (const content of words) yield piece({ content })
  if (plan.ending === 'cut') return
  const uses = plan.calls.flatMap((call) => chatToolUse(call, body.tools ?? []))
  for (const [index, { name, args }] of uses.entries()) {
    const use = { name, arguments: JSON.stringify(args) }
    yield piece({ tool_calls: [{ index, id: `call_${id}_${index}`, type: 'function', function: use }] })
  }
  yield piece({}, uses.length > 0 ? 'tool_calls' : 'stop')
  const prompt_tokens = usage.input + usage.cacheRead
  yield {
    ...piece({}),
    choices: [],
    usage: {
      prompt_tokens,
      // Here what was read from the cache is a part of the prompt; nothing is said of what was written to it.
      prompt_tokens_details: { cached_tokens: usage.cacheRead },
      completion_tokens: usage.output,
      total_tokens: prompt_tokens + usage.output,
    },
  }
}

/** One use, or none when no tool on offer can do it. @type {(call: Call, tools: any[]) => { name: string, args: object }[]} */
function chatToolUse(call, tools) {
  const offered = tools.map((tool) => tool.function.name)
  const use = (/** @type {string} */ name, /** @type {object} */ args) =>
    offered.includes(name) ? [{ name, args }] : []
  if (call.kind === 'shell') {
    const args = { command: call.command, description: 'Run a command' }
    return [...use('run_shell_command', { ...args, is_background: false }), ...use('bash', args)]
  }
  if (call.kind === 'write') {
    const content = 'Written by the model.\n'
    return [
      ...use('write_file', { file_path: call.path, content }),
      ...use('write', { filePath: call.path, content }),
    ]
  }
  if (call.kind === 'subagent') {
    return use('task', { description: 'Look', prompt: call.prompt, subagent_type: 'general' })
  }
  if (call.kind === 'plan') {
    const steps = [
      { content: 'look', status: 'completed', priority: 'high', id: '1' },
      { content: 'leap', status: 'in_progress', priority: 'medium', id: '2' },
    ]
    return [...use('todo_write', { todos: steps }), ...use('todowrite', { todos: steps })]
  }
  return []
}
