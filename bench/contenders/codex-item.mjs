/** Gives the consumer what an event of codex says. */
export function takeItem({ type, item }, consumer) {
  if (type !== 'item.completed') return
  if (item.type === 'agent_message') consumer.take('text_delta', item.text)
  else if (item.type === 'reasoning') consumer.take('thinking', item.text)
  else if (item.type === 'command_execution') consumer.take('tool_result', item.aggregated_output)
}
