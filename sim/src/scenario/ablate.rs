//! Taking a fix apart: the parts of a variant, and the file with some of them dropped.
//!
//! Parts are found and dropped by one walk over the tree that was read, before it is lowered, so a name means the same
//! in both. What is left is lowered as any other file; if it does not check, its parts cannot be dropped alone.

mod schema;
mod shape;
mod steps;

use super::fields::as_steps;
use super::node::{Entry, Kind, Node};
use super::problem::{Problems, Report};
use super::program::{Place, Scenario};
use steps::Body;

/// A part's text is cut to so many characters in reports.
const SHOWN: usize = 90;

/// Something that a variant adds to its file or changes in it, and that can be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, such as `schema 1` or `flows pay write`; stable as long as the variant's text is.
    pub name: String,
    /// The name of the part that it belongs to: that one drops all of it.
    pub of: Option<String>,
    /// What stands there, in one line.
    pub text: String,
    /// Where it stands.
    pub at: Place,
}

/// The parts of a variant, in file order; none if there is no such variant.
///
/// A part is a statement of its schema, a step of its setup or repair, a change of a process, a labelled patch, a whole
/// flow; below a patch or flow each step that the file's flow does not have, and each guard (`catch`, `rows`, `none` …)
/// that its step does not have there.
///
/// # Errors
///
/// Everything in the text that does not parse or resolve.
pub fn parts(file: &str, text: &str, variant: &str) -> Result<Vec<Part>, Problems> {
    let mut found = Vec::new();
    super::parse_edited(file, text, &mut |report, root| {
        found = cut(report, root, variant, &[]).found;
    })?;
    Ok(found)
}

/// Reads a scenario without some parts of one of its variants. Its text is still the whole one.
///
/// # Errors
///
/// Everything in what is left that does not parse or resolve, and names of parts that the variant does not have.
pub fn without(
    file: &str,
    text: &str,
    variant: &str,
    dropped: &[String],
) -> Result<Scenario, Problems> {
    super::parse_edited(file, text, &mut |report, root| {
        let knife = cut(report, root, variant, dropped);
        for name in dropped {
            if !knife.found.iter().any(|part| part.name == *name) {
                let known: Vec<&str> = knife.found.iter().map(|part| part.name.as_str()).collect();
                let message = format!("variant `{variant}` has no part `{name}`");
                report.add(0, 0, message, super::names::help(name, "part", &known));
            }
        }
    })
}

/// Finds the parts and drops those that are to be dropped.
struct Knife<'k> {
    report: &'k Report<'k>,
    drop: &'k [String],
    found: Vec<Part>,
}

impl Knife<'_> {
    /// Notes a part that takes these bytes of the file; whether to drop it.
    fn part(&mut self, name: &str, of: Option<&str>, (start, end): (usize, usize)) -> bool {
        let text = self.report.source().slice(start, end);
        self.note(name, of, start, text)
    }

    /// Notes a part with this text.
    fn note(&mut self, name: &str, of: Option<&str>, start: usize, text: &str) -> bool {
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        let cut: String = line.chars().take(SHOWN).collect();
        let text = if cut.len() < line.len() {
            cut + " …"
        } else {
            cut
        };
        self.found.push(Part {
            name: name.to_owned(),
            of: of.map(str::to_owned),
            text,
            at: self.report.source().place(start),
        });
        self.drop.iter().any(|dropped| dropped == name)
    }

    fn entry(&mut self, name: &str, of: Option<&str>, entry: &Entry) -> bool {
        self.part(name, of, (entry.key.start, entry.value.end))
    }
}

fn cut<'k>(
    report: &'k Report<'k>,
    root: &mut Node,
    variant: &str,
    drop: &'k [String],
) -> Knife<'k> {
    let mut knife = Knife {
        report,
        drop,
        found: Vec::new(),
    };
    let base = root.clone();
    let Some(node) = variant_of(root, variant) else {
        return knife;
    };
    if let Kind::Map { entries, .. } = &mut node.kind {
        let stored = entries.iter().any(|entry| entry.name() == "store");
        for entry in entries {
            let value = &mut entry.value;
            match entry.key.scalar().unwrap_or("") {
                "schema" => schema::cut(&mut knife, &base, stored, value),
                "setup" => list(&mut knife, "setup", value),
                "repair" => list(&mut knife, "repair", value),
                "processes" => processes(&mut knife, base.get("processes"), value),
                "flows" => flows(&mut knife, "flows", &[base.get("flows")], value),
                "versions" => versions(&mut knife, &base, value),
                _ => {}
            }
        }
    }
    knife
}

/// The value of a variant, which may be an entry of a mapping or of a list of `- name: value`.
fn variant_of<'n>(root: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let entries = entries_mut(root)?;
    let variants = entries
        .iter_mut()
        .find(|entry| entry.name() == "variants")?;
    let mut named: Vec<&mut Entry> = match &mut variants.value.kind {
        Kind::Map { entries, .. } => entries.iter_mut().collect(),
        Kind::List(items) => items.iter_mut().filter_map(entries_mut).flatten().collect(),
        Kind::Scalar { .. } => Vec::new(),
    };
    let found = named.iter().position(|entry| entry.name() == name)?;
    Some(&mut named.swap_remove(found).value)
}

fn entries_mut(node: &mut Node) -> Option<&mut Vec<Entry>> {
    match &mut node.kind {
        Kind::Map { entries, .. } => Some(entries),
        Kind::Scalar { .. } | Kind::List(_) => None,
    }
}

/// Each step of a list that the variant adds.
fn list(knife: &mut Knife<'_>, what: &str, value: &mut Node) {
    let mut n = 0;
    let mut steps = as_steps(value).to_vec();
    steps.retain(|step| {
        n += 1;
        !knife.part(&format!("{what} {n}"), None, (step.start, step.end))
    });
    value.kind = Kind::List(steps);
}

/// Each process that is new, and each key of one that is not.
fn processes(knife: &mut Knife<'_>, base: Option<&Node>, value: &mut Node) {
    let Some(entries) = entries_mut(value) else {
        return;
    };
    entries.retain_mut(|entry| {
        let name = format!("processes {}", entry.name());
        let known = base.is_some_and(|base| base.get(entry.name()).is_some());
        let several = known && entry.value.len() > 1;
        if !several {
            return !knife.entry(&name, None, entry);
        }
        if let Some(keys) = entries_mut(&mut entry.value) {
            keys.retain(|key| !knife.entry(&format!("{name} {}", key.name()), None, key));
        }
        true
    });
}

/// What a variant changes about other versions of the code.
fn versions(knife: &mut Knife<'_>, base: &Node, value: &mut Node) {
    for entry in entries_mut(value).into_iter().flatten() {
        let what = format!("versions {}", entry.name());
        let own = base.get("versions").and_then(|all| all.get(entry.name()));
        let layers = [own.and_then(|own| own.get("flows")), base.get("flows")];
        let changes = entries_mut(&mut entry.value).into_iter().flatten();
        for change in changes.filter(|change| change.name() == "flows") {
            flows(knife, &what, &layers, &mut change.value);
        }
    }
}

/// Each labelled patch, each whole flow, and what is new inside of them.
/// `base` holds the flows of the file, those first that count.
fn flows(knife: &mut Knife<'_>, what: &str, base: &[Option<&Node>], value: &mut Node) {
    let Some(entries) = entries_mut(value) else {
        return;
    };
    entries.retain_mut(|entry| {
        let flow = bare(entry.name()).to_owned();
        let layers = base.iter().flatten().filter_map(|base| base.entries());
        let mut old = layers.flatten().filter(|old| bare(old.name()) == flow);
        // A version of the file may patch a flow instead of writing it out.
        let old = old.find(|old| old.value.entries().is_none());
        let old = old.map_or(&[][..], |old| as_steps(&old.value));
        let name = format!("{what} {flow}");
        if entry.value.entries().is_some() {
            patches(knife, &name, old, &mut entry.value);
            return true;
        }
        let whole = knife.entry(&name, None, entry);
        let new = as_steps(&entry.value).to_vec();
        let mut body = Body::new(&name, &name, old, &new, 0);
        entry.value.kind = Kind::List(body.cut(knife, &new));
        !whole
    });
}

/// A flow's name without its parameters.
fn bare(name: &str) -> &str {
    name.split('(').next().unwrap_or(name).trim()
}

fn patches(knife: &mut Knife<'_>, flow: &str, old: &[Node], value: &mut Node) {
    let Some(labels) = entries_mut(value) else {
        return;
    };
    let mut before = 0;
    labels.retain_mut(|label| {
        let name = format!("{flow} {}", label.name());
        let whole = knife.entry(&name, None, label);
        let replaced: Vec<Node> = steps::labelled(old, label.name()).into_iter().collect();
        if let Some(keys) = entries_mut(&mut label.value) {
            let all: Vec<Node> = keys
                .iter()
                .flat_map(|key| as_steps(&key.value))
                .cloned()
                .collect();
            let mut body = Body::new(flow, &name, &replaced, &all, before);
            // The only step of a patch is the patch.
            body.alone = all.len() == 1;
            for key in keys {
                let new = as_steps(&key.value).to_vec();
                key.value.kind = Kind::List(body.cut(knife, &new));
            }
            before = body.next();
        }
        !whole
    });
}
