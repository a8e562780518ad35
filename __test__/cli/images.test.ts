import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { protocolLines, runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { pngFile } from '../support/image.js'
import { CTRL_D, send, startRepl } from '../support/repl.js'

const agent = 'says-what-its-prompt-consists-of'

describe('--image', () => {
  it.each([
    ['its whole way', (cwd: string) => ({ name: join(cwd, 'one.png'), env: {} })],
    ['its way from the home', (cwd: string) => ({ name: '~/one.png', env: { HOME: cwd } })],
  ])('is given to the agent, seen from here; outside of the project it is named by %s', async (_, place) => {
    const cwd = temporaryFolder()
    const { name, env } = place(cwd)
    mkdirSync(join(cwd, 'project'))
    pngFile(cwd, 'one.png')
    pngFile(join(cwd, 'project'), 'two.png')
    const flags = ['--dir', 'project', '--image', 'one.png', '--image', 'project/two.png']
    const { stdout, exitCode } = await runCli(['exec', ...flags, 'what is this?'], { agent, cwd, env })
    expect(stdout).toBe('image: image/png\n\nimage: image/png\n\ntext: what is this?\n')
    expect(exitCode).toBe(0)
    const show = (...args: string[]) =>
      runCli(['exec', '--dir', 'project', 'sessions', ...args], { cwd, env })
    const { stdout: list } = await show('list', '--json')
    const { id } = JSON.parse(list).sessions[0]
    expect((await show('show', id)).stdout).toContain(`what is this?\nimage: ${name}\nimage: two.png\n`)
    expect((await show('export', id)).stdout).toContain(` · image: ${name} · image: two.png*`)
    expect((await show('export', id, '--format', 'html')).stdout).toContain(
      ` · image: ${name} · image: two.png`,
    )
    const { messages } = JSON.parse((await show('export', id, '--format', 'json')).stdout)
    expect(messages[0].metadata.images[1]).toEqual({ name: 'two.png', mediaType: 'image/png', bytes: 72 })
  })

  it.each([
    ['none.png', "there is no image 'none.png'"],
    ['text.png', "the image 'text.png' is no PNG, JPEG, GIF or WebP"],
    ['large.png', "the image 'large.png' is too large, 4.0 MB; models take images up to 3.9 MB"],
    ['.', "the image '.' is no file"],
  ])('%s cannot be used, and the agent is not started', async (name, message) => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'text.png'), 'no pixels')
    writeFileSync(join(cwd, 'large.png'), Buffer.alloc(4_000_000))
    const args = ['exec', '--json-stream', '--image', name, 'what is this?']
    const { stdout, exitCode } = await runCli(args, { agent, cwd })
    const error = protocolLines(stdout).find(({ type }) => type === 'error')?.payload.error
    expect(error.message).toContain(message)
    expect(exitCode).toBe(2)
  })

  it('needs an agent that takes images', async () => {
    const cwd = temporaryFolder()
    pngFile(cwd, 'one.png')
    const { stderr, exitCode } = await runCli(['exec', '-p', 'demo', '--image', 'one.png', 'hi'], { cwd })
    expect(stderr).toContain(
      "INVALID_INPUT the agent 'demo' takes no images; `locus exec agents` shows which do",
    )
    expect(exitCode).toBe(2)
  })

  it('goes with the first prompt of a conversation, and with no other', async () => {
    const cwd = temporaryFolder()
    pngFile(cwd, 'one.png')
    const flags = ['--simple', '--image', 'one.png', 'first']
    const terminal = await startRepl(agent, { cwd, flags })
    await terminal.shown('[image 1: one.png, 72 B]')
    await terminal.shown('text: first')
    send(terminal, 'second')
    await terminal.shown('text: second')
    expect(terminal.screen().match(/image: /g)).toHaveLength(1)
    terminal.type(CTRL_D)
    await terminal.finished
    const { stderr, exitCode } = await runCli(['exec', '-i', '--image', 'one.png'], { agent, cwd })
    expect(stderr).toContain('--image goes with a prompt')
    expect(exitCode).toBe(2)
  })
})

describe('a path in a conversation', () => {
  it('behind an @, or dropped on the terminal, is attached and said; `retry` attaches it again', async () => {
    const cwd = temporaryFolder()
    pngFile(cwd, 'shot.png')
    const dropped = pngFile(cwd, 'my shot.png')
    const terminal = await startRepl(agent, { cwd })
    send(terminal, `compare @shot.png with \u001b[200~'${dropped}' \u001b[201~`)
    await terminal.shown('[image 1: shot.png, 72 B]\n[image 2: my shot.png, 72 B]')
    await terminal.shown('text: compare shot.png with')
    send(terminal, 'thanks')
    await terminal.shown('text: thanks')
    send(terminal, 'and @shot.png')
    await terminal.shown('text: and shot.png')
    send(terminal, '/retry')
    await terminal.shown('❯ /retry\n[image 1: shot.png, 72 B]')
    expect(terminal.screen().match(/image: image\/png/g)?.length).toBeGreaterThanOrEqual(3)
    terminal.type(CTRL_D)
    expect((await terminal.finished).exitCode).toBe(0)
  })

  it('that is not there, or cannot be used, is said; the conversation goes on', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'text.png'), 'no pixels')
    const terminal = await startRepl(agent, { cwd })
    send(terminal, 'look at @none.png')
    await terminal.shown('⚠ there is no image none.png; the agent gets its name alone')
    await terminal.shown('text: look at @none.png')
    send(terminal, 'look at @text.png')
    await terminal.shown("✗ INVALID_INPUT the image 'text.png' is no PNG, JPEG, GIF or WebP")
    send(terminal, 'go on')
    await terminal.shown('text: go on')
    terminal.type(CTRL_D)
    await terminal.finished
  })
})
