import { RealOpencode } from '../real-agent.js'
import { conformance } from './column.js'

conformance('opencode, by its JSON stream', {
  agent: new RealOpencode(),
  options: () => ({ provider: 'opencode-json' }),
})
