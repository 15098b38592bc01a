//! `lockstep compare`: every variant of one scenario, searched to the end of its budget; on demand each fix taken apart.

use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, CompareReport};
use lockstep_sim::scenario::Scenario;

use super::ablate::{self, Table};
use super::args::CompareArgs;
use super::failure::Failure;
use super::settings::Settings;
use super::work::{Searches, Work};
use super::{files, interrupt, out};

pub(crate) fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let settings = Settings::of_compare(args)?;
    let (file, ablate) = args.what()?;
    let scenario =
        files::scenario(&file).map_err(|problems| Failure::usage(problems.to_string()))?;
    interrupt::install()?;
    let made = files::prepare(&args.work.out)?;
    work(args, &settings, scenario, ablate.as_ref()).inspect_err(|_| files::withdraw(&made))
}

fn work(
    args: &CompareArgs,
    settings: &Settings,
    scenario: Scenario,
    ablate: Option<&Option<String>>,
) -> Result<Exit, Failure> {
    let fixes = match ablate {
        Some(named) => ablate::wanted(&scenario, named.as_deref())?,
        None => Vec::new(),
    };
    let mut work = Work::new(&args.work, settings.jobs)?;
    work.search(&Searches {
        scenarios: std::slice::from_ref(&scenario),
        seeds: settings.searches.clone(),
        whole: true,
        exhaustive: args.work.exhaustive,
    })?;
    let mut ablations = Vec::new();
    for variant in fixes {
        let mut table = Table {
            work: &mut work,
            scenario: &scenario,
            variant,
            seed: settings.searches.start,
            exhaustive: args.work.exhaustive,
        };
        ablations.push(table.ablate()?);
    }
    let ended = work.end();
    let report = CompareReport {
        invariants: invariants(&scenario),
        seed: settings.searches.start,
        run: ended.report,
        ablations,
    };
    let text = match args.work.json {
        true => report::compare_json(&report).to_string(),
        false => report::compare_text(&report, out::style()),
    };
    out::result(&text)?;
    Ok(ended.exit)
}

/// Names of the invariants, in file order: all variants have the same ones.
fn invariants(scenario: &Scenario) -> Vec<String> {
    let rules = scenario
        .variants
        .iter()
        .flat_map(|variant| &variant.program.invariants);
    let mut names: Vec<String> = Vec::new();
    for rule in rules {
        if !names.contains(&rule.name) {
            names.push(rule.name.clone());
        }
    }
    names
}
