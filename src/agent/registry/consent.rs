//! Which projects' files of agents the user has allowed.
//!
//! The file `allowed-agents.json` in the user's configuration holds, for each file that was allowed, its text. A text that
//! differs by a byte, or is at another place, is not allowed. The text and not a hash of it: so nothing can collide, and
//! what has changed since can be shown.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::registry::is_missing;
use crate::error::{Error, Result};
use crate::history::{create_private, open_private};

const FILE: &str = "allowed-agents.json";

/// The schema that is written and understood.
const SCHEMA: u64 = 1;

/// Where a user's configuration is: `$XDG_CONFIG_HOME/locus`, else `~/.config/locus`; on Windows `%APPDATA%\locus`.
pub fn config_folder() -> Option<PathBuf> {
    let variable = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
    let named = env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(named.or_else(|| Some(env::home_dir()?.join(".config")))?.join("locus"))
}

/// What a user has allowed.
#[derive(Debug, Clone)]
pub struct Consents {
    folder: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: u64,
    /// The texts of the files that are allowed, by their paths.
    files: BTreeMap<String, String>,
}

impl Consents {
    /// Those in this folder; without one there are none and none can be given. Touches nothing.
    pub fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_owned) }
    }

    /// The text of the file at `path` that was allowed last.
    pub fn allowed(&self, path: &Path) -> Result<Option<String>> {
        Ok(self.read()?.files.remove(&key(path)?))
    }

    /// Allows the file at `path` with this text.
    pub fn allow(&self, path: &Path, text: &str) -> Result<()> {
        let mut stored = self.read()?;
        stored.files.insert(key(path)?, text.to_owned());
        self.write(&stored)
    }

    /// Takes back what was allowed of the file at `path`; whether anything was.
    pub fn revoke(&self, path: &Path) -> Result<bool> {
        let mut stored = self.read()?;
        let was_there = stored.files.remove(&key(path)?).is_some();
        if was_there {
            self.write(&stored)?;
        }
        Ok(was_there)
    }

    fn path(&self) -> Result<PathBuf> {
        let folder = self.folder.as_ref();
        folder.map(|folder| folder.join(FILE)).ok_or_else(|| {
            Error::InvalidInput(
                "there is no home folder to keep in it what is allowed; set XDG_CONFIG_HOME".into(),
            )
        })
    }

    fn read(&self) -> Result<Stored> {
        let nothing = Stored { schema: SCHEMA, files: BTreeMap::new() };
        if self.folder.is_none() {
            return Ok(nothing);
        }
        let path = self.path()?;
        let text = match open_private(&path).and_then(io::read_to_string) {
            Ok(text) => text,
            Err(error) if is_missing(&error, &path) => return Ok(nothing),
            Err(error) => return Err(unusable("read", &path, &error.to_string())),
        };
        let stored: Stored =
            serde_json::from_str(&text).map_err(|error| unusable("understand", &path, &error.to_string()))?;
        if stored.schema != SCHEMA {
            return Err(unusable("understand", &path, &format!("its schema is not {SCHEMA}")));
        }
        Ok(stored)
    }

    fn write(&self, stored: &Stored) -> Result<()> {
        let path = self.path()?;
        let failed = |error: io::Error| unusable("write", &path, &error.to_string());
        let folder = path.parent().unwrap_or(&path);
        private_folders().create(folder).map_err(failed)?;
        let json = serde_json::to_vec_pretty(stored).map_err(|error| failed(error.into()))?;
        // Written aside and renamed: whoever reads it meanwhile reads the old one.
        let aside = folder.join(format!("{FILE}.{}", uuid::Uuid::new_v4()));
        let written = create_private(&aside)
            .and_then(|mut file| file.write_all(&json).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&aside, &path));
        written.map_err(|error| {
            // What is left of it is no use; that it cannot be removed says nothing more.
            let _ = fs::remove_file(&aside);
            failed(error)
        })
    }
}

fn private_folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// The path without links, so that it stands for one file.
fn key(path: &Path) -> Result<String> {
    let real = fs::canonicalize(path).or_else(|error| {
        // A file that is gone can still be taken back.
        let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        parent.zip(path.file_name()).map(|(parent, name)| parent.join(name)).ok_or(error)
    });
    let real = real.map_err(|error| unusable("find", path, &error.to_string()))?;
    real.into_os_string().into_string().map_err(|_| {
        Error::InvalidInput(format!("the path of '{}' is not UTF-8; move the project", path.display()).into())
    })
}

fn unusable(action: &str, path: &Path, reason: &str) -> Error {
    let path = path.display();
    Error::InvalidInput(format!("cannot {action} '{path}' ({reason}); mend it, or remove it").into())
}
