//! `lockstep run`: searches, then the sweep, then what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, RunReport, ScenarioReport};
use lockstep_sim::scenario::{self, Scenario};
use lockstep_sim::search::Digest;

use super::args::{ReplayArgs, RunArgs};
use super::control::Control;
use super::failure::Failure;
use super::jobs::Pool;
use super::progress::Progress;
use super::settings::Settings;
use super::tally::{self, Tally};
use super::workshop::{Answer, Order};
use super::{files, interrupt, out, replay};

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let settings = Settings::of(args)?;
    let scenarios = if args.sweep {
        Vec::new()
    } else {
        scenarios(args)?
    };
    if let Some(decisions) = &args.decisions {
        return replay::replay(&inline(args, &scenarios, decisions)?);
    }
    interrupt::install()?;
    let made = files::prepare(&args.out)?;
    work(args, &settings, &scenarios).inspect_err(|_| files::withdraw(&made))
}

fn work(args: &RunArgs, settings: &Settings, scenarios: &[Scenario]) -> Result<Exit, Failure> {
    let sweeps =
        args.sweep || (args.files.is_empty() && args.scenario.is_none() && args.variant.is_none());
    let mut work = Work {
        control: Control::new(args.time_limit),
        pool: Pool::new(settings.jobs)?,
        progress: Progress::new(args.json),
        digest: Digest::default(),
        report: RunReport::default(),
        exit: Exit::AsExpected,
    };
    work.search(scenarios, args, settings)?;
    if sweeps {
        work.sweep(settings, &args.out)?;
    }
    work.finish(args.json)
}

/// The scenarios that were asked for, without the variants that were not.
fn scenarios(args: &RunArgs) -> Result<Vec<Scenario>, Failure> {
    let named = args.scenario.as_deref();
    // A folder is no scenario, but a scenario may have the name of one.
    let as_file = named
        .map(PathBuf::from)
        .filter(|path| path.extension().is_some() || (path.exists() && !path.is_dir()));
    let paths = match (&as_file, args.files.is_empty()) {
        (Some(file), true) => vec![file.clone()],
        (Some(file), false) if args.files.contains(file) => vec![file.clone()],
        (Some(file), false) => {
            return Err(Failure::usage(format!(
                "--scenario {} is not among the files that are named: name one or the other",
                file.display()
            )));
        }
        (None, true) => files::all_scenarios()?,
        (None, false) => args.files.clone(),
    };
    let mut loaded = load(&paths)?;
    if let (Some(name), None) = (named, &as_file) {
        let known: Vec<String> = loaded
            .iter()
            .map(|scenario| scenario.name.clone())
            .collect();
        loaded.retain(|scenario| scenario.name == name);
        if loaded.is_empty() {
            return Err(Failure::usage(format!(
                "no scenario is named {name}; known are {}",
                known.join(", ")
            )));
        }
    }
    if let Some(variant) = &args.variant {
        let mut known: Vec<String> = loaded
            .iter()
            .flat_map(|scenario| &scenario.variants)
            .map(|variant| variant.name.clone())
            .collect();
        loaded
            .iter_mut()
            .for_each(|scenario| scenario.variants.retain(|known| known.name == *variant));
        loaded.retain(|scenario| !scenario.variants.is_empty());
        if loaded.is_empty() {
            known.sort();
            known.dedup();
            return Err(Failure::usage(format!(
                "no variant is named {variant}; known are {}",
                known.join(", ")
            )));
        }
    }
    Ok(loaded)
}

/// Reads all files, or tells the problems of all of them.
fn load(paths: &[PathBuf]) -> Result<Vec<Scenario>, Failure> {
    let mut problems = String::new();
    let mut loaded: Vec<Scenario> = Vec::new();
    for path in paths {
        match scenario::load(path) {
            Ok(scenario) => {
                if let Some(other) = loaded.iter().find(|other| other.name == scenario.name) {
                    let (name, a, b) = (&scenario.name, &other.file, &scenario.file);
                    return Err(Failure::usage(format!(
                        "{a} and {b} are both named {name}: names tell cases apart"
                    )));
                }
                loaded.push(scenario);
            }
            Err(found) => problems += &format!("{found}\n"),
        }
    }
    if problems.is_empty() {
        Ok(loaded)
    } else {
        Err(Failure::usage(format!("nothing was run.\n{problems}")))
    }
}

/// `run --decisions` is a replay.
fn inline(args: &RunArgs, scenarios: &[Scenario], decisions: &str) -> Result<ReplayArgs, Failure> {
    let [scenario] = scenarios else {
        return Err(Failure::usage(
            "--decisions belong to one scenario: name its file",
        ));
    };
    Ok(ReplayArgs {
        case: None,
        scenario: Some(PathBuf::from(&scenario.file)),
        world: None,
        variant: args.variant.clone(),
        decisions: Some(decisions.to_owned()),
        seed: None,
        run: 1,
        json: args.json,
    })
}

/// A run in progress.
pub(super) struct Work {
    pub(super) control: Control,
    pub(super) pool: Pool,
    pub(super) progress: Progress,
    pub(super) digest: Digest,
    pub(super) report: RunReport,
    pub(super) exit: Exit,
}

/// A search that was ordered: scenario, variant, seed.
type Place = (usize, usize, u64);

impl Work {
    fn search(
        &mut self,
        scenarios: &[Scenario],
        args: &RunArgs,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let places = || {
            let variants = scenarios
                .iter()
                .enumerate()
                .flat_map(|(s, scenario)| (0..scenario.variants.len()).map(move |v| (s, v)));
            variants.flat_map(|(s, v)| settings.searches.clone().map(move |seed| (s, v, seed)))
        };
        let all = all_variants(scenarios, args)?;
        let mut tallies: BTreeMap<(usize, usize), Tally> = BTreeMap::new();
        let mut ordered: Vec<Place> = Vec::new();
        let mut orders = places()
            .inspect(|place| ordered.push(*place))
            .map(|(s, v, seed)| Order::Search {
                file: scenarios[s].file.clone(),
                text: scenarios[s].text.clone(),
                variant: all[s][v],
                seed,
            });
        let mut answers: Vec<(usize, Answer)> = Vec::new();
        let progress = &mut self.progress;
        let wanted = all
            .iter()
            .map(|variants| variants.len() as u64)
            .sum::<u64>();
        if wanted > 0 {
            let each = settings.searches.end - settings.searches.start;
            progress.begin(
                "scenarios",
                ("search", "searches"),
                wanted.saturating_mul(each),
            );
        }
        self.pool
            .run(&mut orders, &self.control, &mut |n, answer| {
                if let Answer::Search { searched, .. } = &answer {
                    progress.add(1, searched.runs, searched.firsts.len() as u64);
                }
                answers.push((n, answer));
                Ok(())
            })?;
        drop(orders);
        for (n, answer) in answers {
            let (s, v, seed) = ordered[n];
            self.take_search(
                &scenarios[s],
                v,
                seed,
                answer,
                tallies.entry((s, v)).or_default(),
            )?;
        }
        self.report_searches(
            scenarios,
            tallies,
            settings.searches.end - settings.searches.start,
            &args.out,
        )
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
            Answer::Swept(_) | Answer::Shrunk(_) => Err(Failure::Internal(
                "a job answered another question".to_owned(),
            )),
        }
    }

    fn report_searches(
        &mut self,
        scenarios: &[Scenario],
        mut tallies: BTreeMap<(usize, usize), Tally>,
        wanted: u64,
        out: &Path,
    ) -> Result<(), Failure> {
        for (s, scenario) in scenarios.iter().enumerate() {
            let mut variants = Vec::new();
            for (v, variant) in scenario.variants.iter().enumerate() {
                let tally = tallies.remove(&(s, v)).unwrap_or_default();
                let report = tally.report(&scenario.name, variant, wanted, out)?;
                self.exit = self.exit.and(tally::exit(&report));
                variants.push(report);
            }
            self.report.scenarios.push(ScenarioReport {
                name: scenario.name.clone(),
                file: scenario.file.clone(),
                variants,
            });
        }
        Ok(())
    }

    pub(super) fn trouble(&mut self, exit: Exit, words: String) {
        self.exit = self.exit.and(exit);
        self.report.troubles.push(words);
    }

    fn finish(mut self, json: bool) -> Result<Exit, Failure> {
        self.progress.end();
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
        let text = match json {
            true => report::run_json(&self.report).to_string(),
            false => report::run_text(&self.report, out::style()),
        };
        out::result(&text)?;
        Ok(self.exit)
    }
}

/// Position of each wanted variant in its file: workers read the whole text.
fn all_variants(scenarios: &[Scenario], args: &RunArgs) -> Result<Vec<Vec<usize>>, Failure> {
    let whole = |scenario: &Scenario| {
        scenario::parse(&scenario.file, &scenario.text)
            .map_err(|problems| Failure::usage(problems.to_string()))
    };
    let wanted = |name: &str| {
        args.variant
            .as_deref()
            .is_none_or(|variant| variant == name)
    };
    scenarios
        .iter()
        .map(|scenario| {
            let whole = whole(scenario)?;
            Ok((0..whole.variants.len())
                .filter(|v| wanted(&whole.variants[*v].name))
                .collect())
        })
        .collect()
}
