import { execError } from '../errors.js'

/** The prompt: the words of the command line, or stdin, which is opened only then, for `-` and for no words in a pipe. */
export async function readPrompt(words: string[], openStdin: () => NodeJS.ReadStream): Promise<string> {
  const fromStdin = words.length === 1 && words[0] === '-'
  if (words.length > 0 && !fromStdin) {
    return checked(words.join(' '), 'the prompt is empty; say what the agent is to do')
  }
  const stdin = openStdin()
  if (stdin.isTTY) {
    throw execError(
      'INVALID_INPUT',
      'no prompt; give it as an argument, or in a pipe: echo "hello" | locus exec -',
    )
  }
  const { text } = await import('node:stream/consumers')
  return checked(await text(stdin), 'the prompt on stdin is empty; say what the agent is to do')
}

function checked(prompt: string, problem: string): string {
  if (prompt.trim() === '') {
    throw execError('INVALID_INPUT', problem)
  }
  return prompt
}
