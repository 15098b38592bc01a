//! Files that a scenario names: how their paths are read, where they may lie, and the one text that brings them all
//! along. A case and a worker get that text and read no disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::import;
use super::node::Node;
use super::problem::{Problem, Problems, Report};
use super::source::Source;
use super::yaml;

/// The most files of one scenario.
const MOST: usize = 64;

/// A path as it is written in one file of a scenario, seen from the scenario's folder: `../platforms/slack.yaml`.
/// `writer` is the path of the file that says it, `scenario` the name under which the scenario was read.
///
/// # Errors
///
/// What is wrong with the path, and what to write.
pub(super) fn resolve(
    scenario: &str,
    writer: &str,
    path: &str,
) -> Result<String, (String, &'static str)> {
    let wrong = |what: &str| format!("`{path}` {what}");
    if path.contains('\\') {
        return Err((wrong("has a backslash"), "write `/` between folders"));
    }
    if path.starts_with('/') || path.contains(':') {
        let help = "write the path from the folder of this file on, such as shared/flows.yaml";
        return Err((wrong("is an absolute path"), help));
    }
    if path.is_empty() || path.ends_with('/') {
        return Err((wrong("names no file"), "name a file"));
    }
    let name = joined(folder(writer), path);
    // `../scenarios/x.sql` is `x.sql` when the scenario lies in `scenarios`: one file has one name.
    let inside = format!("{}/", folder(scenario));
    let full = shown(scenario, &name);
    Ok(full.strip_prefix(&inside).map_or(name, str::to_owned))
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` from `folder` on, without `.` and without `..` that can be undone.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let start = if folder.starts_with('/') { "/" } else { "" };
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{start}{}", parts.join("/"))
}

/// The last part of a file's name: how the scenario's own file is called from its folder.
pub(super) fn own(file: &str) -> &str {
    file.rsplit_once('/').map_or(file, |(_, name)| name)
}

/// How a file is shown in messages: from where the scenario's own file was named.
pub(super) fn shown(scenario: &str, path: &str) -> String {
    joined(folder(scenario), path)
}

/// All of a file as text, or a little more than `most` bytes, so that an endless one is not read to its end.
///
/// # Errors
///
/// Why it cannot be read.
pub(super) fn read(path: &Path, most: usize) -> Result<String, Error> {
    if path.is_dir() {
        return Err(Error::from(ErrorKind::IsADirectory));
    }
    read_all(fs::File::open(path)?, most)
}

/// The same from anything that can be read.
///
/// # Errors
///
/// Why it cannot be read.
pub(super) fn read_all(from: impl Read, most: usize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(4);
    from.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(Error::other(format!("it is larger than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let words = format!("it is not UTF-8 text: byte {valid} belongs to no character");
        Error::new(ErrorKind::InvalidData, words)
    })
}

/// The text of a scenario together with the files that it names, directly or through others. `file` is its name in
/// messages. A text that has `files` already, or names none, stays as it is.
///
/// # Errors
///
/// Files that cannot be read or may not be, each at the place that names it.
pub(super) fn gather(
    path: &Path,
    file: &str,
    text: String,
    most: usize,
) -> Result<String, Problems> {
    let mut gather = Gather {
        scenario: file,
        folder: path.parent().map_or(PathBuf::new(), Path::to_path_buf),
        most,
        texts: BTreeMap::new(),
        problems: Vec::new(),
    };
    let mut open = vec![(own(file).to_owned(), text.clone())];
    while let Some((name, text)) = open.pop() {
        open.extend(gather.named(&name, &text));
    }
    if !gather.problems.is_empty() {
        let list = gather.problems;
        let file = file.to_owned();
        return Err(Problems { file, list });
    }
    if gather.texts.is_empty() {
        return Ok(text);
    }
    Ok(bundle(&text, &gather.texts))
}

struct Gather<'a> {
    scenario: &'a str,
    folder: PathBuf,
    most: usize,
    texts: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Gather<'_> {
    /// Reads what one file names; answers those of them that may name others. What else is wrong with it is told when
    /// the whole is parsed.
    fn named(&mut self, name: &str, text: &str) -> Vec<(String, String)> {
        let is_own = name == own(self.scenario);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Source::new(&shown(self.scenario, name), text);
        let Some(mut root) = yaml::read(&Report::new(&source), 0) else {
            return Vec::new();
        };
        if is_own && root.get(import::FILES).is_some() {
            return Vec::new();
        }
        let report = Report::new(&source);
        let mut found = Vec::new();
        for (node, imports) in import::names(&mut root) {
            let Some((name, text)) = self.read(&report, name, &node) else {
                continue;
            };
            self.texts.insert(name.clone(), text.clone());
            found.extend(imports.then_some((name, text)));
        }
        if is_own && root.is_flow_map() && !self.texts.is_empty() {
            let help = "write each key of the scenario on a line of its own";
            report.at(&root, "a scenario in { } cannot name other files", help);
        }
        if !report.is_empty() {
            self.problems.extend(report.finish(self.scenario, 0).list);
        }
        found
    }

    /// Reads one file, unless it is the scenario itself or has been read.
    fn read(&self, report: &Report<'_>, writer: &str, node: &Node) -> Option<(String, String)> {
        let Ok(name) = resolve(self.scenario, writer, node.scalar()?) else {
            return None;
        };
        if name == own(self.scenario) || self.texts.contains_key(&name) {
            return None;
        }
        if self.texts.len() >= MOST {
            let message = format!("a scenario may name {MOST} files");
            report.at(node, message, "put what belongs together into one file");
            return None;
        }
        match self.text(&name) {
            Ok(text) => Some((name, text)),
            Err((why, help)) => {
                report.at(node, format!("cannot read `{name}`: {why}"), help);
                None
            }
        }
    }

    fn text(&self, name: &str) -> Result<String, (String, &'static str)> {
        let help = "a path begins in the folder of the file that says it";
        let words = |error: Error| (error.to_string(), help);
        let path = self.folder.join(name);
        let real = fs::canonicalize(&path).map_err(words)?;
        let project = project(&self.folder).map_err(words)?;
        if !real.starts_with(&project) {
            let help = "a scenario reads only what lies in its project: copy the file, or a link's target, into it";
            return Err((format!("it is not in {}", project.display()), help));
        }
        let text = read(&real, self.most).map_err(words)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
            return Err((
                "it is not a text: it has control characters".to_owned(),
                help,
            ));
        }
        Ok(text)
    }
}

/// How far up a path may go: the nearest folder that is a repository, else the nearest one named `scenarios`, else the
/// folder of the scenario.
fn project(folder: &Path) -> Result<PathBuf, Error> {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let here = fs::canonicalize(here)?;
    let repository = here.ancestors().find(|above| above.join(".git").exists());
    let named = |above: &&Path| above.file_name().is_some_and(|name| name == "scenarios");
    let found = repository.or_else(|| here.ancestors().find(named));
    Ok(found.unwrap_or(&here).to_path_buf())
}

/// The scenario's text and, under `files`, the others. Each line of them is there, so that places stay true.
fn bundle(text: &str, texts: &BTreeMap<String, String>) -> String {
    // After the end of a document nothing but comments can come.
    let end = text.find("\n...").map(|end| end + 1);
    let ends = |end: &usize| {
        text[*end..]
            .lines()
            .next()
            .is_some_and(|line| line.trim_end() == "...")
    };
    let mut whole = text[..end.filter(ends).unwrap_or(text.len())].to_owned();
    if !whole.ends_with('\n') {
        whole.push('\n');
    }
    whole.push_str(import::FILES);
    whole.push_str(":\n");
    for (name, text) in texts {
        let name = serde_json::Value::from(name.as_str());
        let keep = if text.ends_with('\n') { '+' } else { '-' };
        whole.push_str(&format!("  {name}: |2{keep}\n"));
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                whole.push_str("    ");
            }
            whole.push_str(line);
        }
        if !whole.ends_with('\n') {
            whole.push('\n');
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_file_that_says_them() {
        let resolve =
            |writer, path| resolve("s/a.yaml", writer, path).map_err(|(message, _)| message);
        let is = |path: &str| Ok(path.to_owned());
        assert_eq!(resolve("a.yaml", "b.sql"), is("b.sql"));
        assert_eq!(resolve("a.yaml", "./x/../b.sql"), is("b.sql"));
        assert_eq!(
            resolve("a.yaml", "../shared/b.yaml"),
            is("../shared/b.yaml")
        );
        assert_eq!(resolve("../shared/b.yaml", "c.sql"), is("../shared/c.sql"));
        assert_eq!(
            resolve("../shared/b.yaml", "../../c.sql"),
            is("../../c.sql")
        );
        assert_eq!(resolve("../shared/b.yaml", "../s/c.sql"), is("c.sql"));
        for wrong in ["/etc/passwd", "C:/x", "a\\b", "", "x/"] {
            assert!(resolve("a.yaml", wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            shown("scenarios/field/a.yaml", "../p/t.yaml"),
            "scenarios/p/t.yaml"
        );
        assert_eq!(shown("/s/a.yaml", "../p/t.yaml"), "/p/t.yaml");
        assert_eq!(shown("a.yaml", "b.sql"), "b.sql");
    }

    #[test]
    fn a_text_brings_every_kind_of_text_along() {
        let odd = [
            "",
            "a",
            "a\n",
            "\n",
            "\n\n a\n\n\n",
            "\tSELECT 1;\n",
            "  - x: |\n",
            "---\n...\n# c",
            "\u{2028}é\n \n",
        ];
        let texts: BTreeMap<String, String> = odd
            .iter()
            .enumerate()
            .map(|(index, text)| (format!("../f {index}\".sql"), (*text).to_owned()))
            .collect();
        for own in [
            "version: 1",
            "schema: |+\n  a\n\n\n",
            "version: 1\n...\n# end",
        ] {
            let whole = bundle(own, &texts);
            let source = Source::new("x.yaml", &whole);
            let report = Report::new(&source);
            let root = yaml::read(&report, 0);
            assert!(report.is_empty(), "{}", report.finish("x.yaml", 0));
            let root = root.expect("a root");
            let files = root.get("files").and_then(Node::entries).expect("files");
            let read: BTreeMap<String, String> = files
                .iter()
                .map(|entry| {
                    (
                        entry.name().to_owned(),
                        entry.value.scalar().expect("text").to_owned(),
                    )
                })
                .collect();
            assert_eq!(read, texts, "{whole}");
        }
    }
}
