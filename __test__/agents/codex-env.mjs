// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the real codex run offline against a model server (see model-server.mjs), and returns the variables it needs for that on top of
 * PATH: with them it connects to nothing else and writes nothing outside `home`. How often it tries again is given, so that what fails
 * for ever fails soon.
 * @param {string} serverUrl the `url` of the model server
 * @param {{ home: string, retries?: number, config?: string }} options home: a folder of its own, so that neither the user's settings
 *   nor another test's threads are seen; config: more of config.toml
 * @returns {Record<string, string>}
 */
export function codexEnv(serverUrl, { home, retries = 1, config = '' }) {
  const folder = join(home, '.codex')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'config.toml'),
    `model = "stand-in"
model_provider = "stand-in"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.stand-in]
name = "stand-in"
base_url = "${serverUrl}/v1"
wire_api = "responses"
env_key = "STAND_IN_KEY"
request_max_retries = ${retries}
stream_max_retries = ${retries}
${config}`,
  )
  return { HOME: home, USERPROFILE: home, CODEX_HOME: folder, STAND_IN_KEY: 'fake' }
}
