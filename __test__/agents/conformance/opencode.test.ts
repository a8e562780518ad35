import { RealOpencode } from '../real-agent.js'
import { conformance } from './column.js'

conformance('opencode, by ACP', { agent: new RealOpencode(), options: () => ({}) })
