//! What `--json` prints, and the header of a trace.

use serde_json::{Map, Value as Json, json};

use super::ablate::ablation_json;
use super::kept::kept_json;
use super::{
    CaseReport, CompareReport, ReplayReport, RunReport, SCHEMA_VERSION, SweepReport, VariantReport,
    expect_json,
};
use crate::search::{Orders, Uncaught, hex};
use crate::trace;

/// The object that `run --json` prints.
pub fn run_json(report: &RunReport) -> Json {
    let scenarios = report.scenarios.iter().map(|scenario| {
        json!({
            "name": scenario.name,
            "file": scenario.file,
            "variants": scenario.variants.iter().map(variant).collect::<Vec<_>>(),
        })
    });
    json!({
        "schema_version": SCHEMA_VERSION,
        "as_expected": report.as_expected,
        "digest": hex(report.digest),
        "kept": kept_json(&report.kept),
        "scenarios": scenarios.collect::<Vec<_>>(),
        "sweep": report.sweep.as_ref().map(sweep),
        "troubles": report.troubles,
        "interrupted": report.interrupted,
    })
}

/// The object that `compare --json` prints.
pub fn compare_json(report: &CompareReport) -> Json {
    let scenarios = report.run.scenarios.iter();
    let variants = scenarios.clone().flat_map(|scenario| &scenario.variants);
    let first = scenarios.clone().next();
    let columns = first.map_or_else(Vec::new, |scenario| report.columns(scenario));
    json!({
        "schema_version": SCHEMA_VERSION,
        "as_expected": report.run.as_expected,
        "digest": hex(report.run.digest),
        "name": first.map(|scenario| &scenario.name),
        "file": first.map(|scenario| &scenario.file),
        "seed": report.seed,
        "invariants": columns,
        "variants": variants.map(variant).collect::<Vec<_>>(),
        "ablations": report.ablations.iter().map(ablation_json).collect::<Vec<_>>(),
        "troubles": report.run.troubles,
        "interrupted": report.run.interrupted,
    })
}

fn variant(variant: &VariantReport) -> Json {
    let case = variant.cases.first();
    json!({
        "name": variant.name,
        "expect": expect_json(&variant.expect),
        "verdict": variant.verdict.name(),
        "violated": variant.violated,
        "first_runs": variant.firsts,
        "as_expected": variant.as_expected,
        "runs": variant.runs,
        "distinct": variant.distinct,
        "singles": {"tried": variant.singles_tried, "of": variant.singles},
        "exhausted": variant.exhausted.is_some_and(|exhausted| exhausted.complete),
        "exhaustion": variant.exhausted,
        "saturated": variant.saturated,
        "cut": variant.cut,
        "runs_to_find": variant.runs_to_find,
        "events_shrunk": case.map(|case| case.events),
        "deviations_shrunk": case.map(|case| case.deviations),
        "case": case.map(|case| &case.path),
        "replay": case.map(|case| &case.replay),
        "cases": variant.cases.iter().map(case_json).collect::<Vec<_>>(),
        "covers": variant.coverage(),
        "faults": by_name(&variant.faults),
        "uncaught": uncaught(&variant.uncaught),
    })
}

fn uncaught(uncaught: &Uncaught) -> Json {
    let errors = uncaught.errors();
    let errors = errors.iter().map(|error| {
        json!({ "flow": error.flow, "place": error.place, "error": error.words, "runs": error.runs })
    });
    json!({
        "runs": uncaught.runs,
        "errors": errors.collect::<Vec<_>>(),
        "never_well": uncaught.hopeless().keys().collect::<Vec<_>>(),
    })
}

pub(super) fn case_json(case: &CaseReport) -> Json {
    json!({
        "invariant": case.invariant,
        "key": case.key,
        "seed": case.seed,
        "events": case.events,
        "deviations": case.deviations,
        "case": case.path,
        "replay": case.replay,
    })
}

fn by_name(faults: &[(&str, u64)]) -> Map<String, Json> {
    let faults = faults.iter();
    faults
        .map(|(name, runs)| ((*name).to_owned(), json!(runs)))
        .collect()
}

fn sweep(sweep: &SweepReport) -> Json {
    json!({
        "runs": sweep.runs,
        "statements": sweep.statements,
        "violations": sweep.violations,
        "undecided": sweep.undecided,
        "faults": by_name(&sweep.faults),
        "goals": sweep.goals,
        "adequacy": adequacy(sweep),
        "seconds": (sweep.seconds * 1000.0).round() / 1000.0,
        "vacuous": sweep.vacuous,
        "cut": sweep.cut,
        "cases": sweep.cases.iter().map(case_json).collect::<Vec<_>>(),
    })
}

fn adequacy(sweep: &SweepReport) -> Json {
    let adequacy = &sweep.adequacy;
    let orders = |orders: &Orders| {
        json!({
            "distinct": orders.distinct(),
            "next_is_new": orders.next_is_new(sweep.runs),
        })
    };
    json!({
        "sites": adequacy.sites,
        "roles": adequacy.roles,
        "rare": sweep.rare(),
        "pairs": orders(&adequacy.pairs),
        "whole_runs": orders(&adequacy.whole_runs),
    })
}

/// The object that `replay --json` prints.
pub fn replay_json(report: &ReplayReport) -> Json {
    json!({
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict.name(),
        "violated": report.violated,
        "digest": hex(report.digest),
        "events": report.events,
        "deviations": {
            "used": report.counts.used,
            "blocked": report.counts.blocked,
            "absent": report.counts.absent,
        },
    })
}

/// First line of a trace file.
pub fn trace_header(scenario: &str, variant: &str, seed: u64, run: u64, hash: u128) -> Json {
    json!({
        "lockstep_trace": trace::FORMAT,
        "lockstep": env!("CARGO_PKG_VERSION"),
        "scenario": scenario,
        "variant": variant,
        "seed": seed,
        "run": run,
        "hash": hex(hash),
    })
}
