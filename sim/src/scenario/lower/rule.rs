//! Invariants and goals.

use super::super::node::{Entry, Node};
use super::super::program::{Goal, Homed, Invariant, RuleKind};
use super::super::sql::Prepared;
use super::flow::World;

/// Keys that say when an invariant is judged; exactly one of them is there.
pub(super) const KINDS: [(&str, RuleKind); 4] = [
    ("never", RuleKind::Never),
    ("history", RuleKind::History),
    ("finally", RuleKind::Finally),
    ("builtin", RuleKind::ResourceHome),
];

/// Invariants that Lockstep knows without SQL.
pub(in super::super) const BUILTIN: [&str; 1] = ["resource.home"];

/// Lowers the invariants of one pass: those that are judged on a snapshot alone, or those that read the recorded tables.
/// An invariant of the other pass is `None`.
pub(super) fn invariants(
    world: &World<'_>,
    entries: &[&Entry],
    recorded: bool,
) -> Vec<Option<Invariant>> {
    entries
        .iter()
        .map(|entry| invariant(world, entry, recorded))
        .collect()
}

fn invariant(world: &World<'_>, entry: &Entry, recorded: bool) -> Option<Invariant> {
    let report = world.report;
    let node = &entry.value;
    let found: Vec<(&str, RuleKind)> = KINDS
        .iter()
        .filter(|(key, _)| node.get(key).is_some())
        .copied()
        .collect();
    let [(key, kind)] = found[..] else {
        if !recorded {
            let message = format!(
                "invariant `{}` does not say when it is judged",
                entry.name()
            );
            report.at(&entry.key, message, "write exactly one of never: SQL, history: SQL, finally: SQL, builtin: resource.home");
        }
        return None;
    };
    if recorded != matches!(kind, RuleKind::History | RuleKind::Finally) {
        return None;
    }
    let name = report.name(&entry.key, "an invariant")?.to_owned();
    report.only(node, &format!("invariant `{name}`"), &["per", key]);
    let place = place_of(world, entry);
    let value = node.get(key)?;
    if kind == RuleKind::ResourceHome {
        return builtin(world, entry, value).map(|()| Invariant {
            name,
            per: None,
            kind,
            sql: String::new(),
            place,
        });
    }
    let (sql, prepared) = query(world, value, key)?;
    let per = match node.get("per") {
        Some(per) => Some(column(world, per, &prepared)?),
        None => None,
    };
    if let (RuleKind::Never, Some(per)) = (kind, &per) {
        searched(world, value, &sql, per);
    }
    Some(Invariant {
        name,
        per,
        kind,
        sql,
        place,
    })
}

/// A rule with a key is asked for single keys after each commit: an index leads there.
fn searched(world: &World<'_>, node: &Node, sql: &str, per: &str) {
    if let Some(table) = world.checker.scans(sql, per) {
        let message = format!("for one `{per}` this rule reads all rows of `{table}`");
        let help = "with many rows that is slow, also where you check your own data by it: an index on what leads to the key lets it search";
        world.report.hint(node, message, help);
    }
}

fn builtin(world: &World<'_>, entry: &Entry, value: &Node) -> Option<()> {
    let report = world.report;
    report.known(value, "builtin invariant", &BUILTIN)?;
    if world
        .resources
        .iter()
        .any(|resource| resource.home == Homed::Violates)
    {
        return Some(());
    }
    let message = format!(
        "invariant `{}` has nothing to judge: no resource has a home",
        entry.name()
    );
    report.at(value, message, "write `home: true` in a resource");
    None
}

fn column(world: &World<'_>, per: &Node, prepared: &Prepared) -> Option<String> {
    let columns: Vec<&str> = prepared.columns.iter().map(String::as_str).collect();
    let index = world.report.known(per, "column", &columns)?;
    prepared.columns.get(index).cloned()
}

/// A query without variables.
fn query(world: &World<'_>, node: &Node, what: &str) -> Option<(String, Prepared)> {
    let report = world.report;
    let text = report.text(node, &format!("`{what}`"))?;
    match world.checker.prepare(0, text) {
        Ok(prepared) if prepared.parameters > 0 => {
            report.at(
                node,
                "a rule sees tables only, it has no variables",
                "join the tables that hold the value",
            );
            None
        }
        Ok(prepared) if !prepared.readonly || prepared.columns.is_empty() => {
            report.at(
                node,
                format!("`{what}` is a query that returns the offending rows"),
                "write a SELECT",
            );
            None
        }
        Ok(prepared) => Some((text.trim().to_owned(), prepared)),
        Err(refusal) if world.checker.excuses(&refusal) => None,
        Err(refusal) => {
            let mut help = world.checker.help(0, &refusal.message, &[]);
            if world.store && refusal.message.starts_with("no such") {
                help = format!(
                    "the reference store has its own tables: restate the rule under `invariants` of the variant; {help}"
                );
            }
            let message = format!("SQLite refuses this text: {}", refusal.message);
            report.in_scalar(node, refusal.offset, refusal.length, message, help);
            None
        }
    }
}

/// Lowers the goals.
pub(super) fn goals(world: &World<'_>, node: Option<&Node>) -> Vec<Goal> {
    let entries = node.map_or(Vec::new(), |node| world.report.named(node, "`goals`"));
    entries
        .into_iter()
        .filter_map(|entry| goal(world, entry))
        .collect()
}

fn goal(world: &World<'_>, entry: &Entry) -> Option<Goal> {
    let name = world.report.name(&entry.key, "a goal")?.to_owned();
    let (sql, _) = query(world, &entry.value, "goal")?;
    let place = place_of(world, entry);
    Some(Goal { name, sql, place })
}

fn place_of(world: &World<'_>, entry: &Entry) -> String {
    let spot = world.report.source().spot(entry.key.start);
    format!("{}:{}", spot.file, spot.place.line)
}
