import { installAgents } from '../../scripts/install-agents.mjs'

/** Before all tests: the first run installs the agents (about 1.3 GB) outside the project. */
export default async function setup(): Promise<void> {
  await installAgents()
}
