// The best that we could write by hand in Node: split the buffers at newlines, parse each line, hand the chunks of a
// read over as an array, walked by a hand-written iterator.
import { startAgent } from './agent-process.mjs'
import { consumeLine, measure } from './measure.mjs'

await measure(async (consumer) => {
  let rest
  for await (const chunk of startAgent().stdout) {
    const data = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
      consumeLine(data.toString('utf8', start, end), consumer)
      start = end + 1
    }
    rest = start < data.length ? data.subarray(start) : undefined
  }
})
