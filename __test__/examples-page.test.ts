import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, test } from 'vitest'

import { CLI, pathWith } from './support/cli.js'
import { temporaryFolder } from './support/folder.js'
import { pngFile } from './support/image.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs', 'examples.md'), 'utf8')

/** The examples in this language, each with the title of its section. */
const examples = (language: string) =>
  page.split(/^## /m).flatMap((section) => {
    const blocks = section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))
    return [...blocks].map(([, code = '']) => ({ title: section.split('\n')[0] ?? '', code }))
  })

/** A project as somebody might have it, and `locus` and an agent on the PATH. */
function project() {
  const cwd = temporaryFolder()
  const git = (...args: string[]) => execFileSync('git', args, { cwd, stdio: 'ignore' })
  git('init', '-q')
  writeFileSync(join(cwd, 'README.md'), '# A project\n')
  git('add', '.')
  writeFileSync(join(cwd, 'README.md'), '# A project with a README\n')
  for (const name of ['screenshot.png', 'before.png', 'after.png']) {
    pngFile(cwd, name)
  }
  const bin = temporaryFolder()
  writeFileSync(join(bin, 'locus'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`)
  chmodSync(join(bin, 'locus'), 0o755)
  const agent = 'says-what-its-prompt-consists-of'
  const PATH = [bin, pathWith(agent), dirname(process.execPath), '/usr/bin', '/bin'].join(':')
  return { cwd, env: { HOME: temporaryFolder(), PATH } }
}

describe('the examples of examples.md', () => {
  it('are there', () => {
    expect(examples('sh').length).toBeGreaterThan(8)
  })

  test('run as they stand, one after the other in one project', () => {
    const { cwd, env } = project()
    for (const { title, code } of examples('sh')) {
      const script = `set -eu -o pipefail\n${code}`
      const { status, stderr } = spawnSync('/bin/bash', ['-c', script], { cwd, env, encoding: 'utf8' })
      expect({ title, status, stderr }).toEqual({
        title,
        status: 0,
        stderr: expect.not.stringContaining('✗'),
      })
    }
    const file = (name: string) => readFileSync(join(cwd, name), 'utf8')
    expect(file('review.md')).toContain('+# A project with a README')
    expect(file('explained.md')).toBe('text: explain this:\n# A project with a README\n')
    expect(file('haiku.txt')).toBe('text: write a haiku about pipes\n')
    expect(file('parser.md')).toMatch(/begin with the parser.*and now its tests/s)
  }, 120_000)

  it('in JavaScript run as they stand', () => {
    const { cwd, env } = project()
    mkdirSync(join(cwd, 'node_modules', '@locus'), { recursive: true })
    symlinkSync(ROOT, join(cwd, 'node_modules', '@locus', 'exec-native'), 'dir')
    const outputs = examples('js').map(({ code }) => {
      writeFileSync(join(cwd, 'example.mjs'), code)
      return execFileSync(process.execPath, ['example.mjs'], { cwd, env, encoding: 'utf8' })
    })
    expect(outputs).toEqual(['text: what is this?\ntext: who uses it?\n'])
  })
})

test('every flag of `locus exec --help` is in the guide', () => {
  const guide = readFileSync(join(ROOT, 'docs', 'exec-guide.md'), 'utf8')
  const help = execFileSync(process.execPath, [CLI, 'exec', '--help'], { encoding: 'utf8' })
  const flags = [...help.matchAll(/^ {2}(-\w, )?(--[a-z-]+)/gm)].map(
    ([, short = '', long = '']) => short + long,
  )
  expect(flags.length).toBeGreaterThan(25)
  expect(flags.filter((flag) => !new RegExp(`\`${flag}[ \`]`).test(guide))).toEqual([])
})

test.each([
  'exec-guide.md',
  'interactive-mode.md',
  'examples.md',
  'troubleshooting.md',
  'migration.md',
  'sessions.md',
])('every link of %s leads somewhere', (name) => {
  const text = readFileSync(join(ROOT, 'docs', name), 'utf8')
  const broken = [...text.matchAll(/\]\(([^)]+)\)/g)].flatMap(([, link = '']) => {
    const [path = '', anchor] = link.split('#')
    const target = readFileSync(join(ROOT, 'docs', path || name), 'utf8')
    const anchors = [...target.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    )
    return anchor === undefined || anchors.includes(anchor) ? [] : [link]
  })
  expect(broken).toEqual([])
})
