import { RealGemini } from '../real-agent.js'
import { conformance } from './column.js'

conformance('gemini, by ACP', { agent: new RealGemini(), options: () => ({}) })
