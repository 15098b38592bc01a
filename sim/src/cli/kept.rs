//! Cases that were kept: `run` replays them first, each under the text of today.

use std::path::{Path, PathBuf};

use lockstep_sim::case::{CaseFile, Source};
use lockstep_sim::exit::Exit;
use lockstep_sim::report::KeptReport;
use lockstep_sim::scenario::Expect;
use lockstep_sim::search::{Kept, retry};

use super::failure::Failure;
use super::subject::{self, How, Subject};
use super::{files, interrupt};

/// What has become of each, and what that means for the exit code.
pub(crate) fn replay_all(paths: &[PathBuf]) -> Result<(Vec<KeptReport>, Exit), Failure> {
    let (mut reports, mut exit) = (Vec::new(), Exit::AsExpected);
    for path in paths {
        let report = one(path)?;
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
    Ok((reports, exit))
}

fn one(path: &Path) -> Result<KeptReport, Failure> {
    let case = read(path)?;
    let today = today(&case);
    let subject = subject::of_case(path, today.as_deref(), None)?;
    let How::Decisions(decisions) = &subject.how else {
        return Err(Failure::input(path, "holds no decisions"));
    };
    if !subject.judged {
        let why = format!("today no invariant is named {}", case.violates.invariant);
        return Err(Failure::input(
            path,
            format!("{why}: keep it anew or take it away"),
        ));
    }
    let target = subject::target(&case.violates);
    // A rule that does not come to an end is the scenario's fault, and is told as such here.
    subject.once()?;
    let mut stage = subject.stage()?;
    let kept = retry(&mut stage, decisions, &target, &mut interrupt::requested);
    let kept = kept.map_err(|words| Failure::Internal(format!("{}: {words}", path.display())))?;
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

/// The file that the case was found in, if it is still there.
fn today(case: &CaseFile) -> Option<PathBuf> {
    match &case.scenario {
        Source::Scenario { file, .. } => Some(PathBuf::from(file)).filter(|file| file.is_file()),
        Source::World { .. } => None,
    }
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
