// @ts-check
// What the real agents are expected to do in which scenario. The tests beside this file run every one of them and fail where one does
// otherwise; `scripts/conformance.mjs` writes them as a table into docs/agents.md.

/** The scenarios, in the order of the table; what each of them is: `scenarios.ts`. */
export const SCENARIOS = /** @type {const} */ ([
  'text, word by word',
  'text beyond ASCII',
  '5,000 words at once',
  'thinking',
  'a tool that succeeds',
  'a tool that fails',
  'a tool that prints 1 MB',
  'a tool that is denied',
  'two tools in one answer',
  'a subagent',
  'a second turn in the same process',
  'going on in another process',
  'an interrupt that keeps the process',
  'the same while a tool runs',
  'a refused request',
  'an account that is not known',
  'a limit that passes',
  'a model that falls silent',
  'the tokens, exactly',
])

/** @typedef {(typeof SCENARIOS)[number]} Scenario */
/** @typedef {'claude' | 'codex' | 'codex, by `exec`' | 'gemini, by ACP' | 'gemini, by stream-json' | 'opencode, by ACP' | 'opencode, by its JSON stream' | 'qwen, by ACP'} Column */

/** What no agent can that is started for every turn and reads nothing but its prompt. */
const A_PROCESS_FOR_EVERY_TURN = {
  'a tool that is denied': 'it asks nobody: what it would ask about is not allowed',
  'a subagent': 'what subagents do is not told',
  'a second turn in the same process': 'every turn has a process of its own',
  'an interrupt that keeps the process': 'its process is ended; the next turn goes on with the conversation',
  'the same while a tool runs': 'its process is ended; the next turn goes on with the conversation',
}

/** Where an agent cannot do it, and why. @type {Record<Column, Partial<Record<Scenario, string>>>} */
export const GAPS = {
  claude: {},
  codex: {},
  'codex, by `exec`': {
    ...A_PROCESS_FOR_EVERY_TURN,
    'text, word by word': 'each message comes when it is complete',
    'the same while a tool runs': 'a tool is told when it has run',
    'a refused request': 'it does not say that it was the API that refused: `AGENT_ERROR`',
    'a limit that passes':
      'every try is a new conversation, for which the model server counts its refusals anew',
  },
  'gemini, by ACP': {
    'a tool that fails': 'it calls a command completed that left with 3, and does not tell the exit code',
    'a subagent':
      'where it would have to ask about subagents it refuses them, and in `yolo` it does not tell what they do',
    'an interrupt that keeps the process':
      'the process is kept, but it forgets a prompt that was interrupted before it was answered',
    'the tokens, exactly':
      'it does not tell what was read from the cache, nor what was spent on thoughts and on choosing the model',
  },
  'gemini, by stream-json': {
    thinking: 'what it thinks is not told',
    'a tool that fails': 'it calls a command completed that left with 3, and does not tell the exit code',
    ...A_PROCESS_FOR_EVERY_TURN,
  },
  'opencode, by ACP': {
    'a subagent': 'what subagents do is not told, and what they would ask about is asked nobody: they wait',
    'the tokens, exactly': 'of a turn it tells only the tokens of the last request; the cost is that of all',
  },
  'opencode, by its JSON stream': {
    ...A_PROCESS_FOR_EVERY_TURN,
    'text, word by word': 'each message comes when it is complete',
    'the same while a tool runs': 'a tool is told when it has run',
  },
  'qwen, by ACP': {
    'a tool that fails': 'it calls a command completed that left with 3; the exit code is in what it printed',
    'a subagent': 'its subagents are not marked',
  },
}
