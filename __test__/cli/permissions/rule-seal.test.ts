import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { RuleKeeper } from '../../../ts/cli/permissions/rule-book.js'
import { RuleBook } from '../../../ts/cli/permissions/rule-book.js'
import { RuleSeal } from '../../../ts/cli/permissions/rule-seal.js'
import type { StoredRule } from '../../../ts/index.js'
import { temporaryFolder } from '../../support/folder.js'

const place = { projectPath: '/project', sessionId: 'one' }
const rule = { tool: 'Bash', command: 'make test' }

describe('the seal of a rule', () => {
  it('makes a key for its owner alone, and knows what it has sealed', () => {
    const path = join(temporaryFolder(), 'state', 'locus', 'key')
    expect(new RuleSeal(path).open({ ...rule, seal: 'x' }, place)).toBe(undefined)
    expect(existsSync(path), 'a key that nothing was sealed with').toBe(false)
    const stored = new RuleSeal(path).seal(rule, place)
    expect(stored).toEqual({ ...rule, seal: expect.any(String) })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(new RuleSeal(path).open(stored, place)).toEqual(rule)
    const whole = new RuleSeal(path).seal({ tool: 'Write' }, place)
    expect(new RuleSeal(path).open(JSON.parse(JSON.stringify(whole)), place)).toEqual({ tool: 'Write' })
  })

  it.each([
    ['another command', { command: 'make install' }, {}],
    ['the whole tool', { command: undefined }, {}],
    ['a command that is none', { command: ['make test'] }, {}],
    ['another tool', { tool: 'Shell' }, {}],
    ['a tool that is none', { tool: 7 }, {}],
    ['a secret that was taken out', { command: '[redacted]' }, {}],
    ['no seal', { seal: undefined }, {}],
    ['half a seal', { seal: 'abc' }, {}],
    ['another conversation', {}, { sessionId: 'two' }],
    ['another project', {}, { projectPath: '/elsewhere' }],
  ])('is broken by %s', (_, change, elsewhere) => {
    const seal = new RuleSeal(join(temporaryFolder(), 'key'))
    const stored = { ...seal.seal(rule, place), ...change }
    expect(seal.open(stored, { ...place, ...elsewhere })).toBe(undefined)
  })

  it('is broken by the key of somebody else', () => {
    const stored = new RuleSeal(join(temporaryFolder(), 'key')).seal(rule, place)
    const theirs = new RuleSeal(join(temporaryFolder(), 'key'))
    theirs.seal(rule, place)
    expect(theirs.open(stored, place)).toBe(undefined)
  })

  it.each([[null], ['text'], [7], [[]]])('is not in %j', (stored) => {
    const path = join(temporaryFolder(), 'key')
    expect(new RuleSeal(path).open(stored, place)).toBe(undefined)
  })

  it('keeps the key that another process has made', () => {
    const path = join(temporaryFolder(), 'key')
    const [first, second] = [new RuleSeal(path), new RuleSeal(path)]
    const stored = first.seal(rule, place)
    const key = readFileSync(path)
    expect(second.open(second.seal(rule, place), place)).toEqual(rule)
    expect(second.open(stored, place)).toEqual(rule)
    expect(readFileSync(path)).toEqual(key)
  })
})

describe('a book of rules', () => {
  const request = (parameters: Record<string, unknown>, tool = 'Bash') =>
    ({ type: 'permission_request', id: '1', tool, parameters }) as const

  class Keeper implements RuleKeeper {
    readonly id = 'one'
    constructor(public storedRules: readonly StoredRule[] = []) {}

    storeRules(rules: StoredRule[]): void {
      this.storedRules = rules
    }
  }

  it('brings back what was kept, and no more than that', () => {
    const path = join(temporaryFolder(), 'key')
    const problems: string[] = []
    const open = (keeper: RuleKeeper) => {
      const book = new RuleBook('/project', (problem) => problems.push(problem), new RuleSeal(path))
      book.open(keeper)
      return book
    }
    const keeper = new Keeper()
    const book = open(keeper)
    book.add(request({ command: 'make test' }))
    book.add(request({ command: 'make test' }))
    book.add(request({ file_path: '/a' }, 'Write'))
    keeper.storedRules = [...keeper.storedRules, { tool: 'Bash', seal: 'made up' }]
    const again = open(keeper)
    expect(again.rules).toEqual(['Bash(make test)', 'Write'])
    expect(again.allows(request({ command: 'make test' }))).toBe(true)
    expect(again.allows(request({ command: 'make test; rm -rf /' }))).toBe(false)
    expect(again.remove(0)).toEqual(['Bash(make test)'])
    expect(open(keeper).rules).toEqual(['Write'])
    expect(problems).toEqual([])
  })

  it('tells what cannot be kept, and holds until the end', () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    const problems: string[] = []
    const keeper = new Keeper()
    const book = new RuleBook(
      '/project',
      (problem) => problems.push(problem),
      new RuleSeal(join(file, 'key')),
    )
    book.open(keeper)
    book.add(request({ command: 'make test' }))
    expect(problems).toEqual([expect.stringContaining('holds only until you leave: ENOTDIR')])
    expect(book.allows(request({ command: 'make test' }))).toBe(true)
    expect(keeper.storedRules).toEqual([])
  })

  it('tells of a key that is none, and forgets', () => {
    const path = join(temporaryFolder(), 'key')
    const keeper = new Keeper([new RuleSeal(path).seal(rule, place)])
    writeFileSync(path, 'short')
    const problems: string[] = []
    const book = new RuleBook('/project', (problem) => problems.push(problem), new RuleSeal(path))
    book.open(keeper)
    expect(problems).toEqual([expect.stringContaining('is no key; remove it')])
    expect(book.rules).toEqual([])
  })
})
