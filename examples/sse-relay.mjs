// Relays turns to whoever asks by HTTP, as server-sent events. Only this machine may ask, and only with the token.
//   node examples/sse-relay.mjs            prints the address and the token
//   curl -N "$URL/run" -H "Authorization: Bearer $TOKEN" --json '{"prompt":"hello"}'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

import { StreamingExecutor } from '@locus/exec-native'

const executor = new StreamingExecutor({ provider: process.env.LOCUS_PROVIDER ?? 'claude' })
const token = randomBytes(24).toString('hex')

/** Whether a request comes from one who knows the token, and not from a page that a browser has open. */
function mayAsk({ headers }) {
  const given = Buffer.from(headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return (
    given.length === wanted.length &&
    timingSafeEqual(given, wanted) &&
    headers.origin === undefined &&
    /^(127\.0\.0\.1|localhost):\d+$/.test(headers.host ?? '') &&
    headers['content-type']?.startsWith('application/json') === true
  )
}

const server = createServer(async (request, response) => {
  if (request.method !== 'POST' || request.url !== '/run') {
    return response.writeHead(404).end()
  }
  if (!mayAsk(request)) {
    return response.writeHead(403).end()
  }
  const { prompt } = await json(request).catch(() => ({}))
  if (typeof prompt !== 'string') {
    return response.writeHead(400).end()
  }
  // Whoever hangs up stops the turn.
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  try {
    let id = 0
    for await (const chunk of executor.executeStreaming(prompt, { signal: controller.signal })) {
      const isTaken = response.write(`id: ${++id}\nevent: ${chunk.type}\ndata: ${JSON.stringify(chunk)}\n\n`)
      if (!isTaken) {
        // A slow reader slows the agent down; nothing gathers here.
        await once(response, 'drain', { signal: controller.signal })
      }
    }
  } catch (error) {
    response.write(`event: error\ndata: ${JSON.stringify({ type: 'error', error: error.message })}\n\n`)
  }
  response.end()
})

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, token }))
})
