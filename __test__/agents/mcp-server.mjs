// @ts-check
// A server of one tool, by the Model Context Protocol over stdio: `greet` says hello to a name.
import { createInterface } from 'node:readline'

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  const answer = (/** @type {object} */ result) =>
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
  if (method === 'initialize') {
    const { protocolVersion } = params
    answer({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'quokka', version: '1' } })
  } else if (method === 'tools/list') {
    const inputSchema = { type: 'object', properties: { name: { type: 'string' } } }
    answer({ tools: [{ name: 'greet', description: 'Says hello', inputSchema }] })
  } else if (method === 'tools/call') {
    answer({ content: [{ type: 'text', text: `hello ${params.arguments.name}` }] })
  } else if (id !== undefined) {
    answer({})
  }
})
