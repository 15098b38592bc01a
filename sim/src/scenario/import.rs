//! What a scenario takes from other files: sections of imported ones, and SQL in the place of `{ file, name }`. After
//! this there is one tree, whose nodes still know the file that they came from.

use std::collections::BTreeMap;

use super::files;
use super::names;
use super::node::{Entry, Kind, Node};
use super::problem::Report;
use super::source::{Source, Style};
use super::token;
use super::yaml;

/// Key of the texts that a scenario brings along.
pub(super) const FILES: &str = "files";
/// Key of the files whose sections are taken.
pub(super) const IMPORT: &str = "import";
/// Sections that can be imported.
pub(super) const SECTIONS: [&str; 8] = [
    "platforms",
    "processes",
    "resources",
    "locks",
    "effects",
    "flows",
    "invariants",
    "goals",
];
/// Keys of SQL that stands in a file of its own.
pub(super) const SQL_FILE: [&str; 2] = ["file", "name"];
/// Keys under which SQL stands; besides, each goal is SQL.
pub(super) const SQL: [&str; 7] = [
    "schema", "read", "sql", "each", "never", "history", "finally",
];
/// Files that import each other in a row.
const DEEPEST: usize = 16;
/// The line before a block of an SQL file begins so.
const MARK: &str = "name:";

/// Every place that names a file, and whether it is an import.
pub(super) fn names(root: &mut Node) -> Vec<(Node, bool)> {
    let import = root.get(IMPORT);
    let items = import.map_or(&[][..], |node| {
        node.list().unwrap_or(std::slice::from_ref(node))
    });
    let mut found: Vec<(Node, bool)> = items.iter().map(|item| (item.clone(), true)).collect();
    each_sql(root, &mut |node| {
        found.extend(node.get("file").map(|file| (file.clone(), false)));
    });
    found
}

/// Visits each mapping that stands where SQL is wanted.
fn each_sql(root: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    let Kind::Map { entries, .. } = &mut root.kind else {
        return;
    };
    for entry in entries {
        if entry.name() == "goals" {
            each_value(&mut entry.value, visit);
        }
        below(entry, visit);
    }
}

fn each_value(node: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| each_value(item, visit)),
        Kind::Map { entries, .. } => entries
            .iter_mut()
            .for_each(|entry| sql(&mut entry.value, visit)),
        Kind::Scalar { .. } => {}
    }
}

fn sql(node: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    if node.get("file").is_some() {
        visit(node);
    }
}

fn below(entry: &mut Entry, visit: &mut dyn FnMut(&mut Node)) {
    // What `source` holds is not interpreted.
    if entry.name() == "source" || entry.name() == FILES {
        return;
    }
    if SQL.contains(&entry.name()) {
        sql(&mut entry.value, visit);
    }
    inside(&mut entry.value, visit);
}

fn inside(node: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| inside(item, visit)),
        Kind::Map { entries, .. } => entries.iter_mut().for_each(|entry| below(entry, visit)),
        Kind::Scalar { .. } => {}
    }
}

/// The files that a text brings along, by their paths from the scenario's folder.
pub(super) struct Files {
    /// The name under which the scenario was read.
    scenario: String,
    numbers: BTreeMap<String, usize>,
}

impl Files {
    /// Adds the texts under `files` of the root to the source.
    pub(super) fn of(report: &Report<'_>, root: &Node, source: &mut Source, file: &str) -> Self {
        let mut numbers = BTreeMap::new();
        let entries = root
            .get(FILES)
            .map_or(&[][..], |node| report.mapping(node, "`files`"));
        for entry in entries {
            if let Some(text) = entry.value.scalar() {
                let number = source.add(&files::shown(file, entry.name()), text);
                numbers.insert(entry.name().to_owned(), number);
            } else {
                let message = format!("the text of a file, not {}", entry.value.what());
                report.at(&entry.value, message, "write the text after `|`");
            }
        }
        Self {
            scenario: file.to_owned(),
            numbers,
        }
    }

    fn number(&self, report: &Report<'_>, writer: &str, node: &Node) -> Option<(String, usize)> {
        let path = report.text(node, "the name of a file")?;
        let name = match files::resolve(&self.scenario, writer, path) {
            Ok(name) => name,
            Err((message, help)) => {
                report.at(node, message, help);
                return None;
            }
        };
        if let Some(number) = self.numbers.get(&name) {
            return Some((name, *number));
        }
        let known: Vec<&str> = self.numbers.keys().map(String::as_str).collect();
        let message = format!("this text does not bring `{name}` along");
        let help = format!(
            "read the scenario from its file, or put the text under `files`; {}",
            names::help(&name, "file", &known)
        );
        report.at(node, message, help);
        None
    }
}

/// Lays what the scenario imports, and the SQL that stands in files, into its tree. False when something is missing in
/// it now.
pub(super) fn link(report: &Report<'_>, texts: &Files, root: &mut Node) -> bool {
    let before = report.len();
    let own = files::own(&texts.scenario).to_owned();
    let mut linker = Linker {
        report,
        files: texts,
        open: vec![own.clone()],
        done: Vec::new(),
        found: Vec::new(),
    };
    linker.sql(&own, root);
    linker.imports(&own, root);
    let found = linker.found;
    for section in SECTIONS {
        let imported = found.iter().filter(|(name, _)| *name == section);
        let imported: Vec<Entry> = imported.map(|(_, entry)| entry.clone()).collect();
        if !imported.is_empty() {
            merge(report, root, section, imported);
        }
    }
    report.len() == before
}

struct Linker<'a> {
    report: &'a Report<'a>,
    files: &'a Files,
    /// Files whose imports are being read, the scenario first.
    open: Vec<String>,
    done: Vec<String>,
    /// What was imported, with its section.
    found: Vec<(&'static str, Entry)>,
}

impl Linker<'_> {
    fn imports(&mut self, writer: &str, node: &Node) {
        let import = node.get(IMPORT);
        let items = import.map_or(&[][..], |node| {
            node.list().unwrap_or(std::slice::from_ref(node))
        });
        for item in items {
            self.import(writer, item);
        }
    }

    fn import(&mut self, writer: &str, node: &Node) {
        let report = self.report;
        let scenario = &self.files.scenario;
        let name = node
            .scalar()
            .map(|path| files::resolve(scenario, writer, path));
        if let Some(Ok(name)) =
            name.filter(|name| matches!(name, Ok(name) if self.open.contains(name)))
        {
            let circle = [&self.open[..], &[name]].concat().join(" imports ");
            let help = "move what both need into a third file";
            return report.at(node, format!("a circle: {circle}"), help);
        }
        if self.open.len() > DEEPEST {
            let message = format!("imports go deeper than {DEEPEST} files");
            return report.at(node, message, "import what you need directly");
        }
        let Some((name, number)) = self.files.number(report, writer, node) else {
            return;
        };
        if self.done.contains(&name) {
            return;
        }
        self.done.push(name.clone());
        let Some(mut root) = yaml::read(report, number) else {
            return;
        };
        if root.entries().is_none() {
            let message = format!("an imported file is a mapping of keys, not {}", root.what());
            return report.at(&root, message, format!("known: {}", names::list(&SECTIONS)));
        }
        let known = [&SECTIONS[..], &[IMPORT]].concat();
        report.only(&root, "an imported file", &known);
        self.sql(&name, &mut root);
        self.open.push(name.clone());
        self.imports(&name, &root);
        self.open.pop();
        for section in SECTIONS {
            let entries = root.get(section).map_or(Vec::new(), |node| {
                report.named(node, &format!("`{section}`"))
            });
            for entry in entries {
                let clash = self.found.iter().find(|(other, before)| {
                    *other == section && bare(before.name()) == bare(entry.name())
                });
                match clash {
                    Some((_, before)) => taken(report, entry, before),
                    None => self.found.push((section, entry.clone())),
                }
            }
        }
    }

    /// Puts SQL into the place of `{ file, name }`.
    fn sql(&self, writer: &str, root: &mut Node) {
        each_sql(root, &mut |node| {
            if let Some(found) = self.block(writer, node) {
                *node = found;
            }
        });
    }

    fn block(&self, writer: &str, node: &Node) -> Option<Node> {
        let report = self.report;
        report.only(node, "SQL in a file", &SQL_FILE);
        let (path, number) = self.files.number(report, writer, node.get("file")?)?;
        let file = report.source().file(number);
        let range = match node.get("name") {
            None => 0..file.text().len(),
            Some(name) => {
                let wanted = report.text(name, "`name`")?;
                let blocks = blocks(file.text());
                let known: Vec<&str> = blocks.iter().map(|(name, _)| *name).collect();
                match known.iter().filter(|known| **known == wanted).count() {
                    0 => {
                        let message = format!("`{path}` has no line `-- name: {wanted}`");
                        report.at(name, message, names::help(wanted, "name", &known));
                        return None;
                    }
                    1 => {}
                    _ => {
                        let message = format!("`{path}` has two lines `-- name: {wanted}`");
                        report.at(name, message, "give each block a name of its own");
                        return None;
                    }
                }
                let (_, range) = blocks.into_iter().find(|(name, _)| *name == wanted)?;
                range
            }
        };
        let text = statement(&file.text()[range.clone()]);
        let start = file.base() + range.start + text.start;
        let text = &file.text()[range.start + text.start..range.start + text.end];
        Some(Node {
            start,
            end: start + text.len(),
            kind: Kind::Scalar {
                text: text.to_owned(),
                style: Style::Verbatim,
            },
        })
    }
}

/// Named blocks of an SQL file: what stands after `-- name: NAME`, up to the next such line.
fn blocks(text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let after = at + line.len();
        let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
        let name = comment.and_then(|comment| comment.strip_prefix(MARK));
        // Tools write more after the name, such as `:one`.
        if let Some(name) = name.and_then(|name| name.split_whitespace().next()) {
            if let Some((_, last)) = found.last_mut() {
                last.end = at;
            }
            found.push((name, after..text.len()));
        }
        at = after;
    }
    found
}

/// The text from its first word to its last, without a `;` at the end: a file may have comments around a statement.
fn statement(text: &str) -> std::ops::Range<usize> {
    let tokens = token::tokens(text);
    let words = tokens
        .iter()
        .rposition(|token| token.kind != token::Kind::End);
    let Some((first, last)) = tokens.first().zip(words.and_then(|last| tokens.get(last))) else {
        return 0..0;
    };
    first.start..last.start + last.text.len()
}

/// Imported entries first, then the scenario's own.
fn merge(report: &Report<'_>, root: &mut Node, section: &str, imported: Vec<Entry>) {
    let Kind::Map { entries, .. } = &mut root.kind else {
        return;
    };
    let Some(own) = entries.iter_mut().find(|entry| entry.name() == section) else {
        if let Some(import) = entries.iter().find(|entry| entry.name() == IMPORT) {
            let mut key = import.key.clone();
            key.kind = Kind::Scalar {
                text: section.to_owned(),
                style: Style::Plain,
            };
            let mut value = import.value.clone();
            value.kind = Kind::Map {
                entries: imported,
                flow: false,
            };
            entries.push(Entry { key, value });
        }
        return;
    };
    let mut all = imported;
    for entry in report.named(&own.value, &format!("`{section}`")) {
        match all
            .iter()
            .find(|other| bare(other.name()) == bare(entry.name()))
        {
            Some(before) => taken(report, entry, before),
            None => all.push(entry.clone()),
        }
    }
    own.value.kind = Kind::Map {
        entries: all,
        flow: false,
    };
}

/// A flow is called by its name, whatever its parameters are.
fn bare(name: &str) -> &str {
    name.split('(').next().unwrap_or(name).trim()
}

fn taken(report: &Report<'_>, entry: &Entry, before: &Entry) {
    let spot = report.source().spot(before.key.start);
    let message = format!(
        "`{}` is there already, from line {} of {}",
        bare(entry.name()),
        spot.place.line,
        spot.file
    );
    let help =
        "a file does not change what it imports: choose another name, or change it in a variant";
    report.at(&entry.key, message, help);
}

#[cfg(test)]
mod tests {
    use super::{blocks, statement};

    fn block(text: &str, name: &str) -> Option<String> {
        let (_, range) = blocks(text).into_iter().find(|(known, _)| *known == name)?;
        let text = &text[range];
        Some(text[statement(text)].to_owned())
    }

    #[test]
    fn blocks_of_an_sql_file_have_names() {
        let text = "-- Queries.\n--name: one :one\nSELECT 1 -- the first\n  ;\n-- name: two\n\n/* x */ SELECT ';';;\n-- end\n-- name: none\n";
        assert_eq!(block(text, "one").as_deref(), Some("SELECT 1"));
        assert_eq!(block(text, "two").as_deref(), Some("SELECT ';'"));
        assert_eq!(block(text, "none").as_deref(), Some(""));
        assert_eq!(block(text, "three"), None);
        let whole = "SELECT 1;\nSELECT 2;\n";
        assert_eq!(&whole[statement(whole)], "SELECT 1;\nSELECT 2");
    }
}
