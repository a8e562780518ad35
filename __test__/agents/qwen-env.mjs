// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the real qwen run offline against a model server (see model-server.mjs), and returns the variables it needs for that on top of
 * PATH: with them it connects to nothing else and writes nothing outside `home`.
 * @param {string} serverUrl the `url` of the model server
 * @param {{ home: string }} options home: a folder of its own, so that neither the user's settings nor another test's session is seen
 * @returns {Record<string, string>}
 */
export function qwenEnv(serverUrl, { home }) {
  const folder = join(home, '.qwen')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'settings.json'),
    JSON.stringify({
      general: { enableAutoUpdate: false },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      security: { auth: { selectedType: 'openai' } },
      // By the model's name it would take it for blind.
      model: { generationConfig: { modalities: { image: true } } },
    }),
  )
  return {
    HOME: home,
    USERPROFILE: home,
    OPENAI_API_KEY: 'fake',
    OPENAI_BASE_URL: `${serverUrl}/v1`,
    OPENAI_MODEL: 'stand-in',
  }
}
