//! Keeping the index true to the files, and doing without it where there can be none.
//!
//! A file has changed when its size, its time or its inode is another. To look at ten thousand files takes longer than
//! to list them, so as long as the folder itself has not changed (no file came, went or was replaced; every session
//! that is opened or closed changes it too) only those are looked at that are open or among the newest. What another
//! program writes into an old file, in place, is noticed with the next change of the folder.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{MutexGuard, PoisonError};
use std::thread;

use rustc_hash::FxHashSet;

use super::folder::MARK;
use super::id::SessionId;
use super::index::{Entry, Index, Scanned, Stamp};
use super::source::{Place, Source};
use super::store::{Store, names};
use super::transcript::SessionSummary;
use super::words::gather_words;
use crate::error::{Error, Result};

/// A folder that was read sooner after its last change than this may have changed again in the same tick of the file
/// system's clock, in nanoseconds.
const SETTLED: i64 = 1_000_000_000;

/// At most so many threads read files.
const READERS: usize = 4;

/// So many entries wait for the index at most.
const QUEUE: usize = 32;

/// Why the index did not answer.
enum Trouble {
    /// The history itself cannot be used.
    History(Error),
    /// Only the index.
    Index(rusqlite::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::History(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(error)
    }
}

impl Store {
    /// Asks the index, which is brought up to date before. One that fails is made again; one that still fails, or
    /// cannot be written, is replaced by one in memory.
    pub(super) fn ask<T>(&self, question: impl Fn(&Index) -> rusqlite::Result<T>) -> Result<T> {
        let ask = |index: &mut Index| -> Result<T, Trouble> {
            self.refresh(index)?;
            Ok(question(index)?)
        };
        let mut held = self.lock_index();
        let mut failed = None;
        for attempt in 0..3 {
            let opened = match held.take() {
                // Where there was no folder there may be one by now, with an index that stays.
                Some(index) if !(index.is_makeshift() && self.folder().check()?) => Ok(index),
                _ if attempt < 2 && self.folder().check()? => Index::open(self.folder()),
                _ => Index::in_memory(attempt < 2),
            };
            let outcome = opened.map_err(Trouble::Index).and_then(|mut index| {
                let answer = ask(&mut index)?;
                Ok((index, answer))
            });
            match outcome {
                Ok((index, answer)) => {
                    *held = Some(index);
                    return Ok(answer);
                }
                Err(Trouble::History(error)) => return Err(error),
                Err(Trouble::Index(error)) => {
                    if !is_busy(&error) {
                        Index::delete(self.folder());
                    }
                    failed = Some(error);
                }
            }
        }
        let reason = failed.map(|error| error.to_string()).unwrap_or_default();
        Err(Error::Internal(format!("the index of the history does not work: {reason}").into()))
    }

    fn lock_index(&self) -> MutexGuard<'_, Option<Index>> {
        self.index().lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refresh(&self, index: &mut Index) -> Result<(), Trouble> {
        let folders = self.folders();
        let modified: Vec<Option<i64>> =
            folders.iter().map(|folder| Stamp::of(folder).map(Stamp::modified)).collect();
        let mut unchanged = true;
        for (folder, modified) in folders.iter().zip(&modified) {
            unchanged &= index.folder_modified(folder)? == Some(modified.unwrap_or(0));
        }
        if unchanged {
            let changed: Vec<Source> = index
                .likely()?
                .into_iter()
                .filter_map(|(id, place, stamp)| {
                    let source = Source::at(self.folder(), SessionId::parse(&id).ok()?, place)?;
                    (Stamp::of(source.path()) != Some(stamp)).then_some(source)
                })
                .collect();
            if !changed.is_empty() {
                with_entries(&changed, |entries| index.update(entries, &[], None))?;
            }
            return Ok(());
        }
        self.scan(index, &folders, &modified)
    }

    /// Looks at every file.
    fn scan(&self, index: &mut Index, folders: &[PathBuf], modified: &[Option<i64>]) -> Result<(), Trouble> {
        let now = i64::try_from(super::now()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let sources = self.sources()?;
        let mut known: HashMap<String, (Place, Stamp)> =
            index.stamps()?.into_iter().map(|(id, place, stamp)| (id, (place, stamp))).collect();
        let changed: Vec<Source> = sources
            .into_values()
            .filter(|source| {
                let stamp = Stamp::of(source.path());
                let before = known.remove(source.id.as_str());
                before.is_none_or(|(place, before)| place != source.place || stamp != Some(before))
            })
            .collect();
        let removed: Vec<String> = known.into_keys().collect();
        let marks = if self.folder().check()? {
            let names = names(self.folder().path())?;
            names.iter().filter_map(|name| name.strip_suffix(MARK).map(Into::into)).collect()
        } else {
            Vec::new()
        };
        let settled = |modified: &Option<i64>| modified.is_none_or(|modified| now - modified > SETTLED);
        let folders = folders.iter().cloned().zip(modified);
        let scanned = Scanned {
            marks,
            folders: folders
                .filter(|(_, modified)| settled(modified))
                .map(|(folder, modified)| (folder, modified.unwrap_or(0)))
                .collect(),
        };
        with_entries(&changed, |entries| index.update(entries, &removed, Some(&scanned)))?;
        Ok(())
    }

    /// The folders that sessions are found in.
    fn folders(&self) -> Vec<PathBuf> {
        [self.folder().path().to_owned()].into_iter().chain(self.folder().locus_sessions()).collect()
    }

    /// Where each session is read from.
    pub(super) fn sources(&self) -> Result<BTreeMap<SessionId, Source>> {
        let mut found: BTreeMap<SessionId, Source> = BTreeMap::new();
        let mut take = |id: SessionId, place| {
            if found.get(&id).is_none_or(|known| place < known.place)
                && let Some(source) = Source::at(self.folder(), id.clone(), place)
            {
                found.insert(id, source);
            }
        };
        if self.folder().check()? {
            for name in names(self.folder().path())? {
                if let Some((id, place)) = Place::of(&name) {
                    take(id, place);
                }
            }
        }
        if let Some(locus) = self.folder().readable_locus_sessions() {
            for name in names(&locus)? {
                if let Some((id, Place::Plan)) = Place::of(&name) {
                    take(id, Place::Locus);
                }
            }
        }
        Ok(found)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// Reads all these sources, on several threads if they are many, and hands their entries to `consume`.
fn with_entries<T>(sources: &[Source], consume: impl FnOnce(&mut dyn Iterator<Item = Entry>) -> T) -> T {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let readers = cores.min(READERS).min(sources.len() / QUEUE);
    if readers == 0 {
        return consume(&mut sources.iter().filter_map(entry_of));
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (entries, read) = sync_channel(QUEUE);
        for _ in 0..readers {
            let (entries, next) = (entries.clone(), &next);
            scope.spawn(move || {
                while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(entry) = entry_of(source)
                        && entries.send(entry).is_err()
                    {
                        // The index failed; nobody wants the rest.
                        return;
                    }
                }
            });
        }
        drop(entries);
        // Moved in: a consumer that stops early must let the readers go.
        let mut read = read.into_iter();
        let outcome = consume(&mut read);
        drop(read);
        outcome
    })
}

/// What the index is to know of a source; `None` if it is gone.
fn entry_of(source: &Source) -> Option<Entry> {
    // Before it is read: what comes in between is then noticed the next time.
    let stamp = Stamp::of(source.path())?;
    let source = source.clone();
    match source.transcript() {
        Ok((transcript, reading, format)) => {
            let summary = SessionSummary { format, ..transcript.summary(source.id.as_str()) };
            let mut words = FxHashSet::default();
            gather_words(source.id.as_str(), &mut words);
            summary.title.iter().for_each(|title| gather_words(title, &mut words));
            for message in &transcript.messages {
                gather_words(&message.content, &mut words);
            }
            let mut line = String::with_capacity(words.iter().map(|word| word.len() + 1).sum());
            for word in &words {
                line.push_str(word);
                line.push(' ');
            }
            Some(Entry { source, stamp, summary: Some(summary), problems: reading.problems, words: line })
        }
        Err(error) => {
            let problems = vec![source.problem(&error)];
            Some(Entry { source, stamp, summary: None, problems, words: String::new() })
        }
    }
}
