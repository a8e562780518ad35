import { fileURLToPath } from 'node:url'

import { ExecSession } from '../../dist/index.mjs'

const executable = fileURLToPath(new URL('../agents/replay-after-prompt', import.meta.url))

/** A session with the benchmark's agent. */
export const createSession = () => ExecSession.create({ executable, provider: 'claude' })
