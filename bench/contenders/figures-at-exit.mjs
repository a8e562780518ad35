// Loaded in front of a program (`node --import`): writes what it used to $BENCH_FIGURES when it leaves.
import { writeFileSync } from 'node:fs'

import { startUsage } from './usage.mjs'

const usage = startUsage()
process.on('exit', () => writeFileSync(process.env.BENCH_FIGURES, JSON.stringify(usage())))
