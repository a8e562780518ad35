import { Consumer } from './consumer.mjs'
import { startUsage } from './usage.mjs'

/** Runs a contender, which is given a consumer, and prints its figures as JSON. */
export async function measure(run) {
  const consumer = new Consumer()
  const usage = startUsage()
  await run(consumer)
  console.log(JSON.stringify({ ...usage(), ...consumer.summary }))
}
