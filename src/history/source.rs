//! Where a stored session is read from, whichever form it has.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::folder::{COMPRESSED, Folder, PLAIN, PLAN, open_read};
use super::id::SessionId;
use super::mark::locked;
use super::reader::{Problem, Reading, TooNew, read_lines};
use super::record::{Header, Line, SCHEMA};
use super::transcript::{Format, Transcript};
use super::{failure, legacy};
use crate::error::{Error, Result};

/// The longest file of another format that is read, in bytes.
const LEGACY_LIMIT: u64 = 256 * 1024 * 1024;

/// A file that holds a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) id: SessionId,
    pub(super) place: Place,
    path: PathBuf,
}

/// What a session is found as; an earlier one hides a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Plain,
    Compressed,
    /// A `<id>.json` in the folder.
    Plan,
    /// One of Locus's own.
    Locus,
}

impl Place {
    /// Which of the folder's files this is, by its name.
    pub(super) fn of(name: &str) -> Option<(SessionId, Self)> {
        [(PLAIN, Self::Plain), (COMPRESSED, Self::Compressed), (PLAN, Self::Plan)]
            .into_iter()
            .find_map(|(ending, place)| Some((SessionId::parse(name.strip_suffix(ending)?).ok()?, place)))
    }
}

/// The source of a session, if there is one.
pub(super) fn locate(folder: &Folder, id: &SessionId) -> Result<Option<Source>> {
    folder.check()?;
    let places = [Place::Plain, Place::Compressed, Place::Plan, Place::Locus];
    let sources = places.into_iter().filter_map(|place| Source::at(folder, id.clone(), place));
    Ok(sources.into_iter().find(|source| source.path.symlink_metadata().is_ok()))
}

impl Source {
    /// Where it is to be found.
    pub(super) fn at(folder: &Folder, id: SessionId, place: Place) -> Option<Self> {
        let path = match place {
            Place::Plain => folder.file(&id, PLAIN),
            Place::Compressed => folder.file(&id, COMPRESSED),
            Place::Plan => folder.file(&id, PLAN),
            Place::Locus => folder.readable_locus_sessions()?.join(format!("{id}{PLAN}")),
        };
        Some(Self { id, place, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The lines in our format.
    fn reader(&self) -> Result<(Box<dyn BufRead>, Format)> {
        let file = open_read(&self.path).map_err(failure("open", &self.path))?;
        Ok(match self.place {
            Place::Plain => (Box::new(BufReader::with_capacity(64 * 1024, file)), Format::LocusExec),
            Place::Compressed => {
                let decoder = zstd::Decoder::new(file).map_err(failure("decompress", &self.path))?;
                (Box::new(BufReader::with_capacity(64 * 1024, Decompressed(decoder))), Format::LocusExec)
            }
            Place::Plan | Place::Locus => {
                let (lines, format) = self.converted(file)?;
                (Box::new(Cursor::new(lines)), format)
            }
        })
    }

    /// The file as it is, where it is one of another format.
    pub(super) fn text(&self) -> Result<String> {
        self.text_of(open_read(&self.path).map_err(failure("open", &self.path))?)
    }

    fn text_of(&self, file: File) -> Result<String> {
        let mut text = String::new();
        file.take(LEGACY_LIMIT).read_to_string(&mut text).map_err(failure("read", &self.path))?;
        Ok(text)
    }

    fn converted(&self, file: File) -> Result<(Vec<u8>, Format)> {
        let text = self.text_of(file)?;
        let (format, lines) = legacy::convert(&text, Some(&self.id)).ok_or_else(|| Error::History {
            action: "understand",
            path: self.path.clone(),
            advice: "it is no session that this version knows; move it away",
            source: None,
        })?;
        let format = match (self.place, format) {
            (Place::Locus, Format::PlanJson) => Format::Locus014,
            (_, format) => format,
        };
        Ok((lines, format))
    }

    /// Shows every line to `visit`.
    pub(super) fn read(&self, mut visit: impl FnMut(&str, &Line<'_>)) -> Result<(Reading, Format)> {
        let (reader, format) = self.reader()?;
        let name = self.path.to_string_lossy();
        match read_lines(reader, &name, &mut visit).map_err(failure("read", &self.path))? {
            Ok(reading) => Ok((reading, format)),
            Err(TooNew { found }) => {
                Err(Error::SchemaTooNew { path: self.path.clone(), found, known: SCHEMA })
            }
        }
    }

    /// The whole conversation.
    pub(super) fn transcript(&self) -> Result<(Transcript, Reading, Format)> {
        let mut transcript = Transcript::default();
        let (reading, format) = self.read(|_, line| transcript.line(line))?;
        Ok((transcript, reading, format))
    }

    /// The first record; made up from the rest where it is lost.
    pub(super) fn header(&self) -> Result<Header> {
        let (transcript, _, _) = self.transcript()?;
        let summary = transcript.summary(self.id.as_str());
        Ok(transcript.header.unwrap_or(Header {
            schema: SCHEMA,
            id: summary.id,
            created_at: summary.created_at,
            provider: summary.provider,
            model: summary.model,
            ..Header::default()
        }))
    }

    /// Copies all lines, good or bad, in our format.
    pub(super) fn copy_lines(&self, lines: &mut Vec<u8>) -> Result<()> {
        let (mut reader, _) = self.reader()?;
        reader.read_to_end(lines).map_err(failure("read", &self.path))?;
        Ok(())
    }

    /// Waits until nobody is in the middle of an append.
    pub(super) fn settle(&self) -> Result<()> {
        let file = open_read(&self.path).map_err(failure("open", &self.path))?;
        locked(|| file.lock_shared()).map_err(failure("lock", &self.path))
    }

    /// A problem with the file as a whole.
    pub(super) fn problem(&self, error: &Error) -> Problem {
        Problem { file: self.path.to_string_lossy().into_owned(), line: None, message: error.to_string() }
    }
}

/// What was compressed. Its library is built without words for its failures, all of which mean the same.
struct Decompressed(zstd::Decoder<'static, BufReader<File>>);

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::Other => io::Error::new(ErrorKind::InvalidData, "what was compressed is damaged"),
            _ => error,
        })
    }
}
