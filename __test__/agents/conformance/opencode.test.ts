import { RealOpencode } from '../real-agent.js'
import { conformance } from './column.js'

// Where much else runs it takes up to three seconds to stop, and its process would be ended after two.
const timeouts = { settleMs: 20_000 }

conformance('opencode, by ACP', { agent: new RealOpencode(), options: () => ({ timeouts }) })
