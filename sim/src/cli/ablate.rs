//! Takes a fix apart: drops each of its parts alone, then all together that it does not need.

use lockstep_sim::exit::Exit;
use lockstep_sim::report::{Ablation, Clean, Fate, Smallest};
use lockstep_sim::scenario::ablate::{self, Part};
use lockstep_sim::scenario::{Expect, Scenario, Variant};
use lockstep_sim::search::{Searched, Verdict};

use super::failure::Failure;
use super::work::Work;
use super::workshop::{Answer, Order, Search, Small};

/// The variants to take apart: the named one, or each that is expected to be clean. One that puts the reference store in
/// the place of the file's tables is another program, not a fix of this one, and is only taken apart by its name.
pub(super) fn wanted<'s>(
    scenario: &'s Scenario,
    named: Option<&str>,
) -> Result<Vec<&'s Variant>, Failure> {
    let moved = |variant: &Variant| {
        variant.program.store && scenario.variants.iter().any(|other| !other.program.store)
    };
    let fixes = scenario
        .variants
        .iter()
        .filter(|variant| !matches!(variant.expect, Expect::Violates(_)));
    let Some(name) = named else {
        return Ok(fixes.filter(|variant| !moved(variant)).collect());
    };
    if let Some(variant) = fixes.clone().find(|variant| variant.name == name) {
        return Ok(vec![variant]);
    }
    let known: Vec<&str> = fixes.map(|variant| variant.name.as_str()).collect();
    let such = match known.is_empty() {
        true => "every variant of it is expected to fail".to_owned(),
        false => format!("such are {}", known.join(", ")),
    };
    Err(Failure::usage(format!(
        "{}: no variant {name} is expected to hold or to be undecided, so there is no fix to take apart; {such}",
        scenario.file,
    )))
}

/// One variant being taken apart.
pub(super) struct Table<'a> {
    pub(super) work: &'a mut Work,
    pub(super) scenario: &'a Scenario,
    pub(super) variant: &'a Variant,
    pub(super) seed: u64,
    pub(super) exhaustive: bool,
}

impl Table<'_> {
    /// Takes the variant apart.
    pub(super) fn ablate(&mut self) -> Result<Ablation, Failure> {
        let mut ablation = Ablation {
            variant: self.variant.name.clone(),
            parts: Vec::new(),
            smallest: None,
            skipped: None,
        };
        let (file, text) = (&self.scenario.file, &self.scenario.text);
        let all = ablate::parts(file, text, &self.variant.name)
            .map_err(|problems| Failure::Internal(problems.to_string()))?;
        ablation.skipped = self.useless(&all);
        if ablation.skipped.is_some() {
            return Ok(ablation);
        }
        ablation.parts = self.one_by_one(&all)?;
        ablation.smallest = self.smallest(&ablation.parts)?;
        Ok(ablation)
    }

    /// Why nothing would be learned.
    fn useless(&self, parts: &[Part]) -> Option<String> {
        let variants = self.work.report.scenarios.iter().flat_map(|s| &s.variants);
        let found = variants
            .filter(|variant| variant.name == self.variant.name)
            .find(|variant| variant.cut || !is_clean(variant.verdict));
        match found {
            Some(found) if found.cut => {
                Some("there was no time to search it as a whole".to_owned())
            }
            Some(found) => Some(format!("as a whole it is {}", found.verdict.name())),
            None => parts.is_empty().then(|| "it has no parts".to_owned()),
        }
    }

    /// Large parts first; what a fix cannot do without is taken apart further.
    fn one_by_one(&mut self, all: &[Part]) -> Result<Vec<(Part, Fate)>, Failure> {
        let mut fates: Vec<Option<Fate>> = vec![None; all.len()];
        loop {
            let is_due = |n: usize| {
                let Some(of) = all[n].of.as_ref() else {
                    return true;
                };
                let whole = all.iter().position(|part| part.name == *of);
                let fate = whole.and_then(|whole| fates[whole].as_ref());
                matches!(fate, Some(Fate::Needed { .. } | Fate::Bound(_)))
            };
            let due: Vec<usize> = (0..all.len())
                .filter(|n| fates[*n].is_none() && is_due(*n))
                .collect();
            if due.is_empty() {
                break;
            }
            let drops: Vec<Vec<String>> = due.iter().map(|n| vec![all[*n].name.clone()]).collect();
            for (n, fate) in due.iter().zip(self.fates(&drops)?) {
                fates[*n] = Some(fate);
            }
        }
        let told = all.iter().cloned().zip(fates);
        Ok(told
            .filter_map(|(part, fate)| Some((part, fate?)))
            .collect())
    }

    /// Drops together what is not needed alone: all of it, or else one after the other as long as the rest is clean; then
    /// what could not be dropped alone.
    fn smallest(&mut self, parts: &[(Part, Fate)]) -> Result<Option<Smallest>, Failure> {
        let names = |is: fn(&Fate) -> bool| -> Vec<String> {
            let found = parts.iter().filter(|(_, fate)| is(fate));
            found.map(|(part, _)| part.name.clone()).collect()
        };
        let spare = names(|fate| matches!(fate, Fate::NotNeeded(_)));
        let bound = names(|fate| matches!(fate, Fate::Bound(_)));
        let mut found: Option<(Vec<String>, Clean)> = None;
        let mut left = bound;
        match self.clean(&spare)? {
            _ if spare.is_empty() => return Ok(None),
            Some(clean) => found = Some((spare, clean)),
            None => left.splice(0..0, spare).for_each(drop),
        }
        for part in left {
            let mut dropped = found
                .as_ref()
                .map_or(Vec::new(), |(found, _)| found.clone());
            dropped.push(part);
            if let Some(clean) = self.clean(&dropped)? {
                found = Some((dropped, clean));
            }
        }
        Ok(found.map(|(dropped, clean)| smallest(parts, &dropped, clean)))
    }

    /// What the search says without all of these, if it is clean.
    fn clean(&mut self, dropped: &[String]) -> Result<Option<Clean>, Failure> {
        if dropped.is_empty() || self.work.control.stop() {
            return Ok(None);
        }
        let fates = self.fates(&[dropped.to_vec()])?;
        Ok(fates.into_iter().find_map(|fate| match fate {
            Fate::NotNeeded(clean) => Some(clean),
            _ => None,
        }))
    }

    /// What comes of the variant without each of these sets of parts.
    fn fates(&mut self, drops: &[Vec<String>]) -> Result<Vec<Fate>, Failure> {
        let piece = ("search", "searches");
        self.work
            .progress
            .begin("ablation", piece, drops.len() as u64);
        let mut orders = drops.iter().map(|dropped| {
            Order::Search(Search {
                file: self.scenario.file.clone(),
                text: self.scenario.text.clone(),
                variant: self.variant.name.clone(),
                without: dropped.clone(),
                seed: self.seed,
                whole: false,
                exhaustive: self.exhaustive,
            })
        });
        let mut answers = self.work.answers(&mut orders)?;
        let fates = drops.iter().enumerate().map(|(n, dropped)| {
            let answer = answers.remove(&n);
            answer.map_or(Ok(Fate::Cut), |answer| self.fate(dropped, answer))
        });
        fates.collect()
    }

    fn fate(&mut self, dropped: &[String], answer: Answer) -> Result<Fate, Failure> {
        match answer {
            Answer::Search { searched, cases } => self.searched(dropped, searched, &cases),
            Answer::BadScenario(words) => Ok(Fate::Bound(words)),
            Answer::Internal(words) => Err(Failure::Internal(words)),
            Answer::Swept(_) | Answer::Shrunk(_) | Answer::Hunted { .. } => Err(Failure::Internal(
                "a job answered another question".to_owned(),
            )),
        }
    }

    fn searched(
        &mut self,
        dropped: &[String],
        searched: Searched,
        cases: &[Small],
    ) -> Result<Fate, Failure> {
        let title = format!("{} without {}", self.variant.name, dropped.join(", "));
        let (scenario, seed) = (&self.scenario.name, self.seed);
        let digest = &mut self.work.digest;
        digest.add_runs(scenario, &title, seed, 0, &searched.hashes);
        if let Some(words) = &searched.internal {
            let words = format!("bug in lockstep: {title}: {words}");
            self.work.trouble(Exit::Internal, words);
        }
        for words in cases.iter().filter_map(|small| small.two_traces.as_ref()) {
            let words = format!("two traces: {title}: {words}");
            self.work.trouble(Exit::TwoTraces, words);
        }
        if let Some(small) = cases.first() {
            // Names of parts have spaces, and `_` inside of their words.
            let parts = dropped.join("-").replace(' ', "-");
            let name = format!("{scenario}-{}-without-{parts}", self.variant.name);
            let first = searched.firsts.get(&small.invariant);
            let again = [
                "compare",
                "--ablate",
                &self.variant.name,
                &self.scenario.file,
            ];
            return Ok(Fate::Needed {
                run: first.map_or(0, |first| first.run),
                case: self.work.cases.write(&name, small, &again),
            });
        }
        Ok(self.unharmed(&searched))
    }

    fn unharmed(&self, searched: &Searched) -> Fate {
        if searched.cut || searched.internal.is_some() {
            return Fate::Cut;
        }
        let program = &self.variant.program;
        match searched.verdict(program) {
            Verdict::Vacuous => {
                let missed = searched.missed(program);
                Fate::Vacuous(match missed.is_empty() {
                    true => "no invariant ever read a row".to_owned(),
                    false => format!("goals never reached: {}", missed.join(", ")),
                })
            }
            verdict => Fate::NotNeeded(Clean {
                verdict,
                runs: searched.runs,
                distinct: searched.distinct,
                saturated: searched.saturated,
            }),
        }
    }
}

fn is_clean(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Holds | Verdict::Undecided)
}

/// What is left: every part that was not dropped, but for those that were looked at only as parts of a larger one.
fn smallest(parts: &[(Part, Fate)], dropped: &[String], clean: Clean) -> Smallest {
    let names = |keep: &dyn Fn(&Part) -> bool| -> Vec<String> {
        let found = parts.iter().filter(|(part, _)| keep(part));
        found.map(|(part, _)| part.name.clone()).collect()
    };
    let is_dropped = |name: &String| dropped.contains(name);
    let is_split = |part: &Part| {
        parts
            .iter()
            .any(|(other, _)| other.of.as_ref() == Some(&part.name))
    };
    let above = |part: &Part| part.of.as_ref().is_some_and(is_dropped);
    Smallest {
        dropped: names(&|part| is_dropped(&part.name)),
        kept: names(&|part| !is_dropped(&part.name) && !is_split(part) && !above(part)),
        clean,
    }
}
