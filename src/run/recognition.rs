//! Who printed a transcript, as far as its lines show it.
//!
//! An agent may be spoken to in several ways (see [`Agent::fallback`]), and a transcript does not say in which it was. So
//! each way is given the first lines, and the one that understands most of them is taken.

use std::iter::successors;
use std::sync::Arc;

use crate::agent::{Agent, AgentOptions, Signal, Sink};
use crate::stream::Chunk;

/// So many lines tell.
const LINES: usize = 64;

/// The one of these agents, in any of the ways to speak to it, that understands the most of the first lines; of equals
/// the first.
pub(super) fn speaker_of(
    agents: impl IntoIterator<Item = Arc<dyn Agent>>,
    transcript: &[u8],
) -> Option<Arc<dyn Agent>> {
    let ways = agents.into_iter().flat_map(|agent| successors(Some(agent), |agent| agent.fallback()));
    let mut best = None;
    for way in ways {
        let understood = understood(&*way, transcript);
        if best.as_ref().is_none_or(|(most, _)| understood > *most) {
            best = Some((understood, way));
        }
    }
    best.map(|(_, speaker)| speaker)
}

/// How many of the first lines mean something to an agent.
fn understood(agent: &dyn Agent, transcript: &[u8]) -> usize {
    let Ok(mut dialect) = agent.dialect(&AgentOptions::default()) else { return 0 };
    let lines = transcript.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let mut meaningful = 0;
    for line in lines.take(LINES) {
        let mut ear = Ear::default();
        dialect.decode(line, 0, &mut ear);
        meaningful += usize::from(ear.heard && !ear.puzzled);
    }
    meaningful
}

#[derive(Default)]
struct Ear {
    heard: bool,
    puzzled: bool,
}

impl Sink for Ear {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        self.heard = true;
        self.puzzled |= matches!(chunk, Chunk::Unparsed { .. });
    }

    fn signal(&mut self, _: Signal) {
        self.heard = true;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::agent::agent_named;

    /// What the agent printed of a recording.
    fn printed(case: &Path) -> Option<Vec<u8>> {
        let files = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
        let file = files.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "jsonl"))?;
        let recorded = fs::read_to_string(&file).unwrap();
        if !file.ends_with("both-ways.jsonl") {
            return Some(recorded.into_bytes());
        }
        let lines = recorded.lines().filter_map(|line| line.strip_prefix("<<< "));
        Some(lines.collect::<Vec<_>>().join("\n").into_bytes())
    }

    #[test]
    fn every_recording_is_recognized_by_its_lines() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts");
        let mut seen = 0;
        for folder in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let Some(agent) = ["claude", "codex", "acp"].into_iter().find(|agent| name.starts_with(agent))
            else {
                continue;
            };
            for case in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                let Some(transcript) = printed(&case) else { continue };
                let agents = ["claude", "codex", "acp"].map(|name| agent_named(name).unwrap());
                let speaker = speaker_of(agents, &transcript).unwrap();
                assert_eq!(speaker.name(), agent, "{}", case.display());
                let is_exec = case.file_name().unwrap().to_str().unwrap().starts_with("exec-");
                assert_eq!(speaker.is_held_open(), !is_exec, "{}", case.display());
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn what_nobody_understands_is_of_the_first() {
        let agents = || ["codex", "claude"].map(|name| agent_named(name).unwrap());
        for transcript in ["", "hello\n", "{}\n", "\0\n"] {
            assert_eq!(
                speaker_of(agents(), transcript.as_bytes()).unwrap().name(),
                "codex",
                "{transcript:?}"
            );
        }
        assert!(speaker_of([], b"").is_none());
    }
}
