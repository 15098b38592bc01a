//! Scenario files: an incident in YAML, read into programs that a run executes.
//!
//! The only room that knows YAML. A file is parsed into nodes that know their places, lowered once for each of its
//! variants, and every SQL text is prepared on a scratch database. All problems of a file are told at once, each with
//! its place, its cause and its remedy; no text makes it panic or hang.

pub mod ablate;
mod ddl;
mod duration;
mod extends;
mod fields;
mod files;
mod hints;
mod import;
mod lower;
mod names;
mod node;
mod patch;
mod platform;
mod problem;
pub mod program;
mod schema;
mod skeleton;
mod source;
mod sql;
mod sql_help;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod token;
mod yaml;
mod yaml_help;

use std::io::{self, Read};
use std::path::Path;

pub use problem::{Problem, Problems};
pub use program::{
    After, Builtin, Database, Does, ErrorClass, Event, Expect, Expr, Faults, Flow, Goal, Homed,
    Invariant, Lock, Loop, MIGRATION, Millis, Place, Process, Program, Provider, ROUNDS, RUN_ENDS,
    Redeliver, Resource, RuleKind, Scenario, Span, Sql, Step, StepKind, Target, Var, Variant,
    Version, bodies_mut, visit,
};
pub use schema::schema;
pub use skeleton::skeleton;
pub use sql::RECORDED_TABLES;
pub(crate) use sql::bound_memory;

use problem::Report;
use source::Source;

/// The largest file that is read. A scenario has some forty lines.
const LARGEST: usize = 256 * 1024;
/// The largest text of a scenario together with the files that it names.
const WHOLE: usize = 3 * LARGEST;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// Reads a scenario from a file, with the files that it names.
///
/// # Errors
///
/// All problems of the file: that it or a file that it names cannot be read, or everything in them that does not parse
/// or resolve.
pub fn load(path: &Path) -> Result<Scenario, Problems> {
    let file = shown(path);
    parse(&file, &whole_text(path)?)
}

/// Reads a scenario from what is no file, such as a pipe. `name` is its name in messages; files that it names are those of
/// the folder that the process is in.
///
/// # Errors
///
/// As [`load`].
pub fn load_from(name: &str, from: impl Read) -> Result<Scenario, Problems> {
    let text = files::read_all(from, LARGEST).map_err(|error| unreadable(name, &error))?;
    let whole = files::gather(Path::new(name), name, text, LARGEST)?;
    parse(name, &whole)
}

fn unreadable(file: &str, error: &io::Error) -> Problems {
    let help = "name a scenario, which is a text of some forty lines, that exists and can be read";
    Problems::unreadable(file, format!("cannot read this file: {error}"), help)
}

/// The text of a scenario's file, which brings the files that it names along under `files`: what `parse` reads
/// everywhere.
///
/// # Errors
///
/// What cannot be read, each file at the place that names it.
pub fn whole_text(path: &Path) -> Result<String, Problems> {
    let file = shown(path);
    let text = files::read(path, LARGEST).map_err(|error| unreadable(&file, &error))?;
    files::gather(path, &file, text, LARGEST)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Reads a scenario from text; files that it names stand in it under `files`. `file` is its name in messages.
///
/// # Errors
///
/// Everything in the text that does not parse or resolve.
pub fn parse(file: &str, text: &str) -> Result<Scenario, Problems> {
    parse_edited(file, text, &mut |_, _| {})
}

/// What changes the tree of a file before it is lowered.
type Edit<'e> = &'e mut dyn FnMut(&Report<'_>, &mut node::Node);

fn parse_edited(file: &str, text: &str, edit: Edit<'_>) -> Result<Scenario, Problems> {
    let file = file.replace('\\', "/");
    if text.len() > WHOLE {
        let message = format!("the text is larger than {WHOLE} bytes");
        return Err(Problems::unreadable(
            &file,
            message,
            "a scenario is one incident: split it",
        ));
    }
    // A byte order mark is not part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let own = Source::new(&file, text);
    let first = Report::new(&own);
    let Some(mut root) = read(&first) else {
        return Err(first.finish(&file, 0));
    };
    let mut source = Source::new(&file, text);
    let files = import::Files::of(&first, &root, &mut source, &file);
    let report = first.of(&source);
    // What is said about a tree with holes would mislead.
    if !import::link(&report, &files, &mut root) {
        return Err(report.finish(&file, 0));
    }
    platform::apply(&report, &mut root);
    extends::apply(&report, &mut root);
    edit(&report, &mut root);
    let (name, variants) = lower::scenario(&report, &root);
    let count = root.get("variants").map_or(0, |node| node.len());
    if !report.is_empty() {
        return Err(report.finish(&file, count));
    }
    hints::add(&report, &root);
    let text = text.to_owned();
    Ok(Scenario {
        name,
        file,
        text,
        variants,
        hints: report.hints(count),
    })
}

/// The tree of the scenario's own text, if it is sound enough to say more about it.
fn read(report: &Report<'_>) -> Option<node::Node> {
    if let Some(start) = report.source().file(0).long_line(LONGEST_LINE) {
        let help = "break the text into several lines; a block after `|` keeps them";
        let message = format!("this line is longer than {LONGEST_LINE} bytes");
        report.add(start, start + 1, message, help);
        return None;
    }
    let root = yaml::read(report, 0).filter(|root| check_root(report, root));
    if root.is_none() && report.is_empty() {
        let help = "a scenario begins with version: 1";
        report.add(0, 0, "the file is empty", help);
    }
    root
}

/// Every key and word of the language, under the key where it may stand: what the manual has to name.
pub fn words() -> Vec<(&'static str, Vec<&'static str>)> {
    lower::words::all()
}

/// What makes everything else that could be said mislead.
fn check_root(report: &Report<'_>, root: &node::Node) -> bool {
    if let Some(case) = root.get("lockstep_case") {
        let file = report.source().spot(case.start).file;
        let help = format!(
            "`lockstep replay {file}` runs it; the scenario that it was made from stands in it under `scenario`"
        );
        report.at(case, "this is a case, not a scenario", help);
        return false;
    }
    if root.entries().is_some() {
        return lower::check_version(report, root);
    }
    if !root.is_null() {
        let message = format!("a scenario is a mapping of keys, not {}", root.what());
        report.at(root, message, "begin with version: 1");
    }
    false
}
