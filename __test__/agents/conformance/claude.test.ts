import { RealClaude } from '../real-agent.js'
import { conformance } from './column.js'

// By itself it tries ten times, for minutes.
const agent = new RealClaude({ CLAUDE_CODE_MAX_RETRIES: '2' })

conformance('claude', { agent, options: () => ({}) })
