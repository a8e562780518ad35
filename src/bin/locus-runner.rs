//! The small native companion of the addon; see `docs/ARCHITECTURE.md`.

use std::env::ArgsOs;
use std::io;
use std::process::ExitCode;

use locus_exec::agent::{DemoScript, run_demo};

const USAGE: &str = "usage: locus-runner demo-agent [--pace=<factor>] [--model=<name>]\n\
                     locus-runner is started by @locus/exec-native and not meant to be run by hand.";

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let command = args.nth(1);
    let outcome = match command.as_deref().and_then(|command| command.to_str()) {
        Some("demo-agent") => run_demo(DemoScript::from_args(args.filter_map(|arg| arg.into_string().ok()))),
        Some(role @ ("watch" | "guard")) => guard(role, args),
        _ => Err(io::Error::other(USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn guard(role: &str, args: ArgsOs) -> io::Result<()> {
    use locus_exec::guard::{GuardArgs, inherited_link, run_guard, run_watch};
    let args = GuardArgs::parse(args).ok_or_else(|| io::Error::other(USAGE))?;
    #[expect(unsafe_code, reason = "see `inherited_link`")]
    // SAFETY: the host opens it for the watch, the watch leaves it open for the guard, and nothing was opened here yet.
    let link = unsafe { inherited_link() };
    if role == "watch" { run_watch(&args, &link) } else { run_guard(&args, link) }
}

#[cfg(not(target_os = "linux"))]
fn guard(_role: &str, _args: ArgsOs) -> io::Result<()> {
    Err(io::Error::other("there is no guard on this platform"))
}

#[expect(clippy::print_stderr, reason = "a command line program tells its user what is wrong on stderr")]
fn report(message: &dyn std::fmt::Display) {
    eprintln!("locus-runner: {message}");
}
