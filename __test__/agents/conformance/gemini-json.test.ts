import { RealGemini } from '../real-agent.js'
import { conformance } from './column.js'

conformance('gemini, by stream-json', {
  agent: new RealGemini(),
  options: () => ({ provider: 'gemini-json' }),
})
