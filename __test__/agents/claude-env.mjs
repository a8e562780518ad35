// @ts-check
import { join } from 'node:path'

/**
 * The variables that make the real claude run offline against a model server (see model-server.mjs): with them it connects to nothing
 * else and writes nothing outside `home`. They come on top of PATH; the rest of the caller's environment is best left out.
 * @param {string} serverUrl the `url` of the model server
 * @param {{ home: string }} options home: a folder of its own, so that neither the user's settings nor another test's session is seen
 * @returns {Record<string, string>}
 */
export function claudeEnv(serverUrl, { home }) {
  return {
    HOME: home,
    USERPROFILE: home,
    // Set, although they are only what HOME implies, in case the caller's environment is passed on and has others.
    CLAUDE_CONFIG_DIR: join(home, '.claude'),
    // Results of tools that are too large, transcripts of subagents, sockets: else in a folder that all sessions of a user share.
    CLAUDE_CODE_TMPDIR: join(home, 'tmp'),
    ANTHROPIC_BASE_URL: serverUrl,
    ANTHROPIC_API_KEY: 'sk-ant-fake',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
  }
}
