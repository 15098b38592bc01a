//! From arguments to an exit code. Only this room prints, reads wall clocks and starts processes.

#![expect(
    clippy::disallowed_methods,
    reason = "the command line is the one room with a wall clock and threads"
)]

mod ablate;
mod args;
mod bench;
mod check;
mod compare;
mod control;
mod explain;
mod failure;
mod files;
mod interrupt;
mod jobs;
mod keep;
mod kept;
mod new;
mod out;
mod progress;
mod replay;
mod run;
mod settings;
mod subject;
mod suggest;
mod sweep;
mod tally;
mod verify;
mod victims;
mod work;
mod worker;
mod workshop;

use std::panic;
use std::process::ExitCode;

use clap::Parser;
use lockstep_sim::exit::Exit;

use args::{Bench, Cli, Command};
use failure::Failure;

/// The whole program.
pub(crate) fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        out::talk(&format!(
            "lockstep: this is a bug in lockstep, please report it with the command you ran: {info}"
        ));
    }));
    // A panic anywhere is our bug, and has an exit code of its own.
    let exit = panic::catch_unwind(|| start().unwrap_or_else(|failure| failure.told()))
        .unwrap_or(Exit::Internal);
    ExitCode::from(exit.code())
}

fn start() -> Result<Exit, Failure> {
    match Cli::try_parse_from(args::with_default(std::env::args_os().collect())) {
        Ok(Cli { command }) => match command {
            Command::Run(args) => run::run(&args),
            Command::Replay(args) => replay::replay(&args),
            Command::Keep(args) => keep::keep(&args),
            Command::Explain(args) => explain::explain(&args),
            Command::Compare(args) => compare::compare(&args),
            Command::Check(args) => check::check(&args),
            Command::New(args) => new::new(&args),
            Command::Schema => new::schema(),
            Command::Verify(args) => verify::verify(&args),
            Command::Suggest(args) => suggest::suggest(&args),
            Command::Victims(args) => victims::victims(&args),
            Command::Bench(Bench::Bugs(args)) => bench::bench(&args),
            Command::Worker => worker::work(),
        },
        Err(error) if error.use_stderr() => {
            out::talk(&error.to_string());
            Ok(Exit::Usage)
        }
        Err(help) => out::result(&help.to_string()).map(|()| Exit::AsExpected),
    }
}
