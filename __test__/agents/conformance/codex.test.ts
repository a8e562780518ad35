import { RealCodex } from '../real-agent.js'
import { conformance } from './column.js'

conformance('codex', { agent: new RealCodex(), options: () => ({}), leavesSubagentsBehind: true })
