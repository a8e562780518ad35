//! Tests that run in a process of their own, because it is killed, or because what they change or count belongs to the
//! whole process.

use std::env;
use std::process::Command;

/// Set in such a process.
const MARK: &str = "IN_A_PROCESS_OF_ITS_OWN";

/// Whether this is the other process.
pub(crate) fn is_this() -> bool {
    env::var_os(MARK).is_some()
}

/// The command that runs a test in another process; `wrapper` is put in front.
pub(crate) fn command(wrapper: &[&str], test: &str) -> Command {
    let this = env::current_exe().unwrap();
    let mut argv = wrapper.iter().map(Into::into).chain([this.into_os_string()]);
    let mut command = Command::new(argv.next().unwrap());
    command.args(argv).args(["--exact", test, "--include-ignored", "--nocapture"]).env(MARK, "1");
    command
}

/// Runs a test in another process, to its end.
pub(crate) fn pass(mut command: Command) {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("1 passed"), "the test has run: {stdout}");
}
