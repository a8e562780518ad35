import { RealQwen } from '../real-agent.js'
import { conformance } from './column.js'

conformance('qwen, by ACP', { agent: new RealQwen(), options: () => ({}) })
