import { build } from '../../scripts/build.mjs'

/** Brings `dist` and `types` up to date before the tests that run them; the addon is built by `npm test`. */
export default async function setup(): Promise<void> {
  await build({ ifStale: true, jsOnly: true })
}
