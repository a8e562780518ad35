import { EventEmitter } from 'node:events'

import xterm from '@xterm/headless'
import { describe, expect, it, onTestFinished } from 'vitest'

import { type Live, Screen, type ScreenStream } from '../../../ts/cli/display/screen.js'

/** A screen on a terminal of its own. */
function screenOf(compose: () => Live, { columns = 20, rows = 6 } = {}) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  let drawn = Promise.resolve()
  let frames = 0
  let full = false
  const stream = Object.assign(new EventEmitter(), {
    columns,
    rows,
    write: (text: string) => {
      frames++
      drawn = new Promise((resolve) => terminal.write(text, resolve))
      return !full
    },
  })
  const screen = new Screen(stream as unknown as ScreenStream, compose)
  onTestFinished(() => screen.close())
  return {
    screen,
    get frames() {
      return frames
    },
    block: () => {
      full = true
    },
    drain: () => {
      full = false
      stream.emit('drain')
    },
    resize: async (columns: number, rows: number) => {
      await drawn
      terminal.resize(columns, rows)
      Object.assign(stream, { columns, rows })
      stream.emit('resize')
    },
    async lines() {
      await drawn
      const { active } = terminal.buffer
      const lines = Array.from(
        { length: active.length },
        (_, y) => active.getLine(y)?.translateToString(true) ?? '',
      )
      return lines.join('\n').trimEnd().split('\n')
    },
    async cursor() {
      await drawn
      const { cursorX, cursorY } = terminal.buffer.active
      return { row: cursorY, column: cursorX }
    },
  }
}

describe('a screen', () => {
  it('prints above the live rows, which are drawn over', async () => {
    let live: Live = { rows: ['one', 'two'], caret: { row: 1, column: 2 } }
    const shown = screenOf(() => live)
    shown.screen.draw()
    expect(await shown.lines()).toEqual(['one', 'two'])
    expect(await shown.cursor()).toEqual({ row: 1, column: 2 })
    shown.screen.print('printed\n')
    live = { rows: ['three'], caret: { row: 0, column: 0 } }
    shown.screen.draw()
    expect(await shown.lines()).toEqual(['printed', 'three'])
    live = { rows: ['', 'longer', 'than before'] }
    shown.screen.draw()
    expect(await shown.lines()).toEqual(['printed', '', 'longer', 'than before'])
    live = { rows: [] }
    shown.screen.draw()
    expect(await shown.lines()).toEqual(['printed'])
  })

  it('never draws over what has scrolled away', async () => {
    const shown = screenOf(() => ({ rows: ['a', 'b', 'c'] }))
    for (let index = 0; index < 20; index++) {
      shown.screen.print(`line ${index}\n`)
      shown.screen.draw()
    }
    expect(await shown.lines()).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `line ${index}`),
      'a',
      'b',
      'c',
    ])
  })

  it('cuts what is wider and what is higher than the terminal', async () => {
    const shown = screenOf(() => ({
      rows: Array.from({ length: 9 }, (_, index) => `${index} ${'x'.repeat(30)}`),
    }))
    shown.screen.print('above\n')
    shown.screen.draw()
    shown.screen.draw()
    const lines = await shown.lines()
    expect(lines.map((line) => line.slice(0, 2))).toEqual(['ab', '4 ', '5 ', '6 ', '7 ', '8 '])
    expect(lines.every((line) => line.length <= 20)).toBe(true)
  })

  it.each([
    [20, 10],
    [20, 7],
    [10, 20],
  ])('leaves nothing behind when %i columns become %i', async (before, behind) => {
    let text = 'a row of 18 chars.'
    const shown = screenOf(
      () => ({ rows: [text.slice(0, behind), text, 'last'], caret: { row: 2, column: 0 } }),
      {
        ...{ columns: before, rows: 10 },
      },
    )
    shown.screen.print('printed\n')
    shown.screen.draw()
    text = 'new'
    await shown.resize(behind, 10)
    expect(await shown.lines()).toEqual(['printed', 'new', 'new', 'last'])
  })

  it('draws 30 times a second at most, and at once when somebody waits', async () => {
    const shown = screenOf(() => ({ rows: ['x'] }))
    const started = performance.now()
    while (performance.now() - started < 200) {
      shown.screen.changed()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(shown.frames).toBeLessThanOrEqual(8)
    const { frames } = shown
    shown.screen.draw()
    expect(shown.frames).toBe(frames + 1)
  })

  it('waits for a terminal that is full, and then shows what was missed', async () => {
    let row = 'first'
    const shown = screenOf(() => ({ rows: [row] }))
    shown.block()
    shown.screen.draw()
    row = 'second'
    shown.screen.print('printed\n')
    shown.screen.draw()
    const ready = shown.screen.ready()
    expect(ready).toBeInstanceOf(Promise)
    expect(await shown.lines()).toEqual(['first'])
    shown.drain()
    await ready
    shown.screen.draw()
    expect(await shown.lines()).toEqual(['printed', 'second'])
    expect(shown.screen.ready()).toBe(undefined)
  })

  it('leaves what was printed when it is closed', async () => {
    const shown = screenOf(() => ({ rows: ['live'] }))
    shown.screen.print('kept\n')
    shown.screen.draw()
    shown.screen.print('and this\n')
    shown.screen.close()
    expect(await shown.lines()).toEqual(['kept', 'and this'])
  })
})
