import { Writable } from 'node:stream'

import { describe, expect, it } from 'vitest'

import { Output } from '../../ts/cli/output.js'

/** A stream that remembers each write, and finishes one when told to. */
class Recorder extends Writable {
  readonly writes: string[] = []
  finish: () => void = () => {}

  constructor(highWaterMark = 1 << 20) {
    super({ highWaterMark })
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.writes.push(String(chunk))
    this.finish = done
  }
}

const turnOfTheEventLoop = () => new Promise((resolve) => setImmediate(resolve))

describe('the output', () => {
  it('goes out as one write for each turn of the event loop', async () => {
    const stream = new Recorder()
    const output = new Output(stream)
    output.write('a')
    output.write('b')
    expect(stream.writes).toEqual([])
    await turnOfTheEventLoop()
    expect(stream.writes).toEqual(['ab'])
    stream.finish()
    output.write('c')
    await turnOfTheEventLoop()
    expect(stream.writes).toEqual(['ab', 'c'])
  })

  it('goes out at once by flush, and not again later', async () => {
    const stream = new Recorder()
    const output = new Output(stream)
    output.flush()
    output.write('a')
    output.flush()
    expect(stream.writes).toEqual(['a'])
    await turnOfTheEventLoop()
    expect(stream.writes).toEqual(['a'])
  })

  it('says when its reader cannot keep up, and when it can again', async () => {
    const stream = new Recorder(4)
    const output = new Output(stream)
    output.write('123')
    output.flush()
    expect(output.ready()).toBe(undefined)
    output.write('45678')
    output.flush()
    const ready = output.ready()
    expect(ready).toBeInstanceOf(Promise)
    expect(output.ready()).toBe(ready)
    stream.finish()
    stream.finish()
    await ready
    expect(output.ready()).toBe(undefined)
  })

  it('knows whether it is a terminal, and how wide', () => {
    const pipe = new Output(new Recorder())
    expect([pipe.isTerminal, pipe.columns]).toEqual([false, 80])
    const terminal = new Output(Object.assign(new Recorder(), { isTTY: true, columns: 120 }))
    expect([terminal.isTerminal, terminal.columns]).toEqual([true, 120])
  })
})
