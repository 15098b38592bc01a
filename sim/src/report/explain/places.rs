//! Where to look: the steps behind what the invariant looks at, and behind the decisions that it takes, with file and line.

use std::collections::{BTreeMap, BTreeSet};

use super::ExplainReport;
use super::rows::Seen;
use super::story::Story;
use crate::scenario::{Does, Program, Step, StepKind, visit};
use crate::trace::{Arg, Event, Kind};

/// A line for each step, in the order of the file: its place, its name, and who was there, at which sentence. A step that cannot be
/// told from others of the same name has all their places.
pub(super) fn lines(report: &ExplainReport, seen: &[Seen<'_>], story: &Story<'_>) -> Vec<String> {
    let Some(program) = &report.steps else {
        return Vec::new();
    };
    let mut found: BTreeMap<Vec<(String, u32, String)>, Vec<String>> = BTreeMap::new();
    for told in story.told() {
        let Some((cause, step)) = step_of(told, report, seen) else {
            continue;
        };
        let at = story.number(told.n);
        let who = at.map_or(cause.to_owned(), |at| format!("{cause} at {at}"));
        let places = places(program, cause, &step).into_iter().collect();
        let known = found.entry(places).or_default();
        if !known.contains(&who) {
            known.push(who);
        }
    }
    let lines = found.iter().filter_map(|(places, who)| line(places, who));
    lines.take(MOST).collect()
}

fn line(places: &[(String, u32, String)], who: &[String]) -> Option<String> {
    let (file, first, name) = places.first()?;
    let mut place = format!("{file}:{first}");
    for (other, line, _) in &places[1..] {
        place += " or ";
        if other != file {
            place += other;
            place += ":";
        }
        place += &line.to_string();
    }
    let more = if who.len() > FEW { ", …" } else { "" };
    let who = who[..who.len().min(FEW)].join(", ");
    Some(format!("{place}  {name}   ({who}{more})"))
}

/// A step as it is told from others.
enum Is<'a> {
    Site(&'a str),
    Effect(&'a str),
}

/// Who took which step there, if it matters: it did what the invariant looks at, or somebody of those read, or was interrupted or
/// struck there.
fn step_of<'a>(
    event: &'a Event,
    report: &'a ExplainReport,
    seen: &[Seen<'a>],
) -> Option<(&'a str, Is<'a>)> {
    let cause = event.cause.as_str();
    let end = event.end.unwrap_or(u64::MAX);
    let mut seen = seen.iter();
    match (event.kind, &event.arg) {
        (Kind::Sql, Arg::Bound(site, _)) => {
            let is_it =
                |it: &Seen<'_>| matches!(it, Seen::Row(_)) && (event.n..=end).contains(&it.n());
            let wrote = seen.any(|it| is_it(it) && it.cause() == cause);
            wrote.then_some((cause, Is::Site(site.as_str())))
        }
        (Kind::Read, Arg::Bound(site, _)) => {
            let did = seen.any(|it| it.cause() == cause && it.n() > event.n);
            did.then_some((cause, Is::Site(site.as_str())))
        }
        (Kind::Effect, _) => seen.find_map(|it| match it {
            Seen::Effect(effect)
                if effect.n == event.n
                    || (effect.cause == event.cause && (event.n..=end).contains(&effect.n)) =>
            {
                Some((cause, Is::Effect(&effect.deed.name)))
            }
            _ => None,
        }),
        (Kind::Switch | Kind::Fault, _) => {
            let tried = report.explained.decisions.iter();
            let mut needed = tried.filter(|tried| tried.needed && tried.point.cause == cause);
            let words = super::words::began(event);
            needed
                .find(|tried| words.contains(&*tried.point.site))
                .map(|tried| (cause, Is::Site(tried.point.site.as_str())))
        }
        _ => None,
    }
}

/// Where the step stands: among those that this cause can come to.
fn places(program: &Program, cause: &str, is: &Is<'_>) -> BTreeSet<(String, u32, String)> {
    let mut found = BTreeSet::new();
    let flows = flows_of(program, cause);
    for version in &program.versions {
        let flows = flows.iter().filter_map(|flow| version.flows.get(*flow));
        for flow in flows {
            visit(&flow.steps, &mut |step| {
                if is_it(step, is) && !step.file.is_empty() {
                    let name = step.site.as_str().to_owned();
                    found.insert((step.file.to_string(), step.at.line, name));
                }
            });
        }
    }
    found
}

fn is_it(step: &Step, is: &Is<'_>) -> bool {
    match (is, &step.kind) {
        (Is::Site(site), _) => step.site.as_str() == *site,
        (Is::Effect(name), StepKind::Effect { name: of, .. }) => of == name,
        (Is::Effect(_), _) => false,
    }
}

/// Flows that a cause can come to: that of its event or of its process, and all that they call.
fn flows_of(program: &Program, cause: &str) -> BTreeSet<usize> {
    let end = cause.find(['/', '#']).unwrap_or(cause.len());
    let own = program
        .events
        .iter()
        .find(|event| event.label == cause[..end]);
    let mut open = match own.map(|event| &event.does) {
        Some(Does::Send { flow, .. }) => vec![*flow],
        _ => of_processes(program),
    };
    let mut found = BTreeSet::new();
    while let Some(flow) = open.pop() {
        if found.insert(flow) {
            let versions = program.versions.iter();
            let versions = versions.filter_map(|version| version.flows.get(flow));
            versions.for_each(|flow| visit(&flow.steps, &mut |step| open.extend(called(step))));
        }
    }
    found
}

/// What processes run by themselves.
fn of_processes(program: &Program) -> Vec<usize> {
    let of = |process: &crate::scenario::Process| {
        let looped = process.looped.map(|it| it.flow);
        [process.start, process.stop, looped]
    };
    program.processes.iter().flat_map(of).flatten().collect()
}

fn called(step: &Step) -> Option<usize> {
    match step.kind {
        StepKind::Call { flow, .. }
        | StepKind::Spawn { flow, .. }
        | StepKind::Request { flow, .. } => Some(flow),
        _ => None,
    }
}

/// Steps that are shown, and of each so many who were there.
const MOST: usize = 10;
const FEW: usize = 4;
