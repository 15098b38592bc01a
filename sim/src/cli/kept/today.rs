//! Whether a kept case can be replayed today, and what to do where it cannot.

use std::path::{Path, PathBuf};

use lockstep_sim::case::{CaseFile, Source};
use lockstep_sim::scenario::{Scenario, Variant, ablate, parse};

use super::super::failure::Failure;
use super::super::{files, out, subject};

/// The file that the case was found in, if it is still there.
pub(super) fn file(case: &CaseFile) -> Option<PathBuf> {
    match &case.scenario {
        Source::Scenario { file, .. } => Some(PathBuf::from(file)).filter(|file| file.is_file()),
        Source::World { .. } => None,
    }
}

/// Why the text of a kept case is none any more, and what to do.
pub(super) fn damaged(path: &Path, text: &str, why: String) -> Failure {
    let of_another_version = why.starts_with("case format");
    match subject::no_case(path, text, why) {
        Failure::Input { path, why } if !of_another_version => {
            let help = "it was cut off or edited: take it from where it was whole, keep it anew, or take it away";
            Failure::input(&path, format!("{why}\nhelp: {help}"))
        }
        other => other,
    }
}

/// Whether there is still what the case says something about.
///
/// # Errors
/// What is missing, what there is in its place, and what to do.
pub(super) fn check(path: &Path, case: &CaseFile, today: Option<&Path>) -> Result<(), Failure> {
    let Source::Scenario { file, text, .. } = &case.scenario else {
        return Ok(());
    };
    let (scenario, whose) = match today {
        Some(today) => (files::scenario(today), format!("{} today", today.display())),
        None => {
            let shown = path.display();
            out::talk(&format!(
                "{shown}: {file} is gone: replayed under its own text"
            ));
            (parse(file, text), "its own text".to_owned())
        }
    };
    let scenario = scenario.map_err(|problems| {
        let help = format!(
            "mend the scenario; if it is given up, take {} away",
            path.display()
        );
        let why =
            format!("says nothing, since {whose} is no sound scenario\n{problems}\nhelp: {help}");
        Failure::input(path, why)
    })?;
    let variant = variant(path, case, &scenario, &whose)?;
    invariant(path, case, variant, &whose)?;
    parts(path, case, &scenario, &whose)
}

fn variant<'s>(
    path: &Path,
    case: &CaseFile,
    scenario: &'s Scenario,
    whose: &str,
) -> Result<&'s Variant, Failure> {
    let variants = &scenario.variants;
    let found = variants.iter().find(|variant| variant.name == case.variant);
    found.ok_or_else(|| {
        let known: Vec<&str> = variants.iter().map(|variant| &*variant.name).collect();
        gone(path, whose, ("variant", &case.variant), &known, "variant")
    })
}

fn invariant(path: &Path, case: &CaseFile, variant: &Variant, whose: &str) -> Result<(), Failure> {
    let name = &case.violates.invariant;
    if variant.program.judged().any(|judged| judged == name) {
        return Ok(());
    }
    let rules = &variant.program.invariants;
    let known: Vec<&str> = rules.iter().map(|rule| &*rule.name).collect();
    let whose = format!("variant {} of {whose}", variant.name);
    Err(gone(
        path,
        &whose,
        ("invariant", name),
        &known,
        "violates.invariant",
    ))
}

/// Parts of the variant that the case is without must be there to be dropped.
fn parts(path: &Path, case: &CaseFile, scenario: &Scenario, whose: &str) -> Result<(), Failure> {
    if case.without.is_empty() {
        return Ok(());
    }
    let Scenario { file, text, .. } = scenario;
    let dropped = ablate::without(file, text, &case.variant, &case.without);
    dropped.map(|_| ()).map_err(|problems| {
        let parts = case.without.join(", ");
        let why = format!(
            "is about {} without {parts}, which {whose} cannot be\n{problems}",
            case.variant
        );
        Failure::input(path, format!("{why}\nhelp: keep it anew, or take it away"))
    })
}

fn gone(
    path: &Path,
    whose: &str,
    (what, name): (&str, &str),
    known: &[&str],
    key: &str,
) -> Failure {
    let known = known.join(", ");
    let help = format!(
        "where it has another name now, write that into the case, under `{key}`; where it is given up, take {} away",
        path.display()
    );
    Failure::input(
        path,
        format!("says nothing, since {whose} has no {what} {name:?}, but {known}\nhelp: {help}"),
    )
}
