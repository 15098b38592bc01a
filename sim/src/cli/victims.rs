//! `lockstep victims`: which rows of a database in production have been hit, as queries that change nothing.

use std::path::Path;

use lockstep_sim::check::Reads;
use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, Query, VictimsReport};
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{Expect, RuleKind, Scenario, Variant};

use super::args::VictimsArgs;
use super::failure::Failure;
use super::workshop::world_of;
use super::{files, out};

pub(crate) fn victims(args: &VictimsArgs) -> Result<Exit, Failure> {
    let scenario =
        files::scenario(&args.file).map_err(|problems| Failure::usage(problems.to_string()))?;
    // A variant on the reference store has other tables; its own database is judged by `verify`.
    let own = scenario.variants.iter().find(|found| !found.program.store);
    let Some(variant) = own.or(scenario.variants.first()) else {
        return Err(Failure::input(&args.file, "has no variant"));
    };
    let stage = Stage::new(world_of(variant)).map_err(|why| failed(&args.file, why))?;
    let report = report_of(&scenario, variant, &stage.reads(), args.all);
    if report.queries.is_empty() {
        let mut why = "no invariant of it is a query for a database".to_owned();
        for (invariant, reason) in &report.left_out {
            why += &format!("\n  {invariant}: {reason}");
        }
        return Err(Failure::input(&args.file, why));
    }
    out::result(&report::victims_sql(&report))?;
    Ok(Exit::AsExpected)
}

fn failed(file: &Path, why: String) -> Failure {
    Failure::input(file, why)
}

fn report_of(scenario: &Scenario, variant: &Variant, reads: &[Reads], all: bool) -> VictimsReport {
    let (mut queries, mut left_out) = (Vec::new(), Vec::new());
    for rule in &variant.program.invariants {
        let violated_by = violated_by(scenario, &rule.name);
        let looks = reads.iter().find(|reads| reads.invariant == rule.name);
        match looks {
            _ if rule.kind == RuleKind::ResourceHome => {
                left_out.push((rule.name.clone(), "watches what lives outside the database"));
            }
            None => left_out.push((rule.name.clone(), "fits a later schema")),
            Some(looks) if looks.recorded || looks.tables.is_empty() => {
                left_out.push((
                    rule.name.clone(),
                    "looks at what happened, which no table keeps",
                ));
            }
            Some(_) if violated_by.is_empty() && !all => {
                left_out.push((rule.name.clone(), "violated by no variant; --all shows it"));
            }
            Some(looks) => queries.push(Query {
                invariant: rule.name.clone(),
                place: rule.place.clone(),
                violated_by,
                key: rule.per.clone(),
                kind: rule.kind,
                tables: looks.tables.clone(),
                sql: rule.sql.clone(),
            }),
        }
    }
    VictimsReport {
        scenario: (scenario.name.clone(), scenario.file.clone()),
        target: variant.program.target,
        queries,
        left_out,
    }
}

/// Variants that are expected to violate an invariant: `run` says whether they do.
fn violated_by(scenario: &Scenario, invariant: &str) -> Vec<String> {
    let violates = |variant: &&Variant| matches!(&variant.expect, Expect::Violates(names) if names.iter().any(|name| name == invariant));
    let variants = scenario.variants.iter().filter(violates);
    variants.map(|variant| variant.name.clone()).collect()
}
