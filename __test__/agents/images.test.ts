import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { png, pngFile } from '../support/image.js'
import { CTRL_D, send } from '../support/repl.js'
import { startInTerminal } from '../support/terminal.js'
import { RealClaude, RealCodex, RealGemini, RealQwen } from './real-agent.js'

const agents = {
  claude: new RealClaude(),
  codex: new RealCodex(),
  gemini: new RealGemini(),
  qwen: new RealQwen(),
}

const isPng = (url = '') => /^data:image\/png;base64,iVBORw0KGgo/.test(url)

describe.each(['claude', 'codex', 'gemini', 'qwen'] as const)('images with the real %s', (name) => {
  const real = agents[name]
  const images = () => real.server.requests.findLast(({ prompts }) => prompts.length > 0)?.images ?? []

  test('reach the model, from a file and from bytes, and stay in the conversation', async () => {
    pngFile(real.project, 'shot.png')
    const session = await real.createSession()
    const { content } = await session.execute('LOOK at these', {
      images: ['shot.png', { data: png(16), mediaType: 'image/png', name: 'drawn' }],
    })
    expect(content).toContain('I see 2 of them: data:image/png, data:image/png')
    expect(images().every(isPng)).toBe(true)
    const again = await session.execute('LOOK again')
    expect(again.content).toContain('I see 2 of them')
    expect(session.getHistory()[0]?.metadata?.images).toEqual([
      { name: 'shot.png', mediaType: 'image/png', bytes: png().length },
      { name: 'drawn', mediaType: 'image/png', bytes: png(16).length },
    ])
    await session.save()
    const file = join(real.project, '.locus', 'exec-history', `${session.id}.jsonl`)
    expect(readFileSync(file, 'utf8')).not.toContain('iVBORw0KGgo')
  })

  test('by the flag of a single run', async () => {
    const path = pngFile(real.home, 'shot.png')
    const { stdout, exitCode } = await real.run(
      ['--executable', real.executable, '--image', path, 'LOOK at it'],
      { LOCUS_PROVIDER: name },
    )
    expect(stdout).toContain('I see 1 of them')
    expect(exitCode).toBe(0)
  })

  test('by their paths in the interactive mode', async () => {
    pngFile(real.project, 'shot.png')
    const dropped = pngFile(real.home, 'my shot.png')
    const args = ['exec', '-i', '-p', name, '--executable', real.executable, '--dir', real.project]
    const terminal = startInTerminal(args, 'answers-with-the-prompt', real.environment())
    await terminal.shown('❯')
    send(terminal, `LOOK at @shot.png and '${dropped}'`)
    await terminal.shown('[image 1: shot.png, 72 B]\n[image 2: my shot.png, 72 B]')
    await terminal.shown('I see 2 of them: data:image/png, data:image/png')
    terminal.type(CTRL_D)
    expect((await terminal.finished).exitCode).toBe(0)
  })
})
