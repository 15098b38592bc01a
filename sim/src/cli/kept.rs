//! Cases that were kept: `run` replays them first, each under the text of today.

mod today;

use std::path::{Path, PathBuf};

use lockstep_sim::case::CaseFile;
use lockstep_sim::exit::Exit;
use lockstep_sim::report::KeptReport;
use lockstep_sim::scenario::Expect;
use lockstep_sim::search::{Broken, Kept, retry};

use super::failure::Failure;
use super::subject::{self, How, Subject};
use super::{files, interrupt};

/// What has become of each, and what that means for the exit code. What is wrong with cases is told of all of them.
pub(crate) fn replay_all(paths: &[PathBuf]) -> Result<(Vec<KeptReport>, Exit), Failure> {
    let (mut reports, mut exit, mut wrong) = (Vec::new(), Exit::AsExpected, Vec::new());
    for path in paths {
        let report = match one(path) {
            Ok(report) => report,
            Err(failure @ Failure::Internal(_)) => return Err(failure),
            Err(failure) => {
                wrong.push(failure.to_string());
                continue;
            }
        };
        // What was interrupted has not been looked for to its end.
        if interrupt::requested() {
            break;
        }
        exit = exit.and(match (report.as_expected, report.kept) {
            (true, _) => Exit::AsExpected,
            (false, Kept::Drifted { .. }) => Exit::Undecided,
            (false, _) => Exit::Unexpected,
        });
        reports.push(report);
    }
    match wrong.is_empty() {
        true => Ok((reports, exit)),
        false => Err(Failure::usage(wrong.join("\n"))),
    }
}

fn one(path: &Path) -> Result<KeptReport, Failure> {
    let text = files::read_text(path)?;
    let case = CaseFile::parse(&text).map_err(|why| today::damaged(path, &text, why))?;
    let today = today::file(&case);
    today::check(path, &case, today.as_deref())?;
    let subject = subject::of_case(path, today.as_deref(), None)?;
    let How::Decisions(decisions) = &subject.how else {
        return Err(Failure::input(path, "holds no decisions"));
    };
    let target = subject::target(&case.violates);
    let mut stage = subject.stage()?;
    let kept = retry(&mut stage, decisions, &target, &mut interrupt::requested);
    let kept = kept.map_err(|broken| match broken {
        Broken::Internal(words) => Failure::Internal(format!("{}: {words}", path.display())),
        Broken::Endless(words) => Failure::input(path, words),
    })?;
    Ok(KeptReport {
        file: path.to_string_lossy().into_owned(),
        as_expected: is_expected(&subject, &target.invariant, kept),
        kept,
        violates: (target.invariant, target.key),
        replay: replayed_by(path, today.as_deref()),
    })
}

pub(crate) fn read(path: &Path) -> Result<CaseFile, Failure> {
    let text = files::read_text(path)?;
    CaseFile::parse(&text).map_err(|why| subject::no_case(path, &text, why))
}

/// A variant that is expected to violate the invariant still fails; everything else is fixed.
fn is_expected(subject: &Subject, invariant: &str, kept: Kept) -> bool {
    let fails = match &subject.expect {
        Some(Expect::Violates(names)) => names.iter().any(|name| name == invariant),
        _ => false,
    };
    match kept {
        Kept::StillFails | Kept::FailsNearby { .. } => fails,
        Kept::Fixed => !fails,
        Kept::Drifted { .. } => false,
    }
}

fn replayed_by(path: &Path, today: Option<&Path>) -> String {
    let shown = path.to_string_lossy();
    let today = today.map(Path::to_string_lossy);
    let mut words = vec!["replay", &*shown];
    words.extend(today.iter().flat_map(|file| ["--scenario", file]));
    files::command(&words)
}
