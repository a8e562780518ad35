//! One conversation's file, open to be appended to.
//!
//! Records are appended in one `write` under an exclusive lock of the file, so that any number of processes may write
//! at once. Before a writer appends it looks whether the file ends where it left it; if not, somebody else wrote, and
//! if that writer died in the middle of it, the torn record is dropped (and a `repair` record says so). A write that
//! fails is undone. A file that vanished or was replaced is opened anew.

use std::borrow::Cow;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::folder::{COMPRESSED, Folder, MARK, PLAIN, create_new, open_append};
use super::id::SessionId;
use super::mark::{OpenMark, locked};
use super::record::{Header, Record};
use super::source::{self, Place, Source};
use super::{failure, now};
use crate::error::{Error, Result};

/// How much of a torn tail may be one whole record that only lacks its line break.
const TAIL_LIMIT: u64 = 16 * 1024 * 1024;

/// A conversation that records can be appended to. The session counts as open for as long as it lives.
#[derive(Debug)]
pub struct Conversation {
    folder: Folder,
    path: PathBuf,
    header: Header,
    file: Option<File>,
    /// Where this writer's last append ended.
    end: u64,
    /// Whether the entry of the file in its folder may not be durable yet.
    fresh: bool,
    /// An fsync failed: what it should have made durable may be lost, and a later one would not tell.
    broken: bool,
    _mark: OpenMark,
}

impl Conversation {
    /// A new conversation. Its file is made with the first record.
    pub fn create(folder: &Folder, header: Header) -> Result<Self> {
        let id = SessionId::parse(&header.id)?;
        folder.create()?;
        let mark = open_mark(folder, &id)?;
        let path = folder.file(&id, PLAIN);
        if source::locate(folder, &id)?.is_some() {
            return Err(Error::InvalidInput(format!("there is a session '{id}' already; load it").into()));
        }
        Ok(Self {
            folder: folder.clone(),
            path,
            header,
            file: None,
            end: 0,
            fresh: true,
            broken: false,
            _mark: mark,
        })
    }

    /// One that is there. What is compressed is decompressed, what another format has is converted (into a new file).
    pub fn open(folder: &Folder, id: &SessionId) -> Result<Self> {
        let path = folder.file(id, PLAIN);
        let (header, mark) = loop {
            let source = Self::source(folder, id)?;
            let header = source.header()?;
            folder.create()?;
            if source.path() != path {
                Self::make_plain(folder, id)?;
            }
            // From here on nobody else may remove, compress or replace it; but between somebody may have.
            let mark = open_mark(folder, id)?;
            if Self::source(folder, id)?.path() == path {
                break (header, mark);
            }
        };
        let mut conversation = Self {
            folder: folder.clone(),
            path,
            header,
            file: None,
            end: u64::MAX,
            fresh: false,
            broken: false,
            _mark: mark,
        };
        conversation.appended(&[])?;
        Ok(conversation)
    }

    fn source(folder: &Folder, id: &SessionId) -> Result<Source> {
        source::locate(folder, id)?
            .ok_or_else(|| Error::SessionNotFound { id: id.to_string(), folder: folder.path().to_owned() })
    }

    /// Makes a session that has another form one that can be appended to.
    fn make_plain(folder: &Folder, id: &SessionId) -> Result<()> {
        let mark = folder.file(id, MARK);
        let _alone = OpenMark::alone(&mark).map_err(failure("lock", &mark))?;
        // Another may have done it while this one waited.
        let source = Self::source(folder, id)?;
        if source.place != Place::Plain {
            let mut lines = Vec::new();
            source.copy_lines(&mut lines)?;
            put_in_place(folder, id, PLAIN, &lines)?;
            remove_if_there(&folder.file(id, COMPRESSED))?;
        }
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first record.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Appends whole lines, all of them or none.
    pub fn append(&mut self, lines: &[u8]) -> Result<()> {
        if self.broken {
            return Err(self.broken_by(None));
        }
        self.appended(lines)
    }

    fn appended(&mut self, lines: &[u8]) -> Result<()> {
        loop {
            let file = if let Some(file) = &self.file {
                file
            } else {
                self.end = u64::MAX;
                self.file.insert(open_append(&self.path).map_err(failure("open", &self.path))?)
            };
            locked(|| file.lock()).map_err(failure("lock", &self.path))?;
            let outcome = self.append_locked(lines);
            if let Some(file) = &self.file {
                file.unlock().map_err(failure("unlock", &self.path))?;
            }
            match outcome {
                Ok(true) => return Ok(()),
                Ok(false) => self.file = None,
                Err(error) => {
                    // Where the file ends now is not known for sure.
                    self.end = u64::MAX;
                    return Err(failure("append to", &self.path)(error));
                }
            }
        }
    }

    /// Whether it could be done: a file that is gone cannot be appended to.
    fn append_locked(&mut self, lines: &[u8]) -> io::Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        let metadata = file.metadata()?;
        if is_gone(&metadata) {
            return Ok(false);
        }
        let mut end = metadata.len();
        let mut before = Vec::new();
        if end != self.end {
            let tail = mend_tail(file, end)?;
            end = tail.end;
            if end == 0 {
                self.fresh = true;
                Record::Session(self.header.clone()).write(self.header.created_at, &mut before);
            }
            if let Some(dropped_bytes) = tail.dropped_bytes {
                Record::Repair { dropped_bytes }.write(now(), &mut before);
            }
        }
        let lines = if before.is_empty() {
            Cow::Borrowed(lines)
        } else {
            before.extend_from_slice(lines);
            Cow::Owned(before)
        };
        write_or_undo(file, end, &lines)?;
        self.end = end + lines.len() as u64;
        Ok(true)
    }

    /// Makes durable what was appended. A failure is final: what the disk lost cannot be told from what it kept.
    pub fn sync(&mut self) -> Result<()> {
        if self.broken {
            return Err(self.broken_by(None));
        }
        let Some(file) = &self.file else { return Ok(()) };
        if let Err(error) = file.sync_data() {
            self.broken = true;
            return Err(self.broken_by(Some(error)));
        }
        if self.fresh {
            self.folder.sync()?;
            self.fresh = false;
        }
        Ok(())
    }

    /// Whether the disk failed, which is final.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    fn broken_by(&self, source: Option<io::Error>) -> Error {
        Error::History {
            action: "make durable",
            path: self.path.clone(),
            advice: "the disk failed; go on in another session, on another disk",
            source,
        }
    }
}

fn open_mark(folder: &Folder, id: &SessionId) -> Result<OpenMark> {
    let path = folder.file(id, MARK);
    OpenMark::shared(&path).map_err(failure("mark", &path))
}

#[cfg(unix)]
fn is_gone(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) == 0
}

#[cfg(not(unix))]
fn is_gone(_metadata: &Metadata) -> bool {
    false
}

/// How a file ends after [`mend_tail`].
struct Tail {
    end: u64,
    dropped_bytes: Option<u64>,
}

/// Makes the file, of `length` bytes, end with a whole record: the record that a writer left unfinished is dropped; one
/// that only lacks its line break gets it.
fn mend_tail(file: &mut File, length: u64) -> io::Result<Tail> {
    let begin = last_line(file, length)?;
    if begin == length {
        return Ok(Tail { end: length, dropped_bytes: None });
    }
    if length - begin <= TAIL_LIMIT {
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(begin))?;
        file.take(length - begin).read_to_end(&mut tail)?;
        if serde_json::from_slice::<serde::de::IgnoredAny>(&tail).is_ok() && tail.first() == Some(&b'{') {
            write_or_undo(file, length, b"\n")?;
            return Ok(Tail { end: length + 1, dropped_bytes: None });
        }
    }
    file.set_len(begin)?;
    Ok(Tail { end: begin, dropped_bytes: Some(length - begin) })
}

/// Where the line begins that has no line break at its end; `length` where there is none.
fn last_line(file: &mut File, length: u64) -> io::Result<u64> {
    const STEP: u64 = 64 * 1024;
    let mut block = Vec::new();
    let mut end = length;
    // The last byte alone, first: it nearly always is the line break.
    let mut step = 1;
    while end > 0 {
        let begin = end.saturating_sub(step);
        block.clear();
        file.seek(SeekFrom::Start(begin))?;
        file.take(end - begin).read_to_end(&mut block)?;
        if let Some(index) = memchr::memrchr(b'\n', &block) {
            return Ok(begin + index as u64 + 1);
        }
        (end, step) = (begin, STEP);
    }
    Ok(0)
}

/// Appends all of `bytes` to a file that ends at `end`, or nothing.
fn write_or_undo(file: &mut File, end: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let outcome = match file.write(bytes) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            outcome => outcome,
        };
        match outcome {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                // If this fails too, the next writer drops the torn record.
                let _ = file.set_len(end);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Appends a whole line, all of it or nothing, to a file of ours in `folder` that others append to as well; what somebody
/// left of a line is dropped before. The line survives a power cut when this returns.
pub(crate) fn append_line(folder: &Folder, path: &Path, line: &[u8]) -> Result<()> {
    loop {
        let mut file = open_append(path).map_err(failure("open", path))?;
        locked(|| file.lock()).map_err(failure("lock", path))?;
        let metadata = file.metadata().map_err(failure("look at", path))?;
        if is_gone(&metadata) {
            continue;
        }
        let appended = mend_tail(&mut file, metadata.len()).and_then(|tail| {
            write_or_undo(&mut file, tail.end, line)?;
            file.sync_data()?;
            Ok(tail.end == 0)
        });
        // The lock goes with the file.
        return if appended.map_err(failure("append to", path))? { folder.sync() } else { Ok(()) };
    }
}

/// Makes the file of a session, at once and durable: nobody ever sees a part of it. The session is to be locked.
pub(super) fn put_in_place(folder: &Folder, id: &SessionId, ending: &str, bytes: &[u8]) -> Result<()> {
    let temporary = folder.file(id, &format!("{ending}.tmp"));
    // Whoever left it died; the lock says that nobody is at it.
    remove_if_there(&temporary)?;
    let written = create_new(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let target = folder.file(id, ending);
    written.and_then(|()| fs::rename(&temporary, &target)).map_err(|error| {
        // What is left of it is in nobody's way.
        let _ = fs::remove_file(&temporary);
        failure("write", &target)(error)
    })?;
    folder.sync()
}

/// Removes a file; whether it was there.
pub(super) fn remove_if_there(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failure("remove", path)(error)),
    }
}
