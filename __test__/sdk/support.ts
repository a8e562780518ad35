import type { AiRunner, StreamChunk } from '../../ts/sdk/index.js'

/** A runner in plain JavaScript, as anybody may write one: it says these chunks, and notes its prompts. */
export class ScriptedRunner implements AiRunner {
  readonly prompts: string[] = []
  aborted = 0
  readonly #turns: Array<Iterable<StreamChunk> | (() => AsyncGenerator<StreamChunk, void, unknown>)>

  constructor(...turns: Array<Iterable<StreamChunk> | (() => AsyncGenerator<StreamChunk, void, unknown>)>) {
    this.#turns = turns
  }

  async run(prompt: string): Promise<string> {
    let answer = ''
    for await (const chunk of this.runStream(prompt)) {
      answer += chunk.type === 'text_delta' ? chunk.content : ''
    }
    return answer
  }

  async *runStream(prompt: string): AsyncGenerator<StreamChunk, void, unknown> {
    const turn = this.#turns[this.prompts.length % this.#turns.length] ?? []
    this.prompts.push(prompt)
    yield* typeof turn === 'function' ? turn() : turn
  }

  abort(): void {
    this.aborted++
  }
}

/** A piece of an answer. */
export const text = (content: string): StreamChunk => ({ type: 'text_delta', content })

/** Everything that a generator gives. */
export async function all(stream: AsyncIterable<StreamChunk>): Promise<StreamChunk[]> {
  const chunks: StreamChunk[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
  }
  return chunks
}
