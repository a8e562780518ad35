import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { describe, expect, it } from 'vitest'

import { withImages } from '../../../ts/cli/repl/image-paths.js'
import { temporaryFolder } from '../../support/folder.js'

/** A folder with files. */
function folder(): string {
  const path = temporaryFolder()
  for (const name of ['a.png', 'b.JPEG', 'my shot.webp', "it's.gif", 'notes.txt']) {
    writeFileSync(join(path, name), '')
  }
  mkdirSync(join(path, 'folder.png'))
  return path
}

describe('the images that a prompt names', () => {
  it.each([
    ['look at @a.png', 'look at a.png', ['a.png']],
    ['@a.png, and @b.JPEG.', 'a.png, and b.JPEG.', ['a.png', 'b.JPEG']],
    ['compare @a.png with @a.png', 'compare a.png with a.png', ['a.png']],
    ['@"my shot.webp" and @\'my shot.webp\'', '"my shot.webp" and \'my shot.webp\'', ['my shot.webp']],
    ['@my\\ shot.webp', 'my\\ shot.webp', ['my shot.webp']],
    ['(no) @"it\'s.gif"', '(no) "it\'s.gif"', ["it's.gif"]],
    ['a.png without an at', 'a.png without an at', []],
    ['me@a.png', 'me@a.png', []],
    ['read @notes.txt', 'read @notes.txt', []],
    ['two\n@a.png\nlines', 'two\na.png\nlines', ['a.png']],
  ])('%j', (typed, prompt, names) => {
    const cwd = folder()
    const paths = names.map((name) => join(cwd, name))
    expect(withImages(typed, cwd)).toEqual({ prompt, paths, missing: [] })
  })

  it.each([
    ['as it is', (path: string) => path],
    ['in quotes', (path: string) => `'${path}'`],
    ['in double quotes', (path: string) => `"${path}"`],
    ['with escaped blanks', (path: string) => path.replaceAll(' ', '\\ ')],
    ['as a URL', (path: string) => pathToFileURL(path).href],
  ])('one that was dropped on the terminal, %s', (how, written) => {
    const cwd = folder()
    const path = join(cwd, how === 'as it is' ? 'a.png' : 'my shot.webp')
    const typed = `what is ${written(path)} ?`
    expect(withImages(typed, '/')).toEqual({ prompt: typed, paths: [path], missing: [] })
  })

  it('what is not there, or is no file, is told only behind an @', () => {
    const typed = '@none.png @folder.png /none.png file://host/a.png "@x".png'
    expect(withImages(typed, folder())).toEqual({
      prompt: typed,
      paths: [],
      missing: ['none.png', 'folder.png'],
    })
  })
})
