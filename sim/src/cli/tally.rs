//! Adds up the searches of one variant, in whatever order they come.

use std::collections::BTreeMap;

use lockstep_sim::exit::Exit;
use lockstep_sim::fault::Fault;
use lockstep_sim::report::{self, VariantReport};
use lockstep_sim::scenario::{Expect, Scenario, Variant};
use lockstep_sim::search::{First, Searched, Verdict};

use super::files::Cases;
use super::workshop::{Small, world_of};

/// The searches of one variant so far.
#[derive(Default)]
pub(crate) struct Tally {
    searches: u64,
    expected: u64,
    sum: Searched,
    saturated: u64,
    /// Lowest seed seen, and the runs that its search took to find something.
    lowest: Option<(u64, Option<u64>)>,
    cases: BTreeMap<String, Small>,
}

impl Tally {
    /// Adds a search.
    pub(crate) fn add(
        &mut self,
        variant: &Variant,
        seed: u64,
        searched: Searched,
        cases: Vec<Small>,
    ) {
        self.searches += 1;
        self.expected += u64::from(searched.is_expected(variant));
        self.saturated += u64::from(searched.saturated);
        if self.lowest.is_none_or(|(lowest, _)| seed < lowest) {
            self.lowest = Some((seed, searched.runs_to_find()));
        }
        self.sum.runs += searched.runs;
        self.sum.distinct += searched.distinct;
        // The same ones with each seed.
        self.sum.singles = self.sum.singles.max(searched.singles);
        self.sum.singles_tried = self.sum.singles_tried.max(searched.singles_tried);
        // The same with each seed: it draws nothing.
        self.sum.exhausted = searched.exhausted.or(self.sum.exhausted);
        self.sum.cut |= searched.cut;
        self.sum.judged_rows |= searched.judged_rows;
        self.sum.goals.extend(searched.goals);
        self.sum.uncaught.add(searched.uncaught);
        for (fault, runs) in searched.faults {
            *self.sum.faults.entry(fault).or_default() += runs;
        }
        for (waits, runs) in searched.waiting {
            *self.sum.waiting.entry(waits).or_default() += runs;
        }
        for (invariant, first) in searched.firsts {
            let known = self.sum.firsts.entry(invariant);
            let known = known.or_insert_with(|| first.clone());
            if first.seed < known.seed {
                *known = first;
            }
        }
        for small in cases {
            let known = self
                .cases
                .entry(small.invariant.clone())
                .or_insert_with(|| small.clone());
            if small.seed < known.seed {
                *known = small;
            }
        }
    }

    /// Writes the cases and tells the result. `wanted` searches were ordered.
    pub(crate) fn report(
        mut self,
        scenario: &Scenario,
        variant: &Variant,
        wanted: u64,
        out: &mut Cases,
    ) -> VariantReport {
        self.sum.cut |= self.searches < wanted;
        let verdict = self.sum.verdict(&variant.program);
        let name = format!("{}-{}", scenario.name, variant.name);
        let mut cases = Vec::new();
        for small in self.in_order(&variant.expect) {
            let first = self.sum.firsts.get(&small.invariant);
            let found = first.map_or_else(Vec::new, |first| self.found_as(small.seed, first));
            let named = [
                "replay",
                "--scenario",
                &scenario.file,
                "--variant",
                &variant.name,
            ];
            let as_it_was: Vec<&str> = named
                .into_iter()
                .chain(found.iter().map(String::as_str))
                .collect();
            cases.push(out.write(&name, small, &as_it_was));
        }
        VariantReport {
            name: variant.name.clone(),
            expect: variant.expect.clone(),
            verdict,
            violated: self.sum.firsts.keys().cloned().collect(),
            firsts: (self.sum.firsts.iter())
                .map(|(invariant, first)| (invariant.clone(), first.run))
                .collect(),
            as_expected: self.expected == wanted,
            searches: wanted,
            expected: self.expected,
            runs: self.sum.runs,
            distinct: self.sum.distinct,
            singles_tried: self.sum.singles_tried,
            singles: self.sum.singles,
            exhausted: self.sum.exhausted,
            saturated: self.searches > 0 && self.saturated == self.searches,
            cut: self.sum.cut,
            runs_to_find: self.lowest.and_then(|(_, runs)| runs),
            cases,
            goals: (variant.program.goal_names())
                .map(|goal| (goal.to_owned(), self.sum.goals.contains(goal)))
                .collect(),
            uncaught: self.sum.uncaught,
            faults: faults(variant)
                .iter()
                .map(|fault| fault.name())
                .map(|fault| (fault, self.sum.faults.get(fault).copied().unwrap_or(0)))
                .collect(),
            waiting: self.sum.waiting,
            covers: covers(variant),
        }
    }

    /// The flags that give a run as it was found. No seed gives those of an exhaustive search.
    fn found_as(&self, seed: u64, first: &First) -> Vec<String> {
        match self.sum.exhausted {
            Some(_) => vec!["--decisions".to_owned(), first.decisions.to_string()],
            None => ["--seed", &seed.to_string(), "--run", &first.run.to_string()]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    /// Failures that nobody expected come first, then the others as they were listed.
    fn in_order(&self, expect: &Expect) -> Vec<&Small> {
        let listed: &[String] = if let Expect::Violates(names) = expect {
            names
        } else {
            &[]
        };
        let unexpected = self
            .cases
            .values()
            .filter(|small| !listed.contains(&small.invariant));
        unexpected
            .chain(listed.iter().filter_map(|name| self.cases.get(name)))
            .collect()
    }
}

/// The exit code that a variant's result asks for.
pub(crate) fn exit(variant: &VariantReport) -> Exit {
    let listed: &[String] = if let Expect::Violates(names) = &variant.expect {
        names
    } else {
        &[]
    };
    let surprise = variant.violated.iter().any(|name| !listed.contains(name));
    match variant.verdict {
        _ if variant.as_expected => Exit::AsExpected,
        _ if surprise => Exit::Unexpected,
        Verdict::Undecided | Verdict::Vacuous => Exit::Undecided,
        _ if variant.cut => Exit::Undecided,
        Verdict::Holds | Verdict::Violated => Exit::Unexpected,
    }
}

/// Faults that may strike it.
fn faults(variant: &Variant) -> Vec<Fault> {
    let mut crash = variant.program.faults.crash.iter();
    let crashes = crash.any(|(_, times)| *times > 0);
    let budget = world_of(variant).budget();
    let on = |fault: &Fault| match fault {
        Fault::Crash => crashes,
        other => budget.left(*other) > 0,
    };
    Fault::ALL.into_iter().filter(on).collect()
}

fn covers(variant: &Variant) -> Vec<String> {
    let program = &variant.program;
    let mut covers = report::covers(program.target, &faults(variant));
    let before = program.before.as_ref();
    covers.extend(before.map(|before| format!("starts from what `{}` left", before.variant)));
    covers
}
