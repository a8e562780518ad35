import { PassThrough, Readable } from 'node:stream'
import type { ReadStream } from 'node:tty'

import { describe, expect, it } from 'vitest'

import { readPrompt } from '../../ts/cli/prompt.js'

const pipe =
  (...pieces: (string | Buffer)[]) =>
  () =>
    Readable.from(pieces) as unknown as ReadStream
const terminal = () => Object.assign(new PassThrough(), { isTTY: true }) as unknown as ReadStream
const untouched = () => {
  throw new Error('stdin was opened')
}

describe('the prompt', () => {
  it('is the words of the command line, with a space between them', async () => {
    expect(await readPrompt(['explain', 'this  file'], untouched)).toBe('explain this  file')
  })

  it('does not open stdin where there are words', async () => {
    expect(await readPrompt(['hi', '-'], untouched)).toBe('hi -')
  })

  it('is stdin for `-`, and for no words in a pipe, as it is', async () => {
    expect(await readPrompt(['-'], pipe(' one\n', 'two \n'))).toBe(' one\ntwo \n')
    expect(await readPrompt([], pipe('one'))).toBe('one')
  })

  it('is read from stdin whole where a character is cut between two reads', async () => {
    const bytes = Buffer.from('日本 𝒳')
    const pieces = [...bytes].map((byte) => Buffer.from([byte]))
    expect(await readPrompt(['-'], pipe(...pieces))).toBe('日本 𝒳')
  })

  it.each([[['']], [[' ', '\t']]])('is refused where the words are empty: %j', async (words) => {
    await expect(readPrompt(words, untouched)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the prompt is empty; say what the agent is to do',
    })
  })

  it.each(['', ' \n'])('is refused where stdin is empty: %j', async (input) => {
    await expect(readPrompt(['-'], pipe(input))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the prompt on stdin is empty; say what the agent is to do',
    })
  })

  it('is not waited for at a terminal: there the remedy is told', async () => {
    await expect(readPrompt([], terminal)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'no prompt; give it as an argument, or in a pipe: echo "hello" | locus exec -',
    })
  })
})
