//! One variant: its search, its verdict, and the shrunk traces of what it violates.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

use lockstep_sim::case::Decisions;
use lockstep_sim::fewer::{Fewer, fewer_events};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario;
use lockstep_sim::search::{Plan, reduce, search};
use lockstep_sim::shrink::{self, Target};

use super::{folder, root};

/// Seed of the searches: `lockstep run` has another one, so what it finds is found twice.
const SEED: u64 = 1;
/// A shrunk case that is larger is not read by anybody. What happens in the quiet run cannot be shrunk away.
const EVENTS: usize = 100;
const DEVIATIONS: usize = 8;
/// A clean verdict on fewer runs that differ says little, unless nothing new came for long.
const DISTINCT: u64 = 500;

/// Something is not as it should be; what, has been said.
pub(super) struct Red;

/// Judges a variant. `said` is what a reader of a red build needs.
pub(super) fn judge(file: &Path, name: &str, said: &mut Vec<String>) -> Result<(), Red> {
    let mut judged = Judged { file, name, said };
    judged
        .judge()
        .inspect_err(|words| judged.said.push(words.clone()))
        .map_err(|_| Red)
}

struct Judged<'a> {
    file: &'a Path,
    name: &'a str,
    said: &'a mut Vec<String>,
}

impl Judged<'_> {
    fn judge(&mut self) -> Result<(), String> {
        let scenario = scenario::load(self.file).map_err(|problems| problems.to_string())?;
        let variant = scenario
            .variants
            .iter()
            .find(|variant| variant.name == self.name);
        let variant = variant.ok_or("the variant is gone")?;
        let mut stage = Stage::new(FlowWorld::new(Rc::new(variant.program.clone())))?;
        let plan = Plan {
            seed: SEED,
            runs: variant.program.runs,
            expect: Some(&variant.expect),
        };
        let found = search(&mut stage, &plan, &mut || false)?;
        if let Some(words) = &found.internal {
            return Err(format!("a bug in lockstep: {words}"));
        }
        let surprise = report::surprise(variant, &found);
        if found.firsts.is_empty() && surprise.is_some() {
            self.said.push(format!(
                "again: {}",
                self.command("run", &format!("--seed {SEED}"))
            ));
        }
        let says_little = found.firsts.is_empty() && !found.saturated && found.distinct < DISTINCT;
        let mut wrong = surprise.clone().or(says_little.then(|| {
            format!(
                "only {} of {} runs differ: give it more, `explore: {{ runs: … }}`",
                found.distinct, found.runs
            )
        }));
        for first in found.firsts.values() {
            let small = reduce(&mut stage, first, shrink::BUDGET, &mut || false)?;
            if let Some(words) = small.two_traces {
                return Err(words);
            }
            let target = Target {
                invariant: first.invariant.clone(),
                key: first.key.clone(),
            };
            let fewer = fewer_events(&variant.program, small.ran, &target, &mut || false)?;
            let told = self.violation(&first.invariant, &fewer, surprise.is_none());
            wrong = wrong.or(told.err());
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Says how to replay it, and compares the trace with the one that was reviewed.
    fn violation(&mut self, invariant: &str, case: &Fewer, expected: bool) -> Result<(), String> {
        let ran = &case.ran;
        let (absent, trace) = (report::absent(&case.absent), report::human(&ran.trace));
        let shown = format!("{}\n{absent}{trace}", ran.decisions);
        self.said.push(format!("{invariant}:\n{shown}"));
        self.said
            .push(format!("replay: {}", self.replay(&ran.decisions)));
        if !expected {
            return Ok(());
        }
        let (events, deviations) = (shrink::events(&ran.trace), ran.decisions.0.len());
        if events > EVENTS || deviations > DEVIATIONS {
            return Err(format!(
                "{invariant}: shrunk to {events} events and {deviations} deviations only"
            ));
        }
        let name = folder::snapshot(&folder::stem(self.file), self.name, invariant);
        let compared = catch_unwind(AssertUnwindSafe(|| same(&name, &shown)));
        compared.map_err(|_| {
            format!("{invariant}: the trace is not the one in {name}.snap: `cargo insta review`")
        })
    }

    fn replay(&self, decisions: &Decisions) -> String {
        // A shell reads what stands in single quotes as it is.
        let quoted = decisions.to_string().replace('\'', r"'\''");
        self.command("replay --scenario", &format!("--decisions '{quoted}'"))
    }

    fn command(&self, verb: &str, flags: &str) -> String {
        let (file, name) = (self.file.display(), self.name);
        format!("cargo run --release -q -- {verb} {file} --variant {name} {flags}")
    }
}

fn same(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join(folder::SNAPSHOTS));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}
