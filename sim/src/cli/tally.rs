//! Adds up the searches of one variant, in whatever order they come.

use std::collections::BTreeMap;
use std::path::Path;

use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, VariantReport};
use lockstep_sim::scenario::{Expect, Variant};
use lockstep_sim::search::{Searched, Verdict};

use super::failure::Failure;
use super::files;
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
        self.sum.cut |= searched.cut;
        self.sum.judged_rows |= searched.judged_rows;
        self.sum.goals.extend(searched.goals);
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
        scenario: &str,
        variant: &Variant,
        wanted: u64,
        out: &Path,
    ) -> Result<VariantReport, Failure> {
        self.sum.cut |= self.searches < wanted;
        let verdict = self.sum.verdict(&variant.program);
        let name = format!("{scenario}-{}", variant.name);
        let mut cases = Vec::new();
        for small in self.in_order(&variant.expect) {
            cases.push(files::write_case(out, &name, small)?);
        }
        Ok(VariantReport {
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
            saturated: self.searches > 0 && self.saturated == self.searches,
            cut: self.sum.cut,
            runs_to_find: self.lowest.and_then(|(_, runs)| runs),
            cases,
            goals: (variant.program.goal_names())
                .map(|goal| (goal.to_owned(), self.sum.goals.contains(goal)))
                .collect(),
            waiting: self.sum.waiting,
            covers: covers(variant),
        })
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

fn covers(variant: &Variant) -> String {
    let crashes = variant
        .program
        .faults
        .crash
        .iter()
        .any(|(_, times)| *times > 0);
    let program = &variant.program;
    let covers = report::covers(program.target, &world_of(variant).budget(), crashes);
    match &program.before {
        Some(before) => format!("{covers}; starts from what `{}` left", before.variant),
        None => covers,
    }
}
