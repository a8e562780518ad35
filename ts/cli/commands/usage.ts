import { reportUsage, type UsageFlags } from '../usage/report.js'
import { addCommonFlags, runProjectCommand } from './sessions.js'

/** Runs `locus exec usage …`; resolves to the exit code. Never throws: what goes wrong is told. */
export async function runUsage(args: string[], dir?: string): Promise<number> {
  return await runProjectCommand('usage', args, dir, (root, start) => {
    addCommonFlags(root.description('what the turns of this project used: tokens and costs'))
      .option('--since <when>', 'only turns since a date (2026-02-01) or an age (12h, 7d)')
      .option('--by <what>', 'day, model, session or provider (default: day)')
      .action(async (flags: UsageFlags) => {
        const [{ screen }, projectPath] = start(flags)
        await reportUsage(projectPath, screen, flags)
      })
  })
}
