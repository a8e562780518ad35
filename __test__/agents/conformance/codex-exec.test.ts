import { RealCodex } from '../real-agent.js'
import { conformance } from './column.js'

const agent = new RealCodex()

conformance('codex, by `exec`', { agent, options: () => ({ executable: agent.withoutAppServer() }) })
