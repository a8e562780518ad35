import { Command } from 'commander'

import { version } from '../../package.json'
import type { RunFlags } from './commands/run.js'

/** What can be given on the command line; what a command needs is loaded when it is called. */
export function commandLine(): Command {
  const root = new Command('locus')
    .description('Runs coding agents and shows what they do while they do it.')
    .version(version)
    // What comes behind the name of a command belongs to that command.
    .enablePositionalOptions()
    .exitOverride()
    // What is wrong is told by `main`, in the mode that was asked for.
    .configureOutput({ outputError: () => {} })
  const exec = root
    .command('exec')
    .description('run a prompt with an agent')
    .argument('[prompt...]', 'what the agent is to do; - reads it from stdin')
    .option('-i, --interactive', 'talk with the agent; also without a prompt in a terminal')
    .option('-p, --provider <name>', 'the agent; `locus exec agents` lists them (default: claude)')
    .option('--trust-project', "run agents as the project's .locus/agents.toml says, without asking")
    .option('-m, --model <name>', "the model (default: the agent's choice)")
    .option('--image <path>', 'an image for the agent to look at; can be repeated', collect)
    .option('--executable <path>', "the agent's executable (default: found on PATH)")
    .option('--agent-command <argv>', 'any other agent that speaks ACP, for example "gemini --acp"')
    .option('-d, --dir <path>', 'the working directory of the agent (default: this one)')
    .option('--stream', 'show the list of things to do in a box, and the answer below it')
    .option('--no-stream', 'show the answer when it is complete')
    .option('--simple', 'only append lines: no colour, no animation')
    .option('--ascii', 'no symbol beyond ASCII in the display; also by LOCUS_ASCII=1')
    .option('--json-stream', 'print the events as JSON, one a line')
    .option('--legacy', 'run the agent once with its plain text output, without the engine')
    .option('-y, --yes', 'allow every tool that is not denied')
    .option('--allow <tool>', 'allow a tool or a rule such as "Bash(git *)"; can be repeated', collect)
    .option('--deny <tool>', 'deny a tool or a rule; can be repeated', collect)
    .option('--permission-mode <mode>', "the agent's own permission mode, for example acceptEdits")
    .option(
      '-s, --session <id>',
      'go on with a stored conversation; the first 8 characters of its id will do',
    )
    .option('-c, --continue', 'go on with the conversation that was changed last')
    .option('--no-save', 'do not keep the conversation on disk')
    .option('--save-on-exit <when>', 'ask, always or never: whether a conversation of -i is kept')
    .option('--no-status', 'no status line')
    .option(
      '--retries <count>',
      'how often a turn is tried again that fails of something that may pass (default: 2)',
    )
    .option('--max-wait <duration>', 'for how long a rate limit is waited for until its reset (default: 60s)')
    .option(
      '--on-error <action>',
      'what to do when a turn fails for good: retry, continue, skip, switch:<model> or abort (default: ask in a terminal, else abort)',
    )
    .option(
      '--fallback <names>',
      'agents that take over, in this order, where one is limited, missing or not logged in',
    )
    .option('--no-fallback', 'nobody takes over, whatever the settings say')
    .option('--fallback-after-changes', 'also where the turn that failed had changed something')
    .option('--max-cost-usd <dollars>', 'stop the turn when it has cost more')
    .option('--max-tokens <count>', 'stop the turn when it has used more, the cache included')
    .option('--max-turns <count>', 'stop the turn when it needs more model requests')
    .option('--timeout <duration>', 'stop the turn when it takes longer: 90s, 10m, 2h')
    .option(
      '-v, --verbose',
      'show also what the model thinks, whole changes, and what was not understood; log more',
    )
    .version(version)
    .addHelpText('after', HELP)
    .action(async (words: string[], flags: RunFlags) => {
      const { run } = await import('./commands/run.js')
      await run(words, flags)
    })
  addProjectCommand(
    exec,
    'sessions',
    'list, show, search, export, replay the conversations of this project, and more',
  )
  addProjectCommand(exec, 'usage', 'what the turns of this project used: tokens and costs')
  addProjectCommand(
    exec,
    'clean',
    'delete and compress old conversations, remove what killed processes left behind',
  )
  addProjectCommand(exec, 'doctor', 'whether the agents can be used, and what to do where not')
  addProjectCommand(exec, 'models', 'the models that are known, with their prices')
  addProjectCommand(exec, 'agents', 'the agents that there are; allow those of this project')
  return root
}

/** A command about a project. */
function addProjectCommand(exec: Command, name: ProjectCommand, description: string): void {
  exec
    .enablePositionalOptions()
    .command(name)
    .description(description)
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[], _flags: object, command: Command) => {
      const { dir } = command.optsWithGlobals<RunFlags>()
      process.exitCode = await (await RUNS[name]())(args, dir)
    })
}

type ProjectCommand = keyof typeof RUNS

const RUNS = {
  sessions: async () => (await import('./commands/sessions.js')).runSessions,
  clean: async () => (await import('./commands/sessions.js')).runClean,
  usage: async () => (await import('./commands/usage.js')).runUsage,
  doctor: async () => (await import('./commands/doctor.js')).runDoctor,
  models: async () => (await import('./commands/models.js')).runModels,
  agents: async () => (await import('./commands/agents.js')).runAgents,
}

const HELP = `
Examples:
  $ locus exec "explain this project"
  $ locus exec --provider demo "hello"          offline, no account needed
  $ git diff | locus exec - > review.md         the answer goes to stdout, all else to stderr
  $ locus exec                                  talks with the agent
  $ locus exec --continue "and now test it"     goes on with the last conversation of this project

The provider and the model can also be set by LOCUS_PROVIDER and LOCUS_MODEL, or in .locus/settings.json.
Exit codes: docs/exit-codes.md.`

function collect(value: string, list: string[] = []): string[] {
  return [...list, value]
}
