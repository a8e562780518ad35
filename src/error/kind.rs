//! The kinds of errors, each with its stable code and what to do about it.

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal, retryable: $retryable:literal, remedy: $remedy:literal;)+) => {
        /// The stable code of an [`Error`](super::Error).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The code as it is written everywhere outside Rust, for example `CLI_NOT_FOUND`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)+
                }
            }

            /// Whether the same turn may succeed when it is simply tried again later.
            pub const fn retryable(self) -> bool {
                match self {
                    $(Self::$kind => $retryable,)+
                }
            }

            /// What a person can do about it.
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$kind => $remedy,)+
                }
            }
        }
    };
}

error_kinds! {
    /// A prompt or an option that cannot be used.
    InvalidInput = "INVALID_INPUT", retryable: false,
        remedy: "correct what the message names";
    /// No agent is registered under this name.
    UnknownProvider = "UNKNOWN_PROVIDER", retryable: false,
        remedy: "choose one of the providers that the message lists";
    /// The project's file of agents, which says how the agent is run, has not been allowed.
    AgentNotAllowed = "AGENT_NOT_ALLOWED", retryable: false,
        remedy: "read the project's .locus/agents.toml, then allow it (locus exec agents allow)";
    /// The working directory is missing, no directory, or not accessible.
    InvalidDirectory = "INVALID_DIRECTORY", retryable: false,
        remedy: "name a folder that exists and that you may enter";
    /// The agent's executable was not found.
    CliNotFound = "CLI_NOT_FOUND", retryable: false,
        remedy: "install the agent, or say where its executable is (--executable)";
    /// The operating system refused to start the agent.
    SpawnFailed = "SPAWN_FAILED", retryable: false,
        remedy: "check that you may run the executable, and that the system has memory, processes and open files left";
    /// A part of this package is missing or cannot be run here: its addon or `locus-runner`.
    BrokenInstallation = "BROKEN_INSTALLATION", retryable: false,
        remedy: "install this package again on this machine (npm install --include=optional); in a clone: npm run build";
    /// The agent ended before it said that it was ready.
    ExitedBeforeInit = "EXITED_BEFORE_INIT", retryable: false,
        remedy: "start the agent by hand in the same folder to see what it lacks: a login, a setting, a newer version";
    /// The agent ended with exit code 0 but gave no result.
    NoResult = "NO_RESULT", retryable: true,
        remedy: "go on with the conversation; if it stays like this, start the agent by hand to see why";
    /// The agent ended with another exit code in the middle of a turn.
    ProcessCrashed = "PROCESS_CRASHED", retryable: true,
        remedy: "go on with the conversation; what the agent wrote to stderr says more";
    /// The agent was ended by a signal that we did not send.
    KilledBySignal = "KILLED_BY_SIGNAL", retryable: true,
        remedy: "look whether the system ran out of memory, then go on with the conversation";
    /// The agent printed nothing that its protocol knows.
    Protocol = "PROTOCOL", retryable: false,
        remedy: "check that the executable is the agent that was asked for, in a supported version";
    /// The agent reported a failure of the model's API that has no finer code.
    Api = "API_ERROR", retryable: false,
        remedy: "change what the message of the API names: the model, the request, the account";
    /// The agent is not logged in, or its key is refused.
    Auth = "AUTH", retryable: false,
        remedy: "log in with the agent's own command, or check its key and its account";
    /// The model's API limits the rate.
    RateLimit = "RATE_LIMIT", retryable: true,
        remedy: "wait until the limit is reset (--max-wait waits for you), or go on with another model or provider";
    /// The model's API is overloaded or failing.
    Overloaded = "OVERLOADED", retryable: true,
        remedy: "try again in some minutes, or go on with another model";
    /// The model's API cannot be reached.
    Network = "NETWORK_ERROR", retryable: true,
        remedy: "check the connection, the proxy and the address of the API, then go on with the conversation";
    /// The conversation is longer than the model can take.
    ContextLimit = "CONTEXT_LIMIT", retryable: false,
        remedy: "begin a new conversation, or give the agent less to read at once";
    /// The agent stopped at its limit of model turns.
    MaxTurns = "MAX_TURNS", retryable: false,
        remedy: "raise the limit and go on with the conversation";
    /// A budget was used up: the agent's own, the turn's or the session's.
    BudgetExceeded = "BUDGET_EXCEEDED", retryable: false,
        remedy: "raise the budget and go on with the conversation";
    /// The agent ended the turn with an error that has no finer code.
    AgentError = "AGENT_ERROR", retryable: false,
        remedy: "read the agent's message, then go on with the conversation or ask in another way";
    /// Something may not be done: a tool was refused, or the system forbids it.
    PermissionDenied = "PERMISSION_DENIED", retryable: false,
        remedy: "allow the tool (--allow, --yes), or give access to what the message names";
    /// A tool of the agent failed.
    ToolFailure = "TOOL_FAILURE", retryable: false,
        remedy: "look at what the tool said, then tell the agent how to go on";
    /// Code that was written cannot be parsed.
    Syntax = "SYNTAX", retryable: false,
        remedy: "have the place that the message names mended";
    /// Something that the code needs is missing.
    Dependency = "DEPENDENCY", retryable: false,
        remedy: "install what the message names";
    /// The agent did not get ready in time.
    StartTimeout = "START_TIMEOUT", retryable: true,
        remedy: "start the agent by hand to see what it waits for; on a slow machine raise timeouts.startMs";
    /// The agent was silent for too long in the middle of a turn.
    IdleTimeout = "IDLE_TIMEOUT", retryable: true,
        remedy: "go on with the conversation; for tools that take longer raise timeouts.idleMs";
    /// The turn took too long.
    TurnTimeout = "TURN_TIMEOUT", retryable: false,
        remedy: "give it more time (--timeout, timeouts.totalMs) and go on with the conversation";
    /// The turn was cancelled.
    Cancelled = "CANCELLED", retryable: false,
        remedy: "go on with the conversation when you are ready";
    /// A turn of this session is still running.
    SessionBusy = "SESSION_BUSY", retryable: false,
        remedy: "await the turn's result or cancel it first";
    /// The session was ended.
    SessionEnded = "SESSION_ENDED", retryable: false,
        remedy: "load the session again, or create another one";
    /// No stored session has this id.
    SessionNotFound = "SESSION_NOT_FOUND", retryable: false,
        remedy: "list the sessions of this project to see which there are (locus exec sessions list)";
    /// Several stored sessions begin with this id; told by who resolves it (the command line), not by the engine.
    SessionAmbiguous = "SESSION_AMBIGUOUS", retryable: false,
        remedy: "give more of the id";
    /// A file of the history could not be read or written.
    History = "HISTORY", retryable: false,
        remedy: "do what the message says about the file: free space, access, a mount that is gone";
    /// A file of the history was written by a newer version.
    SchemaTooNew = "SCHEMA_TOO_NEW", retryable: false,
        remedy: "update this package";
    /// A failure that nothing more is known of.
    Unknown = "UNKNOWN", retryable: false,
        remedy: "read the message and its causes";
    /// A defect of this package.
    Internal = "INTERNAL", retryable: false,
        remedy: "report it with the message and the log";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
