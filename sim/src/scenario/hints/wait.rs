//! Who waits for nobody, and who waits for an answer that does not come.

use super::super::node::{Entry, Node};
use super::super::problem::Report;
use super::{each_map, entries, parts};

/// Adds the hints about steps that go to somebody else.
pub(super) fn add(report: &Report<'_>, root: &Node) {
    let parts = parts(root);
    let bounded = parts.iter().any(|part| has(part.steps, "within"));
    for part in &parts {
        if !bounded {
            never_late(report, part.steps);
        }
        unanswered(report, part.steps, root);
    }
    let calls = |waits: bool| {
        let mut found = false;
        for part in &parts {
            each_map(part.steps, &mut |map| {
                let verb = VERBS.iter().any(|verb| map.get(verb).is_some());
                found |= verb && map.get("wait").is_some() == waits;
            });
        }
        found
    };
    let Some(lost) = root
        .get("faults")
        .and_then(|faults| faults.get("lost_reply"))
    else {
        return;
    };
    if calls(false) && !calls(true) {
        let message =
            "`lost_reply` strikes answers to events only: no `effect` or `request` waits for one";
        let help = "without `wait` an effect happens and its author knows; where the answer of a provider or another process can be lost, write wait: 10s";
        report.hint(lost, message, help);
    }
}

/// Verbs that go to somebody else, who may not answer.
const VERBS: [&str; 2] = ["effect", "request"];

fn has(node: &Node, key: &str) -> bool {
    let mut found = false;
    each_map(node, &mut |map| found |= map.get(key).is_some());
    found
}

/// A `catch` of an answer that nobody waits for.
fn never_late(report: &Report<'_>, flows: &Node) {
    each_map(flows, &mut |map| {
        let Some(verb) = VERBS.iter().find(|verb| map.get(verb).is_some()) else {
            return;
        };
        if map.get("wait").is_some() {
            return;
        }
        let caught = map.get("catch").and_then(Node::entries).unwrap_or(&[]);
        for class in caught {
            if ["timeout", "unknown"].contains(&class.name()) {
                let message = format!("this `{}` never comes: nobody waits", class.name());
                let help = format!(
                    "write wait: 10s beside `{verb}`, or it is done at once and cannot fail"
                );
                report.hint(&class.key, message, help);
            }
        }
    });
}

/// A request that waits for a flow which may end without an answer.
fn unanswered(report: &Report<'_>, flows: &Node, root: &Node) {
    each_map(flows, &mut |map| {
        let (Some(request), Some(_)) = (map.get("request"), map.get("wait")) else {
            return;
        };
        let Some(name) = request.scalar() else { return };
        let mut bodies = entries(root.get("flows"))
            .into_iter()
            .filter(|entry| named(entry, name))
            .filter_map(|entry| entry.value.list());
        if bodies.any(|body| !Answers { root, depth: 0 }.all(body)) {
            let message = format!("flow `{name}` may end without `reply`");
            let help = "whoever waits then gets the error `unknown`, the connection broke: write `reply` on every way to its end";
            report.hint(request, message, help);
        }
    });
}

fn named(entry: &Entry, name: &str) -> bool {
    entry.name().split('(').next().map(str::trim) == Some(name)
}

/// Whether steps answer.
struct Answers<'n> {
    root: &'n Node,
    depth: usize,
}

/// How steps go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Answered,
    Silent,
    /// They have ended their flow, answered before.
    Ended,
    /// They have ended it without an answer.
    Lost,
}

/// Flows that call flows are followed so far.
const DEEPEST: usize = 16;

impl Answers<'_> {
    /// Whether a flow of these steps always has answered when it ends without an error.
    fn all(&self, steps: &[Node]) -> bool {
        matches!(
            self.steps(steps, After::Silent),
            After::Answered | After::Ended
        )
    }

    fn steps(&self, steps: &[Node], before: After) -> After {
        steps.iter().fold(before, |now, step| match now {
            After::Ended | After::Lost => now,
            _ => self.step(step, now),
        })
    }

    fn body(&self, node: Option<&Node>, now: After) -> After {
        let Some(node) = node else { return now };
        self.steps(node.list().unwrap_or(std::slice::from_ref(node)), now)
    }

    fn step(&self, step: &Node, now: After) -> After {
        let ended = match now {
            After::Answered => After::Ended,
            _ => After::Lost,
        };
        match step.scalar() {
            Some("reply") => return After::Answered,
            Some("return") => return ended,
            _ => {}
        }
        if step.get("reply").is_some() {
            return After::Answered;
        }
        if step.get("return").is_some() {
            return ended;
        }
        let calls = step.get("call").and_then(Node::scalar);
        if calls.is_some_and(|name| self.answers(name)) {
            return After::Answered;
        }
        let inner = ["transaction", "atomic"]
            .iter()
            .find_map(|key| step.get(key));
        let sure = match step.get("lock").or(step.get("use")) {
            Some(_) => self.body(step.get("do"), now),
            None => self.body(inner, now),
        };
        let mut ways = vec![sure];
        if step.get("if").is_some() {
            ways = vec![
                self.body(step.get("then"), now),
                self.body(step.get("else"), now),
            ];
        } else {
            let branches = ["none", "else"].iter().filter_map(|key| step.get(key));
            ways.extend(branches.map(|branch| self.body(Some(branch), now)));
        }
        let caught = step.get("catch").and_then(Node::entries).unwrap_or(&[]);
        ways.extend(
            caught
                .iter()
                .map(|class| self.body(Some(&class.value), now)),
        );
        joined(&ways)
    }

    fn answers(&self, name: &str) -> bool {
        let next = Answers {
            root: self.root,
            depth: self.depth + 1,
        };
        let flows = entries(self.root.get("flows")).into_iter();
        let mut bodies = flows
            .filter(|entry| named(entry, name))
            .filter_map(|entry| entry.value.list());
        self.depth < DEEPEST && bodies.all(|body| next.all(body))
    }
}

/// The worst of several ways.
fn joined(ways: &[After]) -> After {
    let any = |way| ways.contains(&way);
    if any(After::Lost) {
        After::Lost
    } else if any(After::Silent) {
        After::Silent
    } else if any(After::Answered) {
        After::Answered
    } else {
        After::Ended
    }
}
