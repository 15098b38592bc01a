//! `lockstep replay`: one case, run twice on two stages; the same trace, or the harness is broken.

use lockstep_sim::decide::Counts;
use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, ReplayReport, ReplayVerdict};
use lockstep_sim::run::Ran;
use lockstep_sim::shrink;

use super::args::ReplayArgs;
use super::failure::Failure;
use super::out;
use super::subject::{self, How, Subject};

pub(crate) fn replay(args: &ReplayArgs) -> Result<Exit, Failure> {
    let subject = subject::subject(args)?;
    let (first, second) = (subject.once()?, subject.once()?);
    if let Some(words) = first.internal.as_ref().or(second.internal.as_ref()) {
        return Err(Failure::Internal(words.clone()));
    }
    if first.hash != second.hash {
        out::talk(&report::two_traces(&first.trace, &second.trace));
        return Ok(Exit::TwoTraces);
    }
    let undecided = first.undecided.clone();
    let report = told(args, &subject, first);
    if report.verdict == ReplayVerdict::Fixed && !subject.judged {
        let missing = subject.claim.map_or(String::new(), |claim| claim.invariant);
        return Err(Failure::usage(format!(
            "{}: no invariant is named {missing}, so nothing says whether the case is fixed",
            report.title
        )));
    }
    let text = match args.json {
        true => report::replay_json(&report).to_string(),
        false => report::replay_text(&report, out::style()),
    };
    out::result(&text)?;
    if let Some(words) = undecided.filter(|_| report.violated.is_empty()) {
        out::talk(&format!("undecided: {words}"));
        return Ok(Exit::Undecided);
    }
    Ok(match report.verdict {
        ReplayVerdict::Violated => Exit::Unexpected,
        ReplayVerdict::Drifted => Exit::Undecided,
        ReplayVerdict::Fixed | ReplayVerdict::Holds => Exit::AsExpected,
    })
}

fn told(args: &ReplayArgs, subject: &Subject, ran: Ran) -> ReplayReport {
    let counts = match subject.how {
        How::Decisions(_) => ran.counts,
        How::Seed { .. } => Counts {
            used: ran.decisions.0.len(),
            ..Counts::default()
        },
    };
    let verdict = match (
        ran.violations.is_empty(),
        counts.blocked + counts.absent,
        &subject.claim,
    ) {
        (false, ..) => ReplayVerdict::Violated,
        (true, 1.., _) => ReplayVerdict::Drifted,
        (true, 0, Some(_)) => ReplayVerdict::Fixed,
        (true, 0, None) => ReplayVerdict::Holds,
    };
    ReplayReport {
        title: subject.title.clone(),
        verdict,
        violated: ran.violated(),
        violations: ran
            .violations
            .iter()
            .map(|violation| format!("{} {}", violation.invariant, violation.row))
            .collect(),
        digest: ran.hash,
        events: shrink::events(&ran.trace),
        counts,
        human: report::human(&ran.trace),
        stuck: ran.stuck,
        replay: subject::again(args),
    }
}
