import { describe, expect, it } from 'vitest'

import { GatheredText } from '../ts/gathered-text.js'

describe('a text that comes in pieces', () => {
  it('is whole, however many there are, and can be looked at in between', () => {
    const text = new GatheredText(1_000_000)
    let whole = ''
    for (let piece = 0; piece < 2000; piece++) {
      text.push(`${piece} é🦀 `)
      whole += `${piece} é🦀 `
      if (piece % 700 === 0) {
        expect(text.toString()).toBe(whole)
      }
    }
    expect(text.toString()).toBe(whole)
  })

  it('keeps its newest part when it is too long', () => {
    const text = new GatheredText(10_000)
    let whole = ''
    for (let piece = 0; piece < 20_000; piece++) {
      text.push(`${piece} `)
      whole += `${piece} `
    }
    const kept = text.toString()
    expect(whole.endsWith(kept)).toBe(true)
    expect(kept.length).toBeGreaterThan(5000)
    expect(kept.length).toBeLessThanOrEqual(10_000)
  })

  it('begins anew when it is cleared', () => {
    const text = new GatheredText(10)
    text.push('void')
    text.clear()
    expect(text.toString()).toBe('')
    text.push('said')
    expect(text.toString()).toBe('said')
  })
})
