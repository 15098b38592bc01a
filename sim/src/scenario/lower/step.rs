//! One step: exactly one verb, the keys that belong to it, and the keys that any step may have.

use crate::label::Label;

use super::super::fields::as_steps;
use super::super::names;
use super::super::node::{Entry, Kind, Node};
use super::super::program::{ErrorClass, Step, StepKind};
use super::super::store;
use super::flow::Walk;

/// Every verb with the keys that only it may have.
pub(super) const VERBS: [(&str, &[&str]); 22] = [
    ("read", &["none", "wait", "db"]),
    ("sql", &["rows", "else", "wait", "db"]),
    ("set", &[]),
    ("new_id", &[]),
    ("call", &["with", "times", "as"]),
    ("if", &["then", "else"]),
    ("each", &["do", "wait", "db"]),
    ("while", &["do"]),
    ("raise", &["message"]),
    ("spawn", &["with", "in", "name"]),
    ("cancel", &[]),
    ("request", &["to", "with", "wait", "as"]),
    ("reply", &[]),
    ("return", &[]),
    ("transaction", &["begin", "db"]),
    ("atomic", &[]),
    ("choose", &["from"]),
    ("renew", &[]),
    ("lock", &["wait", "as", "do", "else"]),
    ("take", &[]),
    ("effect", &["intent", "key", "value", "to", "wait"]),
    ("use", &["for", "create", "fence", "do", "retry", "else"]),
];

/// The verb of the reference store, only known where the store is.
pub(super) const OP: (&str, &[&str]) = ("op", &["with", "op_id", "as"]);

/// Keys of any step.
pub(super) const COMMON: [&str; 5] = ["label", "within", "catch", "finally", "source"];

/// Verbs that speak to the database with one statement.
const STATEMENTS: [&str; 3] = ["read", "sql", "each"];

/// Classes of errors that need no declaration.
pub(super) const CLASSES: [(&str, ErrorClass); 5] = [
    ("busy", ErrorClass::Busy),
    ("constraint", ErrorClass::Constraint),
    ("timeout", ErrorClass::Timeout),
    ("unknown", ErrorClass::Unknown),
    ("error", ErrorClass::Error),
];

fn verbs() -> Vec<&'static str> {
    VERBS.iter().chain([&OP]).map(|(verb, _)| *verb).collect()
}

impl Walk<'_> {
    pub(super) fn step(&mut self, node: &Node) -> Option<Step> {
        let report = self.world.report;
        if let Some(word) = node.scalar() {
            return self.word(node, word);
        }
        let Kind::Map { entries, .. } = &node.kind else {
            report.at(
                node,
                "a step is a mapping, not a list",
                "write `- sql: …`, one step to a line",
            );
            return None;
        };
        let Some((verb, value)) = self.verb(node, entries) else {
            self.scope.broken = true;
            return None;
        };
        let label = self.label(node);
        let (site, kind) = self.kind(node, verb, value);
        let within = node
            .get("within")
            .and_then(|within| report.millis(within, "`within`"));
        let network = node
            .get("wait")
            .filter(|_| STATEMENTS.contains(&verb))
            .and_then(|wait| report.millis(wait, "`wait`"));
        let finally = self.body(node, "finally").unwrap_or_default();
        let catch = node
            .get("catch")
            .map_or(Vec::new(), |catch| self.catch(catch));
        if let Some(source) = node.get("source") {
            report.text(source, "`source`");
        }
        let spot = report.source().spot(node.start);
        Some(Step {
            site: Label::new(&label.unwrap_or(site)),
            file: spot.file.into(),
            at: spot.place,
            kind: kind?,
            within,
            network,
            finally,
            catch,
        })
    }

    /// `return` and `reply` can stand alone.
    fn word(&self, node: &Node, word: &str) -> Option<Step> {
        let kind = match word {
            "return" => StepKind::Return(None),
            "reply" => StepKind::Reply(Vec::new()),
            _ => {
                let message = format!("`{word}` is no step");
                let help = names::help(word, "verb", &verbs());
                self.world
                    .report
                    .at(node, message, format!("a step is `verb: …`; {help}"));
                return None;
            }
        };
        let spot = self.world.report.source().spot(node.start);
        Some(Step {
            file: spot.file.into(),
            at: spot.place,
            ..Step::unwritten(word, kind)
        })
    }

    /// The only verb of a step, after a check of all its keys.
    fn verb<'n>(&self, node: &'n Node, entries: &'n [Entry]) -> Option<(&'static str, &'n Node)> {
        let report = self.world.report;
        let mut found: Option<(&(&'static str, &[&str]), &Entry)> = None;
        for entry in entries {
            let Some(verb) = VERBS
                .iter()
                .chain([&OP])
                .find(|(verb, _)| *verb == entry.name())
            else {
                continue;
            };
            if let Some((first, _)) = found {
                let message = format!("two verbs in one step: `{}` and `{}`", first.0, verb.0);
                report.at(
                    &entry.key,
                    message,
                    "start another step with `- ` for the second one",
                );
                return None;
            }
            found = Some((verb, entry));
        }
        let Some((verb, entry)) = found else {
            self.no_verb(node, entries);
            return None;
        };
        let mut known = vec![verb.0];
        known.extend_from_slice(verb.1);
        known.extend_from_slice(&COMMON);
        report.only(node, &format!("a `{}` step", verb.0), &known);
        Some((verb.0, &entry.value))
    }

    fn no_verb(&self, node: &Node, entries: &[Entry]) {
        let report = self.world.report;
        let known = verbs();
        let odd = entries.iter().find(|entry| !COMMON.contains(&entry.name()));
        let owner =
            odd.and_then(|entry| VERBS.iter().find(|(_, keys)| keys.contains(&entry.name())));
        match odd {
            Some(entry) if let Some((verb, _)) = owner => {
                let key = entry.name();
                let message = format!("`{key}` is a key of `{verb}` and other steps, not a step");
                let help = format!(
                    "inside [ ] a step with several keys needs braces of its own: `{{ {verb}: …, {key}: … }}`; in a list with dashes `{key}` stands below its verb, as far in"
                );
                report.at(&entry.key, message, help);
            }
            Some(entry) => {
                let message = format!("unknown step `{}`", entry.name());
                report.at(
                    &entry.key,
                    message,
                    names::help(entry.name(), "verb", &known),
                );
            }
            None => report.at(
                node,
                "this step has no verb",
                format!("known: {}", names::list(&known)),
            ),
        }
    }

    fn label(&mut self, node: &Node) -> Option<String> {
        let report = self.world.report;
        let label = node.get("label")?;
        let text = report.name(label, "a label")?.to_owned();
        if self.scope.labels.contains(&text) {
            let message = format!("label `{text}` is there twice in this flow");
            report.at(
                label,
                message,
                "patches and reports name a step by its label: choose another one",
            );
            return None;
        }
        self.scope.labels.push(text.clone());
        Some(text)
    }

    fn kind(&mut self, node: &Node, verb: &str, value: &Node) -> (String, Option<StepKind>) {
        match verb {
            "read" => self.read(node, value),
            "sql" => self.sql(node, value),
            "set" => self.set(value),
            "new_id" => self.new_id(value),
            "transaction" => self.transaction(node, value),
            "atomic" => self.atomic(value),
            "choose" => self.choose(node, value),
            "renew" => self.renew(value),
            "call" => self.call(node, value),
            "if" => self.branch(node, value),
            "each" => self.each(node, value),
            "while" => self.repeat(node, value),
            "raise" => self.raise(node, value),
            "spawn" => self.spawn(node, value),
            "cancel" => self.cancel(value),
            "request" => self.request(node, value),
            "reply" => self.reply(value),
            "return" => self.end(value),
            "lock" => self.lock(node, value),
            "take" => self.take(value),
            "effect" => self.effect(node, value),
            "use" => self.use_resource(node, value),
            _ => self.op(node, value),
        }
    }

    /// The body under a key.
    pub(super) fn body(&mut self, node: &Node, key: &str) -> Option<Vec<Step>> {
        node.get(key).map(|body| self.steps(as_steps(body)))
    }

    fn catch(&mut self, node: &Node) -> Vec<(ErrorClass, Vec<Step>)> {
        let mut found = Vec::new();
        for entry in self.world.report.mapping(node, "`catch`") {
            let class = self.class(entry);
            let steps = self.steps(as_steps(&entry.value));
            found.extend(class.map(|class| (class, steps)));
        }
        found
    }

    fn class(&self, entry: &Entry) -> Option<ErrorClass> {
        let name = entry.name();
        if let Some((_, class)) = CLASSES.iter().find(|(known, _)| *known == name) {
            return Some(class.clone());
        }
        let mut known: Vec<&str> = CLASSES.iter().map(|(known, _)| *known).collect();
        known.extend(self.world.errors.iter().map(String::as_str));
        if self.world.store {
            known.extend(store::ERRORS);
        }
        if known.contains(&name) {
            return Some(ErrorClass::Named(name.to_owned()));
        }
        let message = format!("unknown error `{name}` in `catch`");
        self.world
            .report
            .at(&entry.key, message, names::help(name, "error", &known));
        None
    }
}
