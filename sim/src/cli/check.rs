//! `lockstep check`: reads scenario files, tells all their problems and what is worth a word, runs nothing.

use lockstep_sim::exit::Exit;
use lockstep_sim::report;

use super::args::CheckArgs;
use super::failure::Failure;
use super::{files, out};

pub(crate) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let mut exit = Exit::AsExpected;
    let mut good = String::new();
    for file in &files::named_scenarios(&args.files)? {
        match files::scenario(file) {
            Ok(scenario) => {
                for hint in &scenario.hints {
                    out::talk(&hint.to_string());
                }
                let variants = report::count(scenario.variants.len() as u64, "variant");
                good += &format!("{}: {}, {variants}, ok\n", scenario.file, scenario.name);
            }
            Err(problems) => {
                out::talk(&problems.to_string());
                exit = Exit::Usage;
            }
        }
    }
    if !good.is_empty() {
        out::result(&good)?;
    }
    Ok(exit)
}
