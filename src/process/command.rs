//! What is started: plain data.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::{Error, Result};

/// Folders in which agents are commonly installed and which a PATH that comes from a desktop often lacks.
const USUAL_FOLDERS: &[&str] = &["/usr/local/bin", "/opt/homebrew/bin"];

/// The same, below the home directory.
const USUAL_HOME_FOLDERS: &[&str] =
    &[".local/bin", ".claude/local", ".npm-global/bin", ".bun/bin", ".volta/bin", ".cargo/bin"];

/// A variable that is set (`Some`) or removed (`None`) in the child's environment.
pub type EnvChange = (OsString, Option<OsString>);

/// What is started, how and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// The executable: a path, or a name that is looked up on PATH.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Changes to the environment that it inherits, applied in order.
    pub env: Vec<EnvChange>,
    /// Its working directory.
    pub cwd: PathBuf,
}

impl CommandSpec {
    /// The same command behind another one, for example a sandbox: `[sandbox, …its arguments] program args…`.
    #[must_use]
    pub fn wrapped(mut self, wrapper: &[OsString]) -> Self {
        let Some((first, rest)) = wrapper.split_first() else { return self };
        let inner = std::mem::replace(&mut self.program, first.clone());
        let tail = std::mem::take(&mut self.args);
        self.args = rest.iter().cloned().chain([inner]).chain(tail).collect();
        self
    }

    /// Gives a command the environment and the working directory.
    pub(super) fn apply_to(&self, command: &mut Command) {
        command.current_dir(&self.cwd).env("PATH", self.search_path());
        for (name, value) in self.env.iter().filter(|(name, _)| name != "PATH") {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// PATH for the child: its own, widened by the usual folders.
    pub(super) fn search_path(&self) -> OsString {
        let own = self
            .env
            .iter()
            .rev()
            .find(|(name, _)| name == "PATH")
            .map_or_else(|| env::var_os("PATH"), |(_, value)| value.clone())
            .unwrap_or_default();
        let home = env::home_dir();
        let folders = env::split_paths(&own)
            .chain(USUAL_FOLDERS.iter().map(PathBuf::from))
            .chain(home.iter().flat_map(|home| USUAL_HOME_FOLDERS.iter().map(|folder| home.join(folder))))
            .filter(|folder| !folder.as_os_str().is_empty());
        // Joining fails only on a folder with a separator in its name, which cannot come out of `split_paths`.
        env::join_paths(folders).unwrap_or(own)
    }

    /// The executable's path, and the working directory checked: the operating system would blame a missing
    /// directory on the executable.
    pub(crate) fn resolve(&self, hint: &str) -> Result<PathBuf> {
        check_directory(&self.cwd)?;
        let path = self.cwd.join(&self.program);
        if !is_bare_name(&self.program) && path.is_file() {
            // Whether it can be executed is for the operating system to say.
            return Ok(path);
        }
        which::which_in(&self.program, Some(self.search_path()), &self.cwd).map_err(|_| Error::CliNotFound {
            program: self.program.to_string_lossy().into_owned(),
            on_path: is_bare_name(&self.program),
            hint: hint.to_owned(),
        })
    }
}

fn is_bare_name(program: &OsStr) -> bool {
    Path::new(program).components().count() == 1
}

/// Checks that a process can work in this directory.
pub(crate) fn check_directory(path: &Path) -> Result<()> {
    let invalid = |problem, source| Error::InvalidDirectory { path: path.to_owned(), problem, source };
    match path.metadata() {
        Ok(metadata) if !metadata.is_dir() => Err(invalid("is not a directory", None)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(invalid("does not exist", None)),
        Err(error) => Err(invalid("cannot be used", Some(error))),
        Ok(_) => {
            #[cfg(unix)]
            rustix::fs::access(path, rustix::fs::Access::EXEC_OK)
                .map_err(|error| invalid("cannot be entered", Some(error.into())))?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(program: &str, args: &[&str]) -> CommandSpec {
        CommandSpec {
            program: program.into(),
            args: args.iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: env::temp_dir(),
        }
    }

    #[test]
    fn a_wrapper_is_put_in_front() {
        let wrapped = spec("claude", &["-p"]).wrapped(&["env".into(), "A=1".into()]);
        assert_eq!(wrapped.program, "env");
        assert_eq!(wrapped.args, ["A=1", "claude", "-p"]);
        assert_eq!(spec("claude", &[]).wrapped(&[]), spec("claude", &[]));
    }

    #[test]
    fn a_missing_directory_is_not_blamed_on_the_executable() {
        let mut command = spec("sh", &[]);
        command.cwd = env::temp_dir().join("locus-exec-no-such-directory");
        let error = command.resolve("install it").unwrap_err();
        assert_eq!(error.kind().code(), "INVALID_DIRECTORY");
        assert!(error.to_string().ends_with("does not exist"), "{error}");
    }

    #[test]
    fn a_missing_executable_names_itself_and_the_remedy() {
        let error = spec("locus-exec-no-such-agent", &[]).resolve("install it with npm").unwrap_err();
        assert_eq!(
            error.to_string(),
            "'locus-exec-no-such-agent' was not found on PATH; install it with npm"
        );
    }
}
