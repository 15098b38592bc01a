//! Wrong scenarios, one kind of mistake each, and what is said about them: place, cause and remedy. The snapshots are the
//! messages as a user reads them; a new kind is a line of a table in `wrong/`, and its message is to be reviewed.

mod events;
mod processes;
mod sql;
mod steps;
mod top;
mod variants;
mod yaml;

use std::fmt::Write as _;
use std::fs;
use std::ops::RangeInclusive;

use lockstep_sim::scenario::{self, Problems};

use super::root;

/// What is wrong, a piece of the good scenario, and what stands there instead.
type Kind = (&'static str, &'static str, &'static str);

/// Kinds whose place is not where the text was changed, with a piece of the line that is named instead.
const ELSEWHERE: [(&str, &str); 6] = [
    ("a condition that decides nothing", "- if: "),
    ("no name", "version: 1"),
    ("a quote is never closed", "- effect: card"),
    ("a request that says nobody", "- request: boot"),
    ("no expectation", "fix:"),
    ("no version", "name: base"),
];

fn good() -> String {
    let path = root().join("tests/it/wrong/base.yaml");
    fs::read_to_string(path).expect("the good scenario")
}

/// Each kind with what is said about it. The first thing that is said stands in the lines that were changed.
fn told(kinds: &[Kind]) -> String {
    let good = good();
    let mut shown = String::new();
    for (what, from, to) in kinds {
        assert_eq!(
            good.matches(from).count(),
            1,
            "{what}: {from:?} is there once"
        );
        let text = good.replace(from, to);
        let problems = scenario::parse("x.yaml", &text)
            .err()
            .unwrap_or_else(|| panic!("{what}: it loads"));
        complete(what, &problems);
        let lines = lines(
            what,
            &text,
            (good.find(from).unwrap_or(0), to.trim_end().len()),
        );
        let line = problems.list[0].place.line as usize;
        assert!(
            lines.contains(&line),
            "{what}: line {line}, not {lines:?}:\n{problems}"
        );
        let _ = writeln!(shown, "== {what}\n{problems}");
    }
    shown
}

/// The lines that the first problem may name.
fn lines(what: &str, text: &str, (start, length): (usize, usize)) -> RangeInclusive<usize> {
    let line = |byte: usize| text[..byte].matches('\n').count() + 1;
    match ELSEWHERE.iter().find(|(kind, _)| *kind == what) {
        Some((_, piece)) => {
            let at = line(
                text.find(piece)
                    .unwrap_or_else(|| panic!("{what}: {piece:?}")),
            );
            at..=at
        }
        None => line(start)..=line(start + length),
    }
}

/// Every problem has a place, a cause and a remedy.
fn complete(what: &str, problems: &Problems) {
    for problem in &problems.list {
        let place = problem.place;
        assert!(place.line > 0 && place.column > 0, "{what}: {place:?}");
        assert!(!problem.message.is_empty(), "{what}");
        assert!(!problem.help.is_empty(), "{what}: {}", problem.message);
    }
}

fn check(area: &str, kinds: &[Kind]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/it/wrong/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(area, told(kinds)));
}

#[test]
fn the_good_scenario_loads() {
    scenario::parse("x.yaml", &good()).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn yaml_itself() {
    check("yaml", yaml::KINDS);
}

#[test]
fn the_top_of_the_file() {
    check("top", top::KINDS);
}

#[test]
fn processes_resources_locks_and_effects() {
    check("processes", processes::KINDS);
}

#[test]
fn steps() {
    check("steps", steps::KINDS);
}

#[test]
fn sql() {
    check("sql", sql::KINDS);
}

#[test]
fn events_and_faults() {
    check("events", events::KINDS);
}

#[test]
fn rules_and_variants() {
    check("variants", variants::KINDS);
}
