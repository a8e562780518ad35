import { describe, expect, it } from 'vitest'

import { runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { sessions } from '../support/project.js'

describe('the command line of sessions', () => {
  it('has help, of each command too', async () => {
    const help = await sessions(['--help'], temporaryFolder())
    expect(help).toMatchObject({ exitCode: 0, stderr: '' })
    const commands = [
      'list',
      'show',
      'search',
      'delete',
      'clear',
      'export',
      'import',
      'fork',
      'rename',
      'replay',
      'prune',
    ]
    for (const command of commands) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
      const { exitCode, stdout } = await sessions([command, '--help'], temporaryFolder())
      expect([exitCode, stdout.split('\n')[0]]).toEqual([
        0,
        expect.stringContaining(`Usage: locus exec sessions ${command}`),
      ])
    }
    const exec = await runCli(['exec', '--help'])
    expect(exec.stdout).toMatch(/^ {2}sessions /m)
    expect(exec.stdout).toMatch(/^ {2}clean /m)
  })

  it.each([
    [['shwo', 'x'], /unknown command 'shwo'; do you mean show\? See .*has to be in quotes/],
    [['show'], /missing required argument 'id'/],
    [['list', 'x'], /too many arguments/],
    [['list', '--nope'], /unknown option '--nope'/],
    [['list', '--limit', 'x'], /--limit must be a whole number from 1 on/],
    [['list', '--dir', ''], /--dir is empty/],
  ])('says what is wrong with %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await sessions(args, temporaryFolder())
    expect(stderr).toMatch(message)
    expect([stdout, [2, 4].includes(exitCode ?? 0)]).toEqual(['', true])
  })

  it('leaves prompts alone that only look like it', async () => {
    const agent = { agent: 'answers-with-the-prompt' }
    for (const prompt of [
      ['sessions are great'],
      ['list', 'sessions'],
      ['the', 'clean', '--simple'],
      ['help'],
    ]) {
      const { stdout } = await runCli(['exec', ...prompt], agent)
      expect(stdout).toBe(`${prompt.filter((word) => !word.startsWith('-')).join(' ')}\n`)
    }
  })
})
