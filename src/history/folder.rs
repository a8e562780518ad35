//! Where the files are, and who may see them.
//!
//! The folder is `<project>/.locus/exec-history` unless told otherwise. It and its files belong to their owner alone
//! (0700, 0600) whatever the umask is. No symlink is followed to the outside: a `.locus` or a folder that leads out
//! of the project is refused, a file of ours is never opened through a symlink at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::failure;
use super::id::SessionId;
use crate::error::{Error, Result};

/// What the ending of a conversation's file is.
pub(super) const PLAIN: &str = ".jsonl";
/// The same for one that is old and compressed.
pub(super) const COMPRESSED: &str = ".jsonl.zst";
/// The plan's format, written by others.
pub(super) const PLAN: &str = ".json";
/// The ending of the mark of an open session.
pub(super) const MARK: &str = ".open";

const IGNORE_ALL: &str = "*\n";

/// The folder of the history of one project.
#[derive(Debug, Clone)]
pub struct Folder {
    project: PathBuf,
    /// `.locus`, where the folder is at its usual place.
    locus: Option<PathBuf>,
    root: PathBuf,
}

impl Folder {
    /// The history of `project`, at its usual place or at `root` (relative to the project). Touches nothing.
    pub fn new(project: &Path, root: Option<&Path>) -> Self {
        let locus = project.join(".locus");
        match root {
            Some(root) => Self { project: project.to_owned(), locus: None, root: project.join(root) },
            None => {
                Self { project: project.to_owned(), root: locus.join("exec-history"), locus: Some(locus) }
            }
        }
    }

    /// What the turns of `project` used: `.locus/usage`, or `usage` in the folder of the history. Touches nothing.
    pub(crate) fn of_usage(project: &Path, root: Option<&Path>) -> Self {
        Self::new(project, root).beside_for_usage()
    }

    /// The same, beside this history.
    pub(crate) fn beside_for_usage(&self) -> Self {
        self.beside("usage")
    }

    /// What was logged of `project`: `.locus/logs`, or `logs` in the folder of the history. Touches nothing.
    pub(crate) fn of_logs(project: &Path, root: Option<&Path>) -> Self {
        Self::new(project, root).beside("logs")
    }

    fn beside(&self, name: &str) -> Self {
        let parent = self.locus.as_ref().unwrap_or(&self.root);
        Self { root: parent.join(name), ..self.clone() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The project that it belongs to.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Where a version of Locus keeps its own sessions.
    pub(super) fn locus_sessions(&self) -> Option<PathBuf> {
        self.locus.as_ref().map(|locus| locus.join("sessions"))
    }

    /// The same, if there is such a folder and it does not lead to the outside.
    pub(super) fn readable_locus_sessions(&self) -> Option<PathBuf> {
        let sessions = self.locus_sessions()?;
        let (project, target) = (resolved(&self.project).ok()??, resolved(&sessions).ok()??);
        (target.starts_with(project) && target.is_dir()).then_some(sessions)
    }

    pub(super) fn file(&self, id: &SessionId, ending: &str) -> PathBuf {
        self.root.join(format!("{id}{ending}"))
    }

    /// Whether the folder is there; an error if it leads to the outside.
    pub(crate) fn check(&self) -> Result<bool> {
        let Some(locus) = &self.locus else { return Ok(self.root.is_dir()) };
        let Some(project) = resolved(&self.project)? else { return Ok(false) };
        for folder in [locus, &self.root] {
            match resolved(folder)? {
                None => return Ok(false),
                Some(target) if target.starts_with(&project) => {}
                Some(_) => return Err(leads_outside(folder)),
            }
        }
        Ok(true)
    }

    /// Makes the folder if it is not there.
    pub(crate) fn create(&self) -> Result<()> {
        if self.check()? {
            return self.keep_private();
        }
        if !self.project.is_dir() {
            return Err(Error::InvalidDirectory {
                path: self.project.clone(),
                problem: "does not exist",
                source: None,
            });
        }
        if let Some(locus) = &self.locus {
            make_private(locus)?;
        }
        make_private(&self.root)?;
        // What was just made may be a symlink that somebody else made in between.
        self.check()?;
        self.keep_private()?;
        self.keep_out_of_git()?;
        self.sync()?;
        self.locus.as_deref().map_or(Ok(()), sync_folder)
    }

    /// Makes the entries of the folder durable.
    pub(super) fn sync(&self) -> Result<()> {
        sync_folder(&self.root)
    }

    fn keep_private(&self) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&self.root).map_err(failure("look at", &self.root))?.permissions().mode();
            if mode & 0o077 != 0 {
                set_mode(&self.root, 0o700)?;
            }
        }
        Ok(())
    }

    /// Git is to ignore conversations. A `.locus` that is not only ours (Locus keeps files in it that belong into
    /// Git) is left alone; the folder of the history then ignores itself.
    fn keep_out_of_git(&self) -> Result<()> {
        let ours_alone = |locus: &PathBuf| {
            fs::read_dir(locus).is_ok_and(|entries| {
                entries.flatten().all(|entry| Some(entry.file_name().as_os_str()) == self.root.file_name())
            })
        };
        let folder = self.locus.as_ref().filter(|locus| ours_alone(locus)).unwrap_or(&self.root);
        let path = folder.join(".gitignore");
        match create_new(&path) {
            Ok(mut file) => {
                io::Write::write_all(&mut file, IGNORE_ALL.as_bytes()).map_err(failure("write", &path))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failure("create", &path)(error)),
        }
    }
}

/// What a path leads to; `None` if there is nothing.
fn resolved(path: &Path) -> Result<Option<PathBuf>> {
    match fs::canonicalize(path) {
        Ok(target) => Ok(Some(target)),
        // A symlink to nothing is something: it would be written through.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if path.is_symlink() {
                Err(leads_outside(path))
            } else {
                Ok(None)
            }
        }
        Err(error) => Err(failure("look at", path)(error)),
    }
}

fn leads_outside(path: &Path) -> Error {
    Error::History {
        action: "use",
        path: path.to_owned(),
        advice: "it is a symlink that leads out of the project; remove it",
        source: None,
    }
}

pub(super) fn make_private(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    #[cfg(not(unix))]
    builder.recursive(true);
    let parents: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
    for folder in parents.into_iter().rev() {
        match builder.create(folder) {
            Ok(()) => set_mode(folder, 0o700)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failure("create", folder)(error)),
        }
    }
    Ok(())
}

/// Makes the entries of a folder durable.
fn sync_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failure("make durable", folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(failure("set the permissions of", path))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}

/// A file of ours that must not exist yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let file = opened(OpenOptions::new().read(true).write(true).create_new(true), path)?;
    make_file_private(&file)?;
    Ok(file)
}

/// A file of ours to be appended to, made if it is not there.
pub(crate) fn open_append(path: &Path) -> io::Result<File> {
    let file = opened(OpenOptions::new().read(true).append(true).create(true), path)?;
    make_file_private(&file)?;
    Ok(file)
}

#[cfg(unix)]
fn make_file_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_file_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// A file of ours to be read.
pub(crate) fn open_read(path: &Path) -> io::Result<File> {
    opened(OpenOptions::new().read(true), path)
}

fn opened(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file =
            options.mode(0o600).custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
                if path.is_symlink() {
                    io::Error::other("it is a symlink, which is not followed")
                } else {
                    error
                }
            })?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}
