//! Any agent that speaks the Agent Client Protocol (ACP, version 1: JSON-RPC over stdio; observed on Qwen Code 0.15.10,
//! opencode 1.18.33 and Gemini CLI 0.61.0).
//!
//! The process is held open over the turns of a session. `initialize` is sent at once; its answer says whether the
//! agent can go on with conversations, so that only then `session/new`, `session/resume` or `session/load` follows, then
//! what the user chose of models and modes, then the prompt. A turn is one `session/prompt`: its answer is the end of it,
//! what happens before comes as `session/update`.
//!
//! The agent is offered neither files nor terminals: it uses its own tools, and asks about them.
//!
//! Its traps, and what is done about them:
//!
//! - Who cannot go on with a conversation must not be asked to. Its id is then not told, so that the engine, which knows
//!   of nothing to resume, retells the conversation by itself.
//! - An agent may announce `session/resume` and not have it (Qwen Code): `session/load` is tried then.
//! - `session/load` repeats the whole conversation as updates, and Gemini CLI goes on with that after it has answered. A
//!   request that means nothing is sent behind it: what comes before its answer is the repetition, of which nothing is
//!   told. Who repeats nothing knows nothing (Qwen Code loads whatever it is asked to).
//! - The prompt is not acknowledged. It is on its way before anything else can be, so the turn can be interrupted at once.
//! - A question may be the first that is said of a tool (Qwen Code): the tool is told of before the question.
//! - A tool's title is for people and its name often missing, or there in one message and not in the next. Its *kind*
//!   (`execute`, `edit`, …) is always there and the same for all agents: that is its name here, unless it is `other`.
//! - A tool that is `pending` may not have all its input yet; one that is asked about, runs or has ended has.
//! - Of a tool that was denied an agent may say nothing more (Qwen Code): its end is told with that of the turn.
//! - What a tool returned replaces what was told of it before.
//! - Tokens come with the answer to the prompt, or with each request to the model under `_meta`, or not at all; those of
//!   the cache are a part of the input or not, which shows in the total. What it cost is a sum over the conversation.
//! - Whoever cancels a turn must answer what is still asked, with `cancelled`.
//! - Agents ask for files and terminals that they were told are not there (opencode): they are refused, and go on.
//! - Errors are mostly `-32603`; what is wrong stands in their text or data, often with a status of HTTP.

mod dialect;
mod failure;
mod launch;
mod session;
mod tools;
mod usage;
mod wire;

pub(super) use launch::Acp;
