//! Searches in progress: their orders, what they add up to, and what that means for the exit code.

use std::collections::BTreeMap;
use std::ops::Range;

use lockstep_sim::exit::Exit;
use lockstep_sim::report::{RunReport, ScenarioReport};
use lockstep_sim::scenario::Scenario;
use lockstep_sim::search::Digest;

use super::args::WorkArgs;
use super::control::Control;
use super::failure::Failure;
use super::files::Cases;
use super::jobs::Pool;
use super::progress::Progress;
use super::tally::{self, Tally};
use super::workshop::{Answer, Order, Search};
use super::{files, interrupt};

/// Everything that a command which searches carries along.
pub(super) struct Work {
    pub(super) control: Control,
    pub(super) pool: Pool,
    pub(super) progress: Progress,
    pub(super) digest: Digest,
    pub(super) report: RunReport,
    pub(super) exit: Exit,
    /// Where cases and traces go.
    pub(super) cases: Cases,
}

/// Searches that are wanted: of each variant of these scenarios, one for each seed.
pub(super) struct Searches<'a> {
    pub(super) scenarios: &'a [Scenario],
    pub(super) seeds: Range<u64>,
    /// To the end of the budget, whatever is found.
    pub(super) whole: bool,
    /// Every run before random ones.
    pub(super) exhaustive: bool,
}

/// A search that was ordered: scenario, variant, seed.
type Place = (usize, usize, u64);

impl Searches<'_> {
    fn places(&self) -> Vec<Place> {
        let scenarios = self.scenarios.iter().enumerate();
        let variants =
            scenarios.flat_map(|(s, scenario)| (0..scenario.variants.len()).map(move |v| (s, v)));
        variants
            .flat_map(|(s, v)| self.seeds.clone().map(move |seed| (s, v, seed)))
            .collect()
    }

    fn order(&self, (s, v, seed): Place) -> Order {
        let scenario = &self.scenarios[s];
        Order::Search(Search {
            file: scenario.file.clone(),
            text: scenario.text.clone(),
            variant: scenario.variants[v].name.clone(),
            without: Vec::new(),
            seed,
            whole: self.whole,
            exhaustive: self.exhaustive,
        })
    }
}

impl Work {
    pub(super) fn new(args: &WorkArgs, jobs: usize) -> Result<Self, Failure> {
        Ok(Self {
            control: Control::new(args.time_limit),
            pool: Pool::new(jobs)?,
            progress: Progress::new(args.json),
            digest: Digest::default(),
            report: RunReport::default(),
            exit: Exit::AsExpected,
            cases: Cases::new(&args.out),
        })
    }

    /// Carries out searches and adds what came of them to the report.
    pub(super) fn search(&mut self, wanted: &Searches<'_>) -> Result<(), Failure> {
        let places = wanted.places();
        if !places.is_empty() {
            let piece = ("search", "searches");
            self.progress.begin("scenarios", piece, places.len() as u64);
        }
        let mut orders = places.iter().map(|place| wanted.order(*place));
        let mut tallies: BTreeMap<(usize, usize), Tally> = BTreeMap::new();
        for (n, answer) in self.answers(&mut orders)? {
            let (s, v, seed) = places[n];
            let tally = tallies.entry((s, v)).or_default();
            self.take_search(&wanted.scenarios[s], v, seed, answer, tally)?;
        }
        self.report_searches(wanted, tallies);
        Ok(())
    }

    /// The answers to these orders, in the order of the orders. Those for which there was no time are missing.
    pub(super) fn answers(
        &mut self,
        orders: &mut dyn Iterator<Item = Order>,
    ) -> Result<BTreeMap<usize, Answer>, Failure> {
        let mut answers = BTreeMap::new();
        let progress = &mut self.progress;
        self.pool.run(orders, &self.control, &mut |n, answer| {
            if let Answer::Search { searched, .. } = &answer {
                progress.add(1, searched.runs, searched.firsts.len() as u64);
            }
            answers.insert(n, answer);
            Ok(())
        })?;
        Ok(answers)
    }

    fn take_search(
        &mut self,
        scenario: &Scenario,
        variant: usize,
        seed: u64,
        answer: Answer,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let variant = &scenario.variants[variant];
        let title = || format!("{}, variant {}", scenario.file, variant.name);
        match answer {
            Answer::Search {
                mut searched,
                cases,
            } => {
                let hashes = std::mem::take(&mut searched.hashes);
                self.digest
                    .add_runs(&scenario.name, &variant.name, seed, 0, &hashes);
                if let Some(words) = &searched.internal {
                    self.trouble(
                        Exit::Internal,
                        format!("bug in lockstep: {}: {words}", title()),
                    );
                }
                for words in cases.iter().filter_map(|small| small.two_traces.as_ref()) {
                    self.trouble(Exit::TwoTraces, format!("two traces: {}: {words}", title()));
                }
                tally.add(variant, seed, searched, cases);
                Ok(())
            }
            Answer::BadScenario(words) => Err(Failure::usage(format!("{}: {words}", title()))),
            Answer::Internal(words) => Err(Failure::Internal(format!("{}: {words}", title()))),
            Answer::Swept(_) | Answer::Shrunk(_) | Answer::Hunted { .. } => Err(Failure::Internal(
                "a job answered another question".to_owned(),
            )),
        }
    }

    fn report_searches(
        &mut self,
        wanted: &Searches<'_>,
        mut tallies: BTreeMap<(usize, usize), Tally>,
    ) {
        let searches = wanted.seeds.end - wanted.seeds.start;
        for (s, scenario) in wanted.scenarios.iter().enumerate() {
            let mut variants = Vec::new();
            for (v, variant) in scenario.variants.iter().enumerate() {
                let tally = tallies.remove(&(s, v)).unwrap_or_default();
                let report = tally.report(scenario, variant, searches, &mut self.cases);
                self.exit = self.exit.and(tally::exit(&report));
                variants.push(report);
            }
            self.report.scenarios.push(ScenarioReport {
                name: scenario.name.clone(),
                file: scenario.file.clone(),
                variants,
            });
        }
    }

    pub(super) fn trouble(&mut self, exit: Exit, words: String) {
        self.exit = self.exit.and(exit);
        self.report.troubles.push(words);
    }

    /// The report as it stands, complete but for what a command adds to it.
    pub(super) fn end(mut self) -> Ended {
        self.progress.end();
        for failure in std::mem::take(&mut self.cases.lost) {
            self.trouble(Exit::Usage, failure.to_string());
        }
        if interrupt::requested() {
            self.exit = self.exit.and(Exit::Interrupted);
        }
        self.report.interrupted = interrupt::requested();
        self.report.as_expected = self.exit == Exit::AsExpected;
        self.report.digest = self.digest.finish();
        let args: Vec<String> = std::env::args_os()
            .skip(1)
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        self.report.again = files::command(&args.iter().map(String::as_str).collect::<Vec<_>>());
        self.report.seconds = self.control.seconds();
        Ended {
            report: self.report,
            exit: self.exit,
        }
    }
}

/// What a command that searches ends with.
pub(super) struct Ended {
    pub(super) report: RunReport,
    pub(super) exit: Exit,
}
