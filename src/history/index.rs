//! The index: what the files say, in a form that can be asked quickly. It is derived from them and never the truth: it
//! may be deleted at any time, and whatever is wrong with it, it is made again.
//!
//! Its full text part (FTS5) knows for each session which words occur in it, once each, and nothing else: no text, no
//! places (`detail=none`, contentless). Where in a session a word occurs is told by the session's file.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OpenFlags, Row, params, params_from_iter};

use super::folder::{Folder, create_new, make_private};
use super::reader::Problem;
use super::source::{Place, Source};
use super::store::ListFilter;
use super::transcript::{Format, SessionSummary};
use super::words::Query;
use crate::usage::CostSource;

/// The version of the tables is part of the name: another version has another file.
const FOLDER: &str = "index";
const FILE: &str = "v2.db";

const SCHEMA: &str = "
    CREATE TABLE session (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, place INTEGER NOT NULL,
        size INTEGER NOT NULL, modified INTEGER NOT NULL, inode INTEGER NOT NULL, readable INTEGER NOT NULL,
        title TEXT, preview TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        provider TEXT NOT NULL, model TEXT, turns INTEGER NOT NULL, messages INTEGER NOT NULL, cost_usd REAL,
        cost_is_ours INTEGER, cost_partial INTEGER NOT NULL,
        interrupted INTEGER NOT NULL, format INTEGER NOT NULL, problems TEXT
    );
    CREATE INDEX session_by_time ON session (updated_at DESC, id);
    CREATE INDEX session_readable ON session (number) WHERE readable;
    CREATE INDEX session_with_problems ON session (number) WHERE problems IS NOT NULL;
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content='', contentless_delete=1, detail=none, tokenize='ascii'
    );
    INSERT INTO words (words, rank) VALUES ('hashsize', 4194304);
    CREATE TABLE folder (path TEXT PRIMARY KEY, modified INTEGER NOT NULL);
    CREATE TABLE mark (id TEXT PRIMARY KEY);
";

/// How many kilobytes of the index are kept in memory: what is known of ten thousand sessions.
const CACHE_KB: i64 = 8 * 1024;

const SUMMARY: &str = "id, title, preview, created_at, updated_at, provider, model, turns, messages, size, cost_usd, \
                       interrupted, place, format, cost_is_ours, cost_partial";

/// By what a change of a file is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    /// Nanoseconds since the epoch.
    modified: i64,
    inode: u64,
}

impl Stamp {
    /// Of what is at `path`; a symlink is not followed. `None` where nothing is.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let modified = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        Some(Self { size: metadata.len(), modified, inode })
    }

    /// When it was changed, in nanoseconds since the epoch.
    pub(super) fn modified(self) -> i64 {
        self.modified
    }
}

/// What the index is told of a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) source: Source,
    pub(super) stamp: Stamp,
    /// `None` where it cannot be read at all; then the problems say why.
    pub(super) summary: Option<SessionSummary>,
    pub(super) problems: Vec<Problem>,
    /// Its words, each once, between blanks.
    pub(super) words: String,
}

/// The open index.
#[derive(Debug)]
pub(super) struct Index {
    connection: Connection,
    is_makeshift: bool,
}

impl Index {
    /// The index in the folder of the history.
    pub(super) fn open(folder: &Folder) -> rusqlite::Result<Self> {
        let path = Self::path(folder);
        let cannot = |error: String| rusqlite::Error::InvalidPath(PathBuf::from(error));
        let parent = folder.path().join(FOLDER);
        make_private(&parent).map_err(|error| cannot(error.to_string()))?;
        if parent.is_symlink() {
            return Err(cannot("it is a symlink".to_owned()));
        }
        // SQLite would make it readable for others; the files beside it have the permissions of this one.
        match create_new(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot(error.to_string())),
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        // Without symlinks on the way to it, which SQLite would refuse as well.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What a power cut does to it is noticed, and it is made again.
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "cache_size", -CACHE_KB)?;
        Self::prepared(connection, false)
    }

    /// One that lives as long as this process: where nothing can be written, or, as a makeshift, until there is a folder.
    pub(super) fn in_memory(is_makeshift: bool) -> rusqlite::Result<Self> {
        Self::prepared(Connection::open_in_memory()?, is_makeshift)
    }

    /// Whether it is only there because the folder is not.
    pub(super) fn is_makeshift(&self) -> bool {
        self.is_makeshift
    }

    fn prepared(mut connection: Connection, is_makeshift: bool) -> rusqlite::Result<Self> {
        let begun = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if !begun.table_exists(None, "session")? {
            begun.execute_batch(SCHEMA)?;
        }
        begun.commit()?;
        Ok(Self { connection, is_makeshift })
    }

    /// Deletes the files.
    pub(super) fn delete(folder: &Folder) {
        // What stays is opened again, and found to be good or bad.
        for ending in ["", "-wal", "-shm"] {
            let mut path = Self::path(folder).into_os_string();
            path.push(ending);
            let _ = fs::remove_file(path);
        }
    }

    fn path(folder: &Folder) -> PathBuf {
        folder.path().join(FOLDER).join(FILE)
    }

    /// When each of these folders had been changed last when they were read last; absent where that is not sure.
    pub(super) fn folder_modified(&self, path: &Path) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT modified FROM folder WHERE path = ?";
        one(&self.connection, sql, &path.to_string_lossy())
    }

    /// What is known of every file.
    pub(super) fn stamps(&self) -> rusqlite::Result<Vec<(String, Place, Stamp)>> {
        self.all("SELECT id, place, size, modified, inode FROM session", [], stamp_of)
    }

    /// What is known of those files that are the likeliest to have changed: of open sessions and of the newest.
    pub(super) fn likely(&self) -> rusqlite::Result<Vec<(String, Place, Stamp)>> {
        let columns = "id, place, size, modified, inode";
        let sql = format!(
            "SELECT {columns} FROM session WHERE id IN (SELECT id FROM mark) UNION \
             SELECT * FROM (SELECT {columns} FROM session ORDER BY updated_at DESC LIMIT 32)"
        );
        self.all(&sql, [], stamp_of)
    }

    /// The sessions that had a mark.
    pub(super) fn marks(&self) -> rusqlite::Result<Vec<String>> {
        self.all("SELECT id FROM mark", [], |row| row.get(0))
    }

    /// Changes what is known: `changed` gives the entries one by one.
    pub(super) fn update(
        &mut self,
        changed: impl Iterator<Item = Entry>,
        removed: &[String],
        scanned: Option<&Scanned>,
    ) -> rusqlite::Result<()> {
        let update = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut forget = Forget::prepare(&update)?;
            let mut learn = Learn::prepare(&update)?;
            for id in removed {
                forget.session(id)?;
            }
            for entry in changed {
                forget.session(entry.source.id.as_str())?;
                learn.entry(&entry)?;
            }
        }
        if let Some(scanned) = scanned {
            update.execute_batch("DELETE FROM mark; DELETE FROM folder;")?;
            for id in &scanned.marks {
                update.execute("INSERT INTO mark VALUES (?)", [id])?;
            }
            for (path, modified) in &scanned.folders {
                update
                    .execute("INSERT INTO folder VALUES (?, ?)", params![path.to_string_lossy(), modified])?;
            }
        }
        update.commit()
    }

    /// Sessions that the filter lets through, newest first, and how many there are on all pages.
    pub(super) fn list(&self, filter: &ListFilter) -> rusqlite::Result<(Vec<SessionSummary>, usize)> {
        let mut conditions = String::from("readable");
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        let mut condition = |sql: &str, value: Box<dyn ToSql>| {
            conditions.push_str(" AND ");
            conditions.push_str(sql);
            values.push(value);
        };
        if let Some(query) = filter.query.as_deref().map(Query::parse).filter(|query| !query.is_empty()) {
            let sql = "number IN (SELECT rowid FROM words WHERE words MATCH ?)";
            condition(sql, Box::new(expression(&query)));
        }
        if let Some(provider) = &filter.provider {
            condition("provider = ?", Box::new(provider.clone()));
        }
        if let Some(after) = filter.after {
            condition("created_at >= ?", Box::new(signed(after)));
        }
        if let Some(before) = filter.before {
            condition("created_at <= ?", Box::new(signed(before)));
        }
        let Some(limit) = filter.limit else {
            // Read in the order of the table and sorted here: by the order of time each row would be looked up by itself.
            let sql = format!("SELECT {SUMMARY} FROM session NOT INDEXED WHERE {conditions}");
            let mut sessions = self.all(&sql, params_from_iter(&values), summary_of)?;
            sessions.sort_unstable_by(newest_first);
            let total = sessions.len();
            sessions.drain(..filter.offset.min(total));
            return Ok((sessions, total));
        };
        let count = format!("SELECT count(*) FROM session WHERE {conditions}");
        let total: i64 =
            self.connection.prepare_cached(&count)?.query_row(params_from_iter(&values), |row| row.get(0))?;
        values.push(Box::new(signed(limit as u64)));
        values.push(Box::new(signed(filter.offset as u64)));
        let sql = format!(
            "SELECT {SUMMARY} FROM session WHERE {conditions} ORDER BY updated_at DESC, id LIMIT ? OFFSET ?"
        );
        let sessions = self.all(&sql, params_from_iter(&values), summary_of)?;
        Ok((sessions, usize::try_from(total).unwrap_or(0)))
    }

    /// The ids that begin with `prefix`, newest first.
    pub(super) fn find(&self, prefix: &str) -> rusqlite::Result<Vec<String>> {
        // All characters of an id come before `{`.
        let sql = "SELECT id FROM session WHERE id >= ? AND id < ? AND readable ORDER BY updated_at DESC, id";
        self.all(sql, [prefix, &format!("{prefix}{{")], |row| row.get(0))
    }

    /// The ids of the sessions in which all words of a query occur, newest first.
    pub(super) fn candidates(&self, query: &Query) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT id FROM words JOIN session ON number = words.rowid \
                   WHERE words MATCH ? AND readable ORDER BY updated_at DESC, id";
        self.all(sql, [expression(query)], |row| row.get(0))
    }

    /// What could not be understood, over all files.
    pub(super) fn problems(&self) -> rusqlite::Result<Vec<Problem>> {
        let sql = "SELECT problems FROM session WHERE problems IS NOT NULL ORDER BY id";
        let lists: Vec<String> = self.all(sql, [], |row| row.get(0))?;
        Ok(lists
            .iter()
            .filter_map(|list| serde_json::from_str::<Vec<Problem>>(list).ok())
            .flatten()
            .collect())
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare_cached(sql)?.query_map(params, row)?.collect()
    }
}

/// What a reading of the folders found, to be trusted until they change.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) marks: Vec<String>,
    /// When each was changed last.
    pub(super) folders: Vec<(PathBuf, i64)>,
}

struct Forget<'a> {
    find: rusqlite::Statement<'a>,
    words: rusqlite::Statement<'a>,
    session: rusqlite::Statement<'a>,
}

impl<'a> Forget<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            find: connection.prepare("SELECT number FROM session WHERE id = ?")?,
            words: connection.prepare("DELETE FROM words WHERE rowid = ?")?,
            session: connection.prepare("DELETE FROM session WHERE number = ?")?,
        })
    }

    fn session(&mut self, id: &str) -> rusqlite::Result<()> {
        let number = self.find.query_map([id], |row| row.get::<_, i64>(0))?.next().transpose()?;
        if let Some(number) = number {
            self.words.execute([number])?;
            self.session.execute([number])?;
        }
        Ok(())
    }
}

struct Learn<'a> {
    session: rusqlite::Statement<'a>,
    words: rusqlite::Statement<'a>,
}

impl<'a> Learn<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            session: connection.prepare(
                "INSERT INTO session (id, place, size, modified, inode, readable, title, preview, created_at, \
                 updated_at, provider, model, turns, messages, cost_usd, interrupted, format, problems, \
                 cost_is_ours, cost_partial) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            words: connection.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)")?,
        })
    }

    fn entry(&mut self, entry: &Entry) -> rusqlite::Result<()> {
        let problems = match entry.problems.as_slice() {
            [] => None,
            problems => serde_json::to_string(problems).ok(),
        };
        let nothing = SessionSummary::default();
        let summary = entry.summary.as_ref().unwrap_or(&nothing);
        let number = self.session.insert(params![
            entry.source.id.as_str(),
            entry.source.place as i64,
            signed(entry.stamp.size),
            entry.stamp.modified,
            entry.stamp.inode.cast_signed(),
            entry.summary.is_some(),
            summary.title,
            summary.preview,
            signed(summary.created_at),
            signed(summary.updated_at),
            summary.provider,
            summary.model,
            signed(summary.turns),
            signed(summary.messages),
            summary.cost_usd,
            summary.interrupted,
            summary.format as i64,
            problems,
            summary.cost_source.map(|source| source == CostSource::Prices),
            summary.cost_partial,
        ])?;
        if entry.summary.is_some() {
            self.words.execute(params![number, entry.words])?;
        }
        Ok(())
    }
}

/// All words, each the beginning of one, in the language of FTS5.
fn expression(query: &Query) -> String {
    let words: Vec<String> = query.words().iter().map(|word| format!("\"{word}\"*")).collect();
    words.join(" ")
}

/// As the index of the table has them.
fn newest_first(one: &SessionSummary, other: &SessionSummary) -> Ordering {
    other.updated_at.cmp(&one.updated_at).then_with(|| one.id.cmp(&other.id))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn one<T: FromSql>(connection: &Connection, sql: &str, param: &str) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(sql)?.query_map([param], |row| row.get(0))?.next().transpose()
}

fn stamp_of(row: &Row<'_>) -> rusqlite::Result<(String, Place, Stamp)> {
    let stamp = Stamp {
        size: unsigned(row, 2)?,
        modified: row.get(3)?,
        inode: row.get::<_, i64>(4)?.cast_unsigned(),
    };
    Ok((row.get(0)?, place_of(row.get(1)?), stamp))
}

fn place_of(number: i64) -> Place {
    [Place::Plain, Place::Compressed, Place::Plan]
        .into_iter()
        .find(|place| *place as i64 == number)
        .unwrap_or(Place::Locus)
}

fn summary_of(row: &Row<'_>) -> rusqlite::Result<SessionSummary> {
    let formats = [Format::LocusExec, Format::PlanJson, Format::Locus014];
    let format: i64 = row.get(13)?;
    Ok(SessionSummary {
        id: row.get(0)?,
        title: row.get(1)?,
        preview: row.get(2)?,
        created_at: unsigned(row, 3)?,
        updated_at: unsigned(row, 4)?,
        provider: row.get(5)?,
        model: row.get(6)?,
        turns: unsigned(row, 7)?,
        messages: unsigned(row, 8)?,
        size_bytes: unsigned(row, 9)?,
        cost_usd: row.get(10)?,
        cost_source: row
            .get::<_, Option<bool>>(14)?
            .map(|ours| if ours { CostSource::Prices } else { CostSource::Agent }),
        cost_partial: row.get(15)?,
        interrupted: row.get(11)?,
        compressed: place_of(row.get(12)?) == Place::Compressed,
        format: formats.into_iter().find(|known| *known as i64 == format).unwrap_or(Format::Locus026),
        open: false,
    })
}
