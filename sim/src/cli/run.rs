//! `lockstep run`: searches, then the sweep, then what came of it.

use std::path::PathBuf;

use lockstep_sim::exit::Exit;
use lockstep_sim::report;
use lockstep_sim::scenario::Scenario;

use super::args::{ReplayArgs, RunArgs};
use super::failure::Failure;
use super::settings::Settings;
use super::work::{Searches, Work};
use super::{files, interrupt, kept, out, replay};

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
    let made = files::prepare(&args.work.out)?;
    work(args, &settings, &scenarios).inspect_err(|_| files::withdraw(&made))
}

fn work(args: &RunArgs, settings: &Settings, scenarios: &[Scenario]) -> Result<Exit, Failure> {
    let named = !args.files.is_empty() || args.scenario.is_some() || args.variant.is_some();
    // The default world cannot be exhausted.
    let sweeps = args.sweep || !(named || args.work.exhaustive);
    let mut work = Work::new(&args.work, settings.jobs)?;
    let filtered = args.sweep || args.scenario.is_some() || args.variant.is_some();
    if !filtered || !args.files.is_empty() {
        let (kept, exit) = kept::replay_all(&files::kept(&args.files)?)?;
        work.report.kept = kept;
        work.exit = work.exit.and(exit);
    }
    let searches = Searches {
        scenarios,
        seeds: settings.searches.clone(),
        whole: false,
        exhaustive: args.work.exhaustive,
    };
    work.search(&searches)?;
    if sweeps {
        work.sweep(settings)?;
    }
    let ended = work.end();
    let text = match args.work.json {
        true => report::run_json(&ended.report).to_string(),
        false => report::run_text(&ended.report, out::style()),
    };
    out::result(&text)?;
    Ok(ended.exit)
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
        (None, false) => files::named_scenarios(&files::not_kept(&args.files))?,
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
        match files::scenario(path) {
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
        json: args.work.json,
    })
}
