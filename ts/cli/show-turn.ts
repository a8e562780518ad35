import type { TurnStream } from '../stream.js'
import type { Renderer } from './renderers/renderer.js'

/** Shows the chunks of a turn as they come, no faster than they can be shown; rejects as the turn does. */
export async function showTurn(stream: TurnStream, renderer: Renderer): Promise<void> {
  for await (const chunk of stream) {
    renderer.chunk(chunk)
    const ready = renderer.ready()
    if (ready) {
      await ready
    }
  }
  await stream.result
}
