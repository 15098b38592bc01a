//! `lockstep bench bugs`: how long each strategy hunts for each bug that is known.

use std::collections::BTreeMap;
use std::path::Path;

use lockstep_sim::catalogue;
use lockstep_sim::decide::Choice;
use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, Effort, HuntReport, Hunted};
use lockstep_sim::scenario::{Expect, Scenario};
use lockstep_sim::search::PROBLEMS;

use super::args::BenchArgs;
use super::control::Control;
use super::failure::Failure;
use super::jobs::Pool;
use super::progress::Progress;
use super::settings::jobs;
use super::workshop::{Answer, Bug, Hunt, Order};
use super::{files, interrupt, out};

/// What hunts beside the strategies: all of them together, and every run.
pub(crate) const PORTFOLIO: &str = "portfolio";
pub(crate) const EXHAUSTIVE: &str = "exhaustive";

pub(crate) fn bench(args: &BenchArgs) -> Result<Exit, Failure> {
    let bugs = wanted(args, bugs(args)?)?;
    let strategies = strategies(args)?;
    interrupt::install()?;
    let control = Control::new(args.time_limit);
    let mut progress = Progress::new(args.json);
    let mut pool = Pool::new(jobs(args.jobs)?)?;
    let hunts = bugs.len() * strategies.len();
    progress.begin("bugs", ("hunt", "hunts"), hunts as u64);
    let mut orders = bugs.iter().flat_map(|(_, bug)| {
        strategies.iter().map(|strategy| {
            Order::Hunt(Hunt {
                bug: bug.clone(),
                strategy: strategy.clone(),
                seeds: args.seeds.clone(),
                most: args.most,
            })
        })
    });
    let mut took: BTreeMap<usize, (Effort, Option<u64>)> = BTreeMap::new();
    pool.run(&mut orders, &control, &mut |n, answer| match answer {
        Answer::Hunted { runs, ms, depth } => {
            progress.add(1, runs.iter().flatten().sum(), 0);
            // A hunt that was stopped says nothing.
            if !control.stop() {
                took.insert(n, (Effort::new(&runs, args.most, ms), depth));
            }
            Ok(())
        }
        Answer::BadScenario(words) => Err(Failure::usage(words)),
        Answer::Internal(words) => Err(Failure::Internal(words)),
        _ => Err(Failure::Internal(
            "a job answered another question".to_owned(),
        )),
    })?;
    progress.end();
    let cut = took.len() < hunts;
    let mut bugs: Vec<Hunted> = bugs.into_iter().map(|(bug, _)| bug).collect();
    for (n, (effort, depth)) in took {
        let (bug, strategy) = (
            &mut bugs[n / strategies.len()],
            &strategies[n % strategies.len()],
        );
        bug.depth = bug.depth.or(depth);
        bug.by.insert(strategy.clone(), effort);
    }
    let report = HuntReport {
        strategies,
        bugs,
        seeds: args.seeds.end - args.seeds.start,
        most: args.most,
        cut,
    };
    out::result(&match args.json {
        true => report::hunts_json(&report).to_string(),
        false => report::hunts_text(&report),
    })?;
    Ok(match (interrupt::requested(), cut) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Undecided,
        (false, false) => Exit::AsExpected,
    })
}

/// Those that are named, if any is.
fn wanted(args: &BenchArgs, mut bugs: Vec<(Hunted, Bug)>) -> Result<Vec<(Hunted, Bug)>, Failure> {
    let unknown = |name: &&String| !bugs.iter().any(|(bug, _)| bug.name == **name);
    if let Some(name) = args.bug.iter().find(unknown) {
        let known: Vec<&str> = bugs.iter().map(|(bug, _)| bug.name.as_str()).collect();
        let like = known
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
        let like = like.map_or(String::new(), |like| format!("; did you mean {like}?"));
        return Err(Failure::usage(format!("no bug is named {name}{like}")));
    }
    if bugs.is_empty() {
        return Err(Failure::usage(
            "no variant of these scenarios is expected to fail",
        ));
    }
    if !args.bug.is_empty() {
        bugs.retain(|(bug, _)| args.bug.contains(&bug.name));
    }
    Ok(bugs)
}

fn strategies(args: &BenchArgs) -> Result<Vec<String>, Failure> {
    let mut known: Vec<String> = Choice::ALL.iter().map(Choice::to_string).collect();
    known.push(PORTFOLIO.to_owned());
    let mut all = known.clone();
    all.push(EXHAUSTIVE.to_owned());
    match args.strategy.iter().find(|name| !all.contains(name)) {
        Some(name) => Err(Failure::usage(format!(
            "no strategy is named {name}; known are {}",
            all.join(", ")
        ))),
        None if args.strategy.is_empty() => Ok(known),
        None => Ok(args.strategy.clone()),
    }
}

/// The problems, then the planted bugs, then those of scenarios; or those of the scenarios that are named.
fn bugs(args: &BenchArgs) -> Result<Vec<(Hunted, Bug)>, Failure> {
    let mut found = Vec::new();
    let paths = match args.files.is_empty() {
        true => files::all_scenarios()?,
        false => files::named_scenarios(&args.files)?,
    };
    if args.files.is_empty() {
        for (file, text) in PROBLEMS {
            let problem = lockstep_sim::scenario::parse(file, text)
                .map_err(|problems| Failure::Internal(problems.to_string()))?;
            found.extend(of_scenario(&problem));
        }
        found.extend(catalogue::all().map(|(family, planted)| {
            let name = planted.defect.name;
            (hunted(name, family), Bug::Planted(name.to_owned()))
        }));
    }
    for path in paths {
        let scenario = files::scenario(Path::new(&path))
            .map_err(|problems| Failure::usage(problems.to_string()))?;
        found.extend(of_scenario(&scenario));
    }
    Ok(found)
}

fn of_scenario(scenario: &Scenario) -> Vec<(Hunted, Bug)> {
    let broken = scenario
        .variants
        .iter()
        .filter(|variant| matches!(variant.expect, Expect::Violates(_)));
    let bug = |variant: &str| Bug::Scenario {
        file: scenario.file.clone(),
        text: scenario.text.clone(),
        variant: variant.to_owned(),
    };
    broken
        .map(|variant| {
            let name = format!("{}.{}", scenario.name, variant.name);
            (hunted(&name, &scenario.file), bug(&variant.name))
        })
        .collect()
}

fn hunted(name: &str, family: &str) -> Hunted {
    Hunted {
        name: name.to_owned(),
        family: family.to_owned(),
        depth: None,
        by: BTreeMap::new(),
    }
}
