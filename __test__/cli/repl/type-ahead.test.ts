import { expect, it } from 'vitest'

import { CTRL_D, ENTER } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const SCREEN = { columns: 80, rows: 24 }

it('what is typed before the prompt is there is sent by the Enter in it', async () => {
  const terminal = startInTerminal(['exec', '-i'], 'answers-with-the-prompt', {}, SCREEN)
  terminal.type(`one${ENTER}two${ENTER}thr`)
  await terminal.shown('❯ two\ntwo\n')
  expect(terminal.screen()).toContain('❯ one\none\n')
  await terminal.shown('out\n\n❯ thr\n')
  terminal.type(`ee${ENTER}`)
  await terminal.shown('❯ three\nthree\n')
  // Ctrl+J is a new line again.
  terminal.type('four\nfive')
  await terminal.shown('❯ four\n  five\n')
  terminal.type(`${ENTER}${CTRL_D}`)
  expect((await terminal.finished).exitCode).toBe(0)
})

it('a Ctrl+D that is typed before the prompt is there leaves when all is done', async () => {
  const terminal = startInTerminal(['exec', '-i'], 'answers-with-the-prompt', {}, SCREEN)
  terminal.type(`one${ENTER}${CTRL_D}`)
  const { screen, exitCode } = await terminal.finished
  expect(screen).toContain('❯ one')
  expect(exitCode).toBe(0)
})
