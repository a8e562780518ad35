import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'

import { execError } from '../../errors.js'
import { EXIT_CODES } from '../exit-codes.js'
import { readPrompt } from '../prompt.js'
import type { ExecFlags } from './exec.js'
import { planOf } from './exec.js'

/**
 * `--legacy`: one blocking run of the agent with its plain text output, without the engine; for comparing, and for the
 * day on which the engine is what is broken. Resolves to the exit code; throws an `ExecError`.
 */
export async function runLegacy(words: string[], flags: ExecFlags): Promise<number> {
  const { options, turn, provider, projectPath } = planOf(flags)
  if (provider !== 'claude') {
    throw execError('INVALID_INPUT', `--legacy runs only claude, not '${provider}'`)
  }
  if (turn.images) {
    throw execError('INVALID_INPUT', '--legacy takes no images')
  }
  // The operating system would blame a folder that cannot be used on the executable.
  if (!statSync(projectPath, { throwIfNoEntry: false })?.isDirectory()) {
    throw execError('INVALID_DIRECTORY', `working directory '${projectPath}' is not a directory`)
  }
  const prompt = await readPrompt(words, () => process.stdin)
  const args = ['--print', '--output-format=text']
  args.push(...(options.model ? [`--model=${options.model}`] : []))
  args.push(...(options.permissionMode ? [`--permission-mode=${options.permissionMode}`] : []))
  args.push(...(options.allowedTools ?? []).map((tool) => `--allowedTools=${tool}`))
  args.push(...(options.deniedTools ?? []).map((tool) => `--disallowedTools=${tool}`))
  args.push(...(options.allowAll ? ['--dangerously-skip-permissions'] : []))
  const executable = options.executable ?? 'claude'
  const child = spawn(executable, args, { cwd: projectPath, stdio: ['pipe', 'inherit', 'inherit'] })
  // A process that ends without reading its prompt is told by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(prompt)
  return await new Promise((resolve, reject) => {
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'ENOENT' ? 'CLI_NOT_FOUND' : 'SPAWN_FAILED'
      reject(execError(code, `cannot start '${executable}' in '${projectPath}': ${cause.message}`, { cause }))
    })
    child.on('close', (code) => resolve(code ?? EXIT_CODES.KILLED_BY_SIGNAL))
  })
}
