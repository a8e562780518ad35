// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the real opencode run offline against a model server (see model-server.mjs), and returns the variables it needs for that on top
 * of PATH: with them it connects to nothing else and writes nothing outside `home`.
 * @param {string} serverUrl the `url` of the model server
 * @param {{ home: string, permission?: Record<string, string> }} options home: a folder of its own, so that neither the user's settings
 *   nor another test's sessions are seen; permission: what it asks about, which by itself is next to nothing
 * @returns {Record<string, string>}
 */
export function opencodeEnv(serverUrl, { home, permission = { bash: 'ask', edit: 'ask' } }) {
  const folder = join(home, '.config', 'opencode')
  const temporary = join(home, 'tmp')
  for (const made of [join(folder, 'node_modules'), temporary]) mkdirSync(made, { recursive: true })
  // Otherwise it fetches this from npm, for plugins that may be there.
  const packages = { '': { dependencies: { '@opencode-ai/plugin': '*' } } }
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }))
  const options = { baseURL: `${serverUrl}/v1`, apiKey: 'fake' }
  // Without a window it would tell no cost.
  const model = {
    name: 'Stand-in',
    reasoning: true,
    limit: { context: 200_000, output: 8000 },
    cost: { input: 3, output: 15, cache_read: 0.3 },
  }
  writeFileSync(
    join(folder, 'opencode.json'),
    JSON.stringify({
      model: 'stand-in/stand-in',
      small_model: 'stand-in/stand-in',
      autoupdate: false,
      share: 'disabled',
      permission,
      provider: {
        'stand-in': {
          npm: '@ai-sdk/openai-compatible',
          name: 'Stand-in',
          options,
          models: { 'stand-in': model },
        },
      },
    }),
  )
  return {
    HOME: home,
    USERPROFILE: home,
    // Set, although they are only what HOME implies, in case the caller's environment is passed on and has others.
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    XDG_CACHE_HOME: join(home, '.cache'),
    // For the libraries that it unpacks of itself.
    TMPDIR: temporary,
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  }
}
