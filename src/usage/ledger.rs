//! What every turn used, on disk: `.locus/usage/<year>-<month>.jsonl`, one line for each turn.
//!
//! Conversations are removed when they are old; these lines stay. They have no words of anybody in them. A line is
//! appended in one `write` under a lock of the file and made durable; what a writer that died left of one is dropped by
//! the next. Months are those of UTC.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::Usage;
use crate::error::Result;
use crate::history::{Folder, Problem, append_private, failure, open_private};

/// The schema that is written, and the newest that is read.
const SCHEMA: u64 = 1;

/// The longest line that is read, in bytes; we write none that comes near.
const LINE_LIMIT: u64 = 1024 * 1024;

const ENDING: &str = ".jsonl";

/// What one turn used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When the turn ended, in milliseconds since the epoch.
    pub time: u64,
    /// The id of the session.
    pub session: String,
    /// The id of the run.
    pub run: String,
    /// The agent's name.
    pub provider: String,
    /// The model that was asked for; those that answered are in `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether the turn succeeded.
    pub success: bool,
    /// The code of its error, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Milliseconds from the prompt to the end.
    pub duration_ms: u64,
    /// How often the agent was given the prompt.
    #[serde(default)]
    pub attempts: u32,
    /// Tokens and money, by model where the agent names them.
    #[serde(default)]
    pub usage: Usage,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: u64,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// What was found in a ledger.
#[derive(Debug, Default, Serialize)]
pub struct Reading {
    /// The turns, in the order in which they ended, as far as the files are in order.
    pub entries: Vec<Entry>,
    /// What could not be understood; all else was.
    pub problems: Vec<Problem>,
}

/// The usage of one project.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: Folder,
}

impl Ledger {
    /// The ledger of `project`: in `.locus/usage`, or in the folder `usage` of another folder of the history. Touches
    /// nothing.
    pub fn of_project(project: &Path, history: Option<&Path>) -> Self {
        Self { folder: Folder::of_usage(project, history) }
    }

    /// The ledger that belongs to a history.
    pub fn beside(history: &Folder) -> Self {
        Self { folder: history.beside_for_usage() }
    }

    /// The folder of its files.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a turn; it survives a power cut when this returns. Blocks for as long as that takes.
    pub fn append(&self, entry: &Entry) -> Result<()> {
        self.folder.create()?;
        let path = self.folder.path().join(format!("{}{ENDING}", month_of(entry.time)));
        let mut line = serde_json::to_vec(&Line { schema: SCHEMA, entry })
            .map_err(|error| failure("write", &path)(error.into()))?;
        line.push(b'\n');
        append_private(&self.folder, &path, &line)
    }

    /// The turns that ended at `since` or later, in milliseconds since the epoch. A project without a ledger has none.
    pub fn read(&self, since: u64) -> Result<Reading> {
        let mut reading = Reading::default();
        if self.folder.check()? {
            for path in self.files(&month_of(since))? {
                read_file(&path, since, &mut reading).map_err(failure("read", &path))?;
            }
        }
        Ok(reading)
    }

    /// The files of `first` and of all months after it, in order.
    fn files(&self, first: &str) -> Result<Vec<PathBuf>> {
        let folder = self.folder.path();
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let names = entries.map_err(failure("list", folder))?.into_iter().map(|entry| entry.file_name());
        let mut names: Vec<String> = names
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.strip_suffix(ENDING).is_some_and(|month| is_month(month) && month >= first))
            .collect();
        names.sort_unstable();
        Ok(names.into_iter().map(|name| folder.join(name)).collect())
    }
}

fn read_file(path: &Path, since: u64, reading: &mut Reading) -> io::Result<()> {
    let mut file = BufReader::new(open_private(path)?);
    let mut buffer = Vec::new();
    for number in 1.. {
        buffer.clear();
        if file.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut buffer)? == 0 {
            break;
        }
        let is_long = buffer.len() as u64 == LINE_LIMIT && buffer.last() != Some(&b'\n');
        let understood = if is_long {
            file.skip_until(b'\n')?;
            Err(format!("it is longer than {LINE_LIMIT} bytes and was skipped"))
        } else {
            entry_of(buffer.trim_ascii())
        };
        match understood {
            Ok(Some(entry)) if entry.time >= since => reading.entries.push(entry),
            Ok(_) => {}
            Err(message) => {
                let file = path.to_string_lossy().into_owned();
                reading.problems.push(Problem { file, line: Some(number), message });
            }
        }
    }
    Ok(())
}

/// What a line says; nothing for a blank one.
fn entry_of(line: &[u8]) -> Result<Option<Entry>, String> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u64,
    }
    if line.is_empty() {
        return Ok(None);
    }
    let Schema { schema } = serde_json::from_slice(line)
        .map_err(|error| format!("it says nothing of a turn and was skipped: {error}"))?;
    if schema > SCHEMA {
        return Err(format!(
            "it was written by a newer version (schema {schema}) and was skipped; update this package"
        ));
    }
    serde_json::from_slice(line)
        .map(Some)
        .map_err(|error| format!("it says nothing of a turn and was skipped: {error}"))
}

/// The month of a time in milliseconds since the epoch, for example `2026-11`.
fn month_of(time: u64) -> String {
    // The last moment that has four digits for its year.
    const LAST: u64 = 253_402_300_799_000;
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(time.min(LAST));
    humantime::format_rfc3339(time).to_string().chars().take("2026-11".len()).collect()
}

fn is_month(name: &str) -> bool {
    let is = |index: usize, byte: u8| if index == 4 { byte == b'-' } else { byte.is_ascii_digit() };
    name.len() == 7 && name.bytes().enumerate().all(|(index, byte)| is(index, byte))
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    /// 2026-11-21 12:00 UTC.
    const NOON: u64 = 1_795_262_400_000;
    const DAY: u64 = 86_400_000;

    fn entry(time: u64, run: &str) -> Entry {
        Entry {
            time,
            session: "s1".into(),
            run: run.into(),
            provider: "claude".into(),
            success: true,
            duration_ms: 5,
            attempts: 1,
            usage: Usage { input: 3, output: 4, cost_usd: Some(0.5), ..Usage::default() },
            ..Entry::default()
        }
    }

    fn runs(reading: &Reading) -> Vec<&str> {
        reading.entries.iter().map(|entry| entry.run.as_str()).collect()
    }

    #[test]
    fn what_was_added_is_read_from_a_day_on() {
        let project = tempfile::tempdir().unwrap();
        let ledger = Ledger::of_project(project.path(), None);
        assert!(ledger.read(0).unwrap().entries.is_empty(), "nothing is there, and nothing is made");
        assert!(!project.path().join(".locus").exists());
        for (time, run) in [(NOON - 40 * DAY, "october"), (NOON - DAY, "yesterday"), (NOON, "today")] {
            ledger.append(&entry(time, run)).unwrap();
        }
        let usage = project.path().join(".locus/usage");
        let mut files: Vec<_> = fs::read_dir(&usage)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.retain(|file| file != ".gitignore");
        files.sort();
        assert_eq!(files, ["2026-10.jsonl", "2026-11.jsonl"]);
        let all = ledger.read(0).unwrap();
        assert_eq!(runs(&all), ["october", "yesterday", "today"]);
        assert_eq!(all.entries[2], entry(NOON, "today"));
        assert_eq!(runs(&ledger.read(NOON - DAY).unwrap()), ["yesterday", "today"]);
        assert_eq!(runs(&ledger.read(NOON + 1).unwrap()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_sees_it_whatever_the_umask() {
        use std::os::unix::fs::PermissionsExt;
        let project = tempfile::tempdir().unwrap();
        let ledger = Ledger::of_project(project.path(), None);
        ledger.append(&entry(NOON, "a")).unwrap();
        let mode = |path: &str| fs::metadata(project.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(".locus/usage"), 0o700);
        assert_eq!(mode(".locus/usage/2026-11.jsonl"), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn symlinks_are_refused() {
        let elsewhere = tempfile::tempdir().unwrap();
        let project = tempfile::tempdir().unwrap();
        fs::create_dir(project.path().join(".locus")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), project.path().join(".locus/usage")).unwrap();
        let ledger = Ledger::of_project(project.path(), None);
        assert!(ledger.append(&entry(NOON, "a")).unwrap_err().to_string().contains("symlink"));
        assert!(ledger.read(0).is_err());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);

        let project = tempfile::tempdir().unwrap();
        let ledger = Ledger::of_project(project.path(), None);
        let month = project.path().join(".locus/usage/2026-11.jsonl");
        fs::create_dir_all(month.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("taken"), &month).unwrap();
        assert!(ledger.append(&entry(NOON, "a")).is_err());
        assert!(!elsewhere.path().join("taken").exists());
    }

    #[test]
    fn what_a_dead_writer_left_does_not_spoil_the_next_line() {
        let project = tempfile::tempdir().unwrap();
        let ledger = Ledger::of_project(project.path(), None);
        ledger.append(&entry(NOON, "before")).unwrap();
        let path = project.path().join(".locus/usage/2026-11.jsonl");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"schema\":1,\"time\":17").unwrap();
        let torn = ledger.read(0).unwrap();
        assert_eq!((runs(&torn), torn.problems.len()), (vec!["before"], 1));
        ledger.append(&entry(NOON, "after")).unwrap();
        let mended = ledger.read(0).unwrap();
        assert_eq!((runs(&mended), mended.problems.len()), (vec!["before", "after"], 0));
    }

    #[test]
    fn bad_lines_are_skipped_and_told() {
        let project = tempfile::tempdir().unwrap();
        let ledger = Ledger::of_project(project.path(), None);
        ledger.append(&entry(NOON, "a")).unwrap();
        let path = project.path().join(".locus/usage/2026-11.jsonl");
        let long = "x".repeat(usize::try_from(LINE_LIMIT).unwrap() + 5);
        let lines = format!("nonsense\n\n{{\"schema\":9}}\n{{\"schema\":1}}\n\u{0}\n{long}\n");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(lines.as_bytes()).unwrap();
        ledger.append(&entry(NOON, "b")).unwrap();
        let reading = ledger.read(0).unwrap();
        assert_eq!(runs(&reading), ["a", "b"]);
        let bad: Vec<_> = reading.problems.iter().map(|problem| problem.line.unwrap()).collect();
        assert_eq!(bad, [2, 4, 5, 6, 7]);
        assert!(reading.problems[1].message.contains("newer version"), "{:?}", reading.problems[1]);
    }

    #[test]
    fn many_writers_lose_nothing() {
        let project = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let ledger = Ledger::of_project(project.path(), None);
                scope.spawn(move || {
                    for number in 0..10 {
                        ledger.append(&entry(NOON, &format!("{writer}-{number}"))).unwrap();
                    }
                });
            }
        });
        let reading = Ledger::of_project(project.path(), None).read(0).unwrap();
        assert_eq!((reading.entries.len(), reading.problems.len()), (40, 0));
    }

    #[test]
    fn months_are_those_of_utc() {
        assert_eq!(month_of(0), "1970-01");
        assert_eq!(month_of(NOON), "2026-11");
        assert_eq!(month_of(u64::MAX), "9999-12");
        assert!(is_month("2026-11"));
        assert!(!is_month("2026-1a") && !is_month("202611-") && !is_month("2026-011"));
    }
}
