//! `lockstep explain`: what a failing case needs, from where on nothing can save it, and the nearest run that passes.

use lockstep_sim::exit::Exit;
use lockstep_sim::explain::{self, Explained};
use lockstep_sim::report::{self, ExplainReport};
use lockstep_sim::scenario::Program;
use lockstep_store::verify;

use super::args::ReplayArgs;
use super::failure::Failure;
use super::subject::{self, Subject};
use super::{interrupt, out};

pub(crate) fn explain(args: &ReplayArgs) -> Result<Exit, Failure> {
    interrupt::install()?;
    let subject = subject::subject(args)?;
    let ran = subject.once()?;
    if let Some(words) = ran.internal {
        return Err(Failure::Internal(words));
    }
    let claim = subject.claim.as_ref().map(subject::target);
    let mut stage = subject.stage()?;
    let explained = explain::explain(
        &mut stage,
        &ran.decisions,
        claim.as_ref(),
        subject.program.as_ref(),
        &mut interrupt::requested,
    );
    let Some(explained) = explained.map_err(Failure::Internal)? else {
        let again = subject::again(args);
        let why = format!("nothing is violated, so there is nothing to explain; see {again}");
        return Err(Failure::usage(why));
    };
    let report = told(args, subject, explained);
    out::result(&match args.json {
        true => report::explain_json(&report).to_string(),
        false => report::explain_text(&report, out::style()),
    })?;
    match interrupt::requested() {
        true => Ok(Exit::Interrupted),
        false => Ok(Exit::AsExpected),
    }
}

fn told(args: &ReplayArgs, subject: Subject, explained: Explained) -> ExplainReport {
    ExplainReport {
        rule: rule(subject.program.as_ref(), &explained.target.invariant),
        title: subject.title,
        explained,
        steps: subject.program,
        replay: subject::again(args),
    }
}

/// Where an invariant stands, and its query.
fn rule(program: Option<&Program>, invariant: &str) -> (String, String) {
    let Some(program) = program else {
        let rule = verify::RULES.iter().find(|rule| rule.name == invariant);
        return rule.map_or_else(Default::default, |rule| {
            let query = format!("never: {}", rule.sql);
            ("the store's invariants".to_owned(), query)
        });
    };
    let rule = program
        .invariants
        .iter()
        .find(|rule| rule.name == invariant);
    rule.map_or_else(Default::default, |rule| (rule.place.clone(), rule.text()))
}
