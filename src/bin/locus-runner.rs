//! The small native companion of the addon; see `docs/ARCHITECTURE.md`.

use std::process::ExitCode;

use locus_exec::agent::{DemoScript, run_demo};

const USAGE: &str = "usage: locus-runner demo-agent [--pace=<factor>] [--model=<name>]\n\
                     locus-runner is started by @locus/exec-native and not meant to be run by hand.";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() != Some("demo-agent") {
        report(&USAGE);
        return ExitCode::from(2);
    }
    match run_demo(DemoScript::from_args(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command line program tells its user what is wrong on stderr")]
fn report(message: &dyn std::fmt::Display) {
    eprintln!("locus-runner: {message}");
}
