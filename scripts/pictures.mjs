// Makes the pictures of the terminal in docs/images from runs of the built command line.
//   node scripts/pictures.mjs [name…]     (all of them; `claude` needs the real one, which `npm run test:agents` installs)
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { claudeEnv } from '../__test__/agents/claude-env.mjs'
import { startModelServer } from '../__test__/agents/model-server.mjs'
import { png } from '../__test__/support/png.mjs'
import { installAgents } from './install-agents.mjs'
import { pictureOf } from './terminal-picture.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'locus-pictures-'))
const ENTER = '\r'
/** Where the projects are, on this machine. */
const PLACES = new RegExp(`${folder}/place-\\w+`, 'g')

/** A project, with a fake as its `claude`. */
function project(fake) {
  const place = mkdtempSync(join(folder, 'place-'))
  const [home, cwd, bin] = ['home', 'project', 'bin'].map((name) => join(place, name))
  for (const path of [home, cwd, bin]) mkdirSync(path)
  copyFileSync(join(root, 'README.md'), join(cwd, 'README.md'))
  copyFileSync(join(root, 'package.json'), join(cwd, 'package.json'))
  if (fake) symlinkSync(join(root, '__test__', 'support', 'fakes', `${fake}.mjs`), join(bin, 'claude'))
  const PATH = [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(':')
  return { home, cwd, env: { HOME: home, PATH } }
}

/** What is drawn, by the name of its file. */
const PICTURES = {
  demo: () =>
    pictureOf(['exec', '--provider', 'demo', '--no-save', 'hello'], {
      ...project(),
      title: 'locus exec with the demo agent: tools with their results, the answer, a summary',
    }),

  interactive: () =>
    pictureOf(['exec', '-i'], {
      ...project('answers-with-the-prompt'),
      rows: 24,
      steps: [
        ['❯', `explain **Markdown** in one \`word\`${ENTER}`],
        [' out\n\n❯', `and how it is remembered${ENTER}`],
        [' out\n\n❯', '/sta\t'],
        ['❯ /status', ENTER],
        ['Used:', 'what is typed next'],
        ['❯ what is typed next'],
      ],
      title: 'the interactive mode: two turns, /status, and what is being typed',
    }),

  permission: () =>
    pictureOf(['exec', '-i'], {
      ...project('asks-permission'),
      rows: 24,
      steps: [
        ['❯', `clean up${ENTER}`],
        ['y allow once', 'a'],
        [' out\n\n❯', `again${ENTER}`],
        [' out\n\n❯', `/status${ENTER}`],
        ['Always:   1 Bash(rm -rf build)'],
      ],
      title: 'a question for permission, answered with always; /status shows the rule',
    }),

  sessions: async () => {
    const { cwd, env } = project('answers-with-the-prompt')
    const run = (...args) =>
      execFileSync(process.execPath, [join(root, 'dist', 'cli.cjs'), 'exec', ...args], {
        ...{ cwd, env, stdio: 'ignore' },
      })
    run('create a user authentication module')
    run('-c', 'and rate limiting for the login')
    run('explain this project')
    return await pictureOf(['exec', 'sessions'], { cwd, env })
  },

  claude: async () => {
    const server = await startModelServer()
    const { home, cwd, env } = project()
    const { claude } = await installAgents()
    const path = join(cwd, 'made.txt')
    writeFileSync(join(cwd, 'shot.png'), png())
    try {
      return await pictureOf(['exec', '-i', '--executable', claude], {
        ...{ cwd, rows: 40, shown: 'exec -i', env: { ...env, ...claudeEnv(server.url, { home }) } },
        steps: [
          ['❯', `please TOOL${ENTER}`],
          [' out', `please WRITETOOL path=${path}${ENTER}`],
          ['Write asks for permission', 'y'],
          [' out', `LOOK at @shot.png${ENTER}`],
          ['I see 1 of them'],
          [' out'],
        ],
        title: 'the real Claude Code: a command, a file that is asked about, an image',
      })
    } finally {
      await server.close()
    }
  },
}

const names = process.argv.slice(2)
try {
  for (const [name, draw] of Object.entries(PICTURES)) {
    if (names.length > 0 && !names.includes(name)) continue
    const out = join(root, 'docs', 'images', `${name}.svg`)
    writeFileSync(out, (await draw()).replaceAll(PLACES, '/home/me'))
    process.stdout.write(`${out}\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
