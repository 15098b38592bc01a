//! Scenario files: an incident in YAML, read into programs that a run executes.
//!
//! The only room that knows YAML. A file is parsed into nodes that know their places, lowered once for each of its
//! variants, and every SQL text is prepared on a scratch database. All problems of a file are told at once, each with
//! its place, its cause and its remedy; no text makes it panic or hang.

pub mod ablate;
mod duration;
mod fields;
mod lower;
mod names;
mod node;
mod patch;
mod problem;
pub mod program;
mod source;
mod sql;
mod sql_help;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod token;
mod yaml;
mod yaml_help;

use std::fs;
use std::io::Read;
use std::path::Path;

pub use problem::{Problem, Problems};
pub use program::{
    After, Builtin, ErrorClass, Event, Expect, Expr, Faults, Flow, Goal, Invariant, Lock, Millis,
    Place, Process, Program, Redeliver, Resource, RuleKind, Scenario, Span, Sql, Step, StepKind,
    Target, Var, Variant,
};
pub use sql::RECORDED_TABLES;

use problem::Report;
use source::Source;

/// The largest file that is read. A scenario has some forty lines.
const LARGEST: usize = 256 * 1024;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// Reads a scenario from a file.
///
/// # Errors
///
/// All problems of the file: that it cannot be read, or everything in it that does not parse or resolve.
pub fn load(path: &Path) -> Result<Scenario, Problems> {
    let file = path.to_string_lossy().replace('\\', "/");
    let bytes = read(path).map_err(|error| {
        let help = "name a file that exists and can be read";
        Problems::unreadable(&file, format!("cannot read this file: {error}"), help)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => parse(&file, &text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let message =
                format!("the file is not UTF-8 text: byte {valid} belongs to no character");
            Err(Problems::unreadable(&file, message, "save it as UTF-8"))
        }
    }
}

/// All of a file, or a little more than may be parsed: an endless one is not read to its end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(4);
    fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST {
        // Cut between characters, so that the size is what the caller hears about.
        let cut = String::from_utf8_lossy(&bytes).into_owned();
        return Ok(cut.into_bytes());
    }
    Ok(bytes)
}

/// Reads a scenario from text. `file` is its name in messages.
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
    if text.len() > LARGEST {
        let message = format!("the file is larger than {LARGEST} bytes");
        return Err(Problems::unreadable(
            &file,
            message,
            "a scenario is one incident: split it",
        ));
    }
    // A byte order mark is not part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source::new(text);
    let report = Report::new(&source);
    if let Some(start) = source.long_line(LONGEST_LINE) {
        let help = "break the text into several lines; a block after `|` keeps them";
        report.add(
            start,
            start + 1,
            format!("this line is longer than {LONGEST_LINE} bytes"),
            help,
        );
        return Err(report.finish(&file, 0));
    }
    let Some(mut root) = yaml::read(&report).filter(|root| check_root(&report, root)) else {
        if report.is_empty() {
            report.add(
                0,
                0,
                "the file is empty",
                "a scenario begins with version: 1",
            );
        }
        return Err(report.finish(&file, 0));
    };
    edit(&report, &mut root);
    let (name, variants) = lower::scenario(&report, &root);
    if !report.is_empty() {
        let count = root.get("variants").map_or(0, |node| node.len());
        return Err(report.finish(&file, count));
    }
    let text = text.to_owned();
    Ok(Scenario {
        name,
        file,
        text,
        variants,
    })
}

/// Every key and word of the language, under the key where it may stand: what the manual has to name.
pub fn words() -> Vec<(&'static str, Vec<&'static str>)> {
    lower::words::all()
}

fn check_root(report: &Report<'_>, root: &node::Node) -> bool {
    if root.entries().is_some() {
        return true;
    }
    if !root.is_null() {
        let message = format!("a scenario is a mapping of keys, not {}", root.what());
        report.at(root, message, "begin with version: 1");
    }
    false
}
