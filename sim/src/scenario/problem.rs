//! What is wrong with a scenario file: every problem at once, each with its place, its cause and its remedy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use super::node::Node;
use super::program::Place;
use super::source::Source;

/// More problems than this help nobody; the rest is counted.
const SHOWN: usize = 100;

/// One thing that is wrong with a scenario file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file in which it stands: the scenario, or one that it names.
    pub file: String,
    /// Where the offending text starts.
    pub place: Place,
    /// The offending text as it stands in the file, cut at the end of its line.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What is known instead, or what to do.
    pub help: String,
    /// The line of the file, for the caret; empty when the file could not be read.
    pub line: String,
}

/// Everything that is wrong with one scenario, in the order of its text; what is wrong with a file that it names comes
/// after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file as it was named by the caller, with forward slashes.
    pub file: String,
    /// The problems; never empty.
    pub list: Vec<Problem>,
}

impl Problems {
    /// A file that could not even be read.
    pub(super) fn unreadable(file: &str, message: String, help: &str) -> Self {
        let problem = Problem {
            file: file.to_owned(),
            place: Place { line: 1, column: 1 },
            text: String::new(),
            message,
            help: help.to_owned(),
            line: String::new(),
        };
        Self {
            file: file.to_owned(),
            list: vec![problem],
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().take(SHOWN).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        let rest = self.list.len().saturating_sub(SHOWN);
        if rest > 0 {
            writeln!(f, "\n{}: and {rest} more problems", printable(&self.file))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        let file = printable(&self.file);
        writeln!(f, "{file}:{line}:{column}: {}", printable(&self.message))?;
        if !self.line.is_empty() {
            self.show_line(f)?;
        }
        if !self.help.is_empty() {
            writeln!(f, "help: {}", printable(&self.help))?;
        }
        Ok(())
    }
}

impl Problem {
    /// The source line with a caret under the offending text. Of a very long line only the neighbourhood is shown.
    fn show_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BEFORE: usize = 80;
        const WIDTH: usize = 160;
        let column = usize::try_from(self.place.column).unwrap_or(1).max(1) - 1;
        let first = column.saturating_sub(BEFORE);
        let shown: String = self.line.chars().skip(first).take(WIDTH).collect();
        let carets = self.text.chars().count().clamp(1, WIDTH - BEFORE);
        let number = self.place.line.to_string();
        // A tab stays a tab under the line, so that the caret stands where the eye looks.
        let indent = shown.chars().take(column - first);
        let indent: String = indent.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "  {number} | {}", printable(&shown))?;
        writeln!(
            f,
            "  {:width$} | {indent}{}",
            "",
            "^".repeat(carets),
            width = number.len()
        )
    }
}

/// Text of a stranger's file goes to a terminal: control characters are replaced.
fn printable(text: &str) -> String {
    let clean = |c: char| {
        if c.is_control() && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(clean).collect()
}

/// Collects problems while a file is read. Shared by reference, because every room adds to it.
pub(super) struct Report<'a> {
    source: &'a Source,
    /// Variant being lowered. A problem of the base is met once for each variant, and told once.
    variant: RefCell<Option<String>>,
    found: RefCell<Vec<Found>>,
    /// What is no problem, but worth a word.
    hints: RefCell<Vec<Found>>,
}

struct Found {
    variant: Option<String>,
    start: usize,
    problem: Problem,
}

impl<'a> Report<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self {
            source,
            variant: RefCell::new(None),
            found: RefCell::new(Vec::new()),
            hints: RefCell::new(Vec::new()),
        }
    }

    /// The same problems over a source that begins with the same text.
    pub(super) fn of(self, source: &Source) -> Report<'_> {
        Report {
            source,
            variant: self.variant,
            found: self.found,
            hints: self.hints,
        }
    }

    pub(super) fn source(&self) -> &'a Source {
        self.source
    }

    /// From now on problems belong to this variant, or to the whole file.
    pub(super) fn enter(&self, variant: Option<&str>) {
        *self.variant.borrow_mut() = variant.map(str::to_owned);
    }

    /// Adds a problem about the bytes `start..end` of the file.
    pub(super) fn add(
        &self,
        start: usize,
        end: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let found = self.found(start, end, message.into(), help.into());
        self.found.borrow_mut().push(found);
    }

    /// Adds what is no problem about a node.
    pub(super) fn hint(&self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        let message = format!("hint: {}", message.into());
        let found = self.found(node.start, node.end, message, help.into());
        self.hints.borrow_mut().push(found);
    }

    fn found(&self, start: usize, end: usize, message: String, help: String) -> Found {
        let spot = self.source.spot(start);
        let problem = Problem {
            file: spot.file.to_owned(),
            place: spot.place,
            text: self.source.on_one_line(start, end).to_owned(),
            message,
            help,
            line: spot.line.to_owned(),
        };
        Found {
            variant: self.variant.borrow().clone(),
            start,
            problem,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of problems so far.
    pub(super) fn len(&self) -> usize {
        self.found.borrow().len()
    }

    /// All problems, file by file. One that was met in some variants but not in all of them says in which.
    pub(super) fn finish(self, file: &str, variants: usize) -> Problems {
        Problems {
            file: file.to_owned(),
            list: told(self.found.into_inner(), variants),
        }
    }

    /// All hints, in the same way.
    pub(super) fn hints(self, variants: usize) -> Vec<Problem> {
        told(self.hints.into_inner(), variants)
    }
}

fn told(all: Vec<Found>, variants: usize) -> Vec<Problem> {
    let mut groups: BTreeMap<(usize, String), (Vec<String>, Problem)> = BTreeMap::new();
    for found in all {
        let key = (found.start, found.problem.message.clone());
        let (names, _) = groups.entry(key).or_insert((Vec::new(), found.problem));
        names.extend(found.variant.filter(|name| !names.contains(name)));
    }
    let told = groups.into_values().map(|(names, mut problem)| {
        if !names.is_empty() && names.len() < variants {
            let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let word = if list.len() == 1 {
                "variant"
            } else {
                "variants"
            };
            problem.message = format!("{} ({word} {})", problem.message, list.join(", "));
        }
        problem
    });
    told.collect()
}
