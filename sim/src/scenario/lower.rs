//! From nodes to programs: every variant of a file, every name resolved, every problem told.

mod database;
mod draft;
mod event;
mod expect;
mod fault;
mod flow;
mod gaps;
mod reach;
mod redeliver;
mod rule;
mod scope;
mod start;
mod step;
mod text;
mod verbs_control;
mod verbs_data;
mod verbs_outside;
mod verbs_task;
mod version;
pub(super) mod words;
mod world;

use super::ddl;
use super::duration;
use super::fields::literal;
use super::node::{Entry, Node};
use super::problem::Report;
use super::program::{
    Event, Expr, Flow, Goal, Invariant, Process, Program, Resource, Step, StepKind, Variant,
    Version,
};
use super::sql::Checker;
use draft::Draft;
use flow::{FlowText, World};
use rusqlite::types::Value;
use scope::Scope;
use world::ProcessText;

/// 2026-01-05T09:00:00Z, a Monday morning: where virtual time starts when the file does not say.
const START_MS: i64 = 1_767_603_600_000;
/// Runs of a search when the file does not say.
const RUNS: u64 = 1_000;
/// The most that a file may ask for.
const MOST_RUNS: u64 = 100_000_000;
/// The most variants of a file.
const MOST_VARIANTS: usize = 32;

/// What all variants share.
struct Head {
    name: String,
    start_ms: i64,
    runs: Option<u64>,
}

/// Lowers a whole file: its name, and its variants in order.
pub(super) fn scenario(report: &Report<'_>, root: &Node) -> (String, Vec<Variant>) {
    let head = head(report, root);
    let written = root.get("variants").map_or(0, Node::len);
    let variants = root
        .get("variants")
        .map_or(Vec::new(), |node| report.named(node, "`variants`"));
    if written > 0 && variants.is_empty() {
        // What is wrong with them has been said.
        return (head.name, Vec::new());
    }
    if variants.is_empty() || variants.len() > MOST_VARIANTS {
        let message = format!("a scenario has 1 to {MOST_VARIANTS} variants, this one {written}");
        report.add(
            0,
            0,
            message,
            "write variants: { bug: {}, fix: { flows: … } }",
        );
        return (head.name, Vec::new());
    }
    let names: Vec<&str> = variants.iter().map(|entry| entry.name()).collect();
    expect::strangers(report, root, &names);
    let rules = root
        .get("invariants")
        .map_or(Vec::new(), |node| report.named(node, "`invariants`"));
    let rules: Vec<&str> = rules.iter().map(|entry| entry.name()).collect();
    let links = start::links(report, &variants);
    let mut found = Vec::new();
    for (index, entry) in variants.iter().enumerate() {
        report.name(&entry.key, "a variant");
        let judged = start::judged(&rules, links[index]);
        let expect = expect::of(report, root, entry, &judged);
        let earlier = start::earlier(&variants, &links, index);
        report.enter(Some(entry.name()));
        let program = variant(report, root, entry, &head, &earlier);
        report.enter(None);
        found.push((expect, program));
    }
    start::connect(&mut found, &links);
    let variants = found.into_iter().zip(names).filter_map(|(found, name)| {
        Some(Variant {
            name: name.to_owned(),
            expect: found.0?,
            program: found.1?,
        })
    });
    (head.name, variants.collect())
}

/// A file of another version is another language: nothing else is said about it.
pub(super) fn check_version(report: &Report<'_>, root: &Node) -> bool {
    let known = |version: &&Node| literal(version) == Some(Value::Integer(1));
    let Some(version) = root.get("version").filter(|version| !known(version)) else {
        return true;
    };
    let help = "this lockstep reads version 1: write version: 1, or use the lockstep that the file was written for";
    report.at(version, "this version is not known here", help);
    false
}

fn head(report: &Report<'_>, root: &Node) -> Head {
    report.only(root, "a scenario", &draft::TOP);
    if root.get("version").is_none() {
        let message = "the file does not say its version";
        report.add(0, 0, message, "write version: 1");
    }
    for (key, help) in [
        ("name", "write name: in_snake_case"),
        ("processes", "write processes: { api: 1 }"),
        (
            "flows",
            "write flows, each as name(parameter): and a list of steps",
        ),
        (
            "events",
            "write events: [ message: { on: api, send: flow } ]",
        ),
        (
            "invariants",
            "write invariants: { name: { never: SELECT … } }",
        ),
    ] {
        if root.get(key).is_none_or(Node::is_null) {
            report.add(0, 0, format!("the scenario has no `{key}`"), help);
        }
    }
    let name = root
        .get("name")
        .and_then(|name| report.name(name, "a scenario"));
    Head {
        name: name.unwrap_or("").to_owned(),
        start_ms: root
            .get("clock")
            .map_or(START_MS, |clock| clock_of(report, clock)),
        runs: root
            .get("explore")
            .and_then(|explore| runs_of(report, explore)),
    }
}

fn clock_of(report: &Report<'_>, node: &Node) -> i64 {
    let found = node.scalar().and_then(duration::parse_instant);
    if found.is_none() {
        report.at(
            node,
            "`clock` is an instant in UTC",
            "write 2025-11-12T20:39:00Z",
        );
    }
    found.unwrap_or(START_MS)
}

fn runs_of(report: &Report<'_>, node: &Node) -> Option<u64> {
    report.only(node, "`explore`", &["runs"]);
    let runs = node.get("runs")?;
    let number = report.whole(runs, "`runs`", MOST_RUNS);
    if number == Some(0) {
        let help =
            "a search has at least one run, the quiet one; leave `explore` out for the default";
        report.at(runs, "`runs` is 0", help);
    }
    number.map(|number| number.max(1))
}

/// Everything about one variant that has been lowered, before it is put together.
struct Lowered<'w> {
    setup: Flow,
    versions: Vec<Version>,
    /// For each version those of its flows.
    scopes: Vec<Vec<Scope<'w>>>,
    events: Vec<Event>,
    changes_schema: bool,
}

fn variant(
    report: &Report<'_>,
    root: &Node,
    entry: &Entry,
    head: &Head,
    earlier: &[&Entry],
) -> Option<Program> {
    let mut draft = draft::draft(report, root, entry.name(), &entry.value);
    let leg = start::Leg::of(report, &mut draft, entry, earlier);
    leave_out(root, &mut draft);
    let databases = database::databases(report, root);
    let names = database::names(&databases);
    let mut texts = processes(report, &draft, &names);
    let memory = world::share_memory(&mut texts);
    let processes: Vec<Process> = texts.iter().map(|text| text.process.clone()).collect();
    let resources = world::resources(report, root.get("resources"));
    let world = World {
        report,
        checker: checker(report, &draft, entry, leg.as_ref(), &databases)?,
        databases: names,
        flows: draft.flows.clone(),
        versions: version_names(&draft),
        memory,
        errors: errors(&resources, &draft),
        resources,
        locks: world::locks(report, root.get("locks")),
        processes,
        store: draft.store,
    };
    let repair = leg.as_ref().map(|leg| leg.repair(&world));
    let schema = leg.map_or_else(|| schema(&draft.schemas), |leg| leg.schema(&world));
    let lowered = flows(&world, &draft, root);
    for scopes in &lowered.scopes {
        reach::check(&world, scopes, &texts, &lowered.events);
    }
    let (invariants, goals) = rules(&world, &draft, root);
    let Lowered {
        setup,
        versions,
        events,
        changes_schema,
        ..
    } = lowered;
    Some(Program {
        variant: draft.name,
        store: draft.store,
        target: draft.target,
        start_ms: head.start_ms,
        before: None,
        repair: repair.unwrap_or_default(),
        schema,
        databases: database::lowered(&databases),
        changes_schema,
        setup,
        faults: fault::lower(report, &world.processes, root.get("faults")),
        resources: world.resources,
        locks: world.locks,
        effects: world::effects(report, root.get("effects")),
        processes: world.processes,
        versions,
        events,
        invariants,
        goals,
        // Decisions are spread over all legs.
        runs: head.runs.unwrap_or(RUNS * (earlier.len() as u64 + 1)),
    })
}

fn checker(
    report: &Report<'_>,
    draft: &Draft<'_>,
    entry: &Entry,
    leg: Option<&start::Leg<'_>>,
    databases: &[(&str, &Node)],
) -> Option<Checker> {
    match Checker::open(draft.store, databases.len()) {
        Ok(checker) => {
            match leg {
                Some(leg) => leg.prepare(report, &checker),
                None => draft
                    .schemas
                    .iter()
                    .for_each(|schema| checker.schema(report, 0, schema)),
            }
            for (file, (_, schema)) in (1..).zip(databases) {
                checker.schema(report, file, schema);
            }
            Some(checker)
        }
        Err(error) => {
            let message = format!("the scratch database does not open: {error}");
            report.at(
                &entry.key,
                message,
                "this is a fault of Lockstep, not of the file",
            );
            None
        }
    }
}

/// Names that `catch` may give to errors besides the classes.
fn errors(resources: &[Resource], draft: &Draft<'_>) -> Vec<String> {
    let mut found: Vec<String> = resources
        .iter()
        .map(|resource| resource.refuses.clone())
        .collect();
    found.extend(
        [
            "fenced",
            "gone",
            "elsewhere",
            "runaway",
            "no_such_flow",
            "lost",
        ]
        .map(str::to_owned),
    );
    let versions = draft.versions.iter().flat_map(|version| &version.flows);
    for step in draft
        .flows
        .iter()
        .chain(versions)
        .flat_map(|flow| &flow.steps)
    {
        verbs_task::raised(step, &mut found);
    }
    found
}

fn version_names(draft: &Draft<'_>) -> Vec<String> {
    let others = draft.versions.iter().map(|version| version.name.clone());
    [version::BASE.to_owned()]
        .into_iter()
        .chain(others)
        .collect()
}

/// Leaves out flows that wait for a variant with another store.
fn leave_out(root: &Node, draft: &mut Draft<'_>) {
    let roots = roots(root, draft);
    let versions = draft.versions.iter_mut();
    let mut codes = vec![&mut draft.flows];
    codes.extend(versions.map(|version| &mut version.flows));
    if draft.store {
        reach::prune(&mut codes, &roots);
    } else {
        reach::prune_operations(&mut codes, &roots);
    }
}

/// Names of the flows that something outside of flows runs.
fn roots(root: &Node, draft: &Draft<'_>) -> Vec<String> {
    let mut found = Vec::new();
    draft
        .setup
        .iter()
        .for_each(|step| reach::called(step, &mut found));
    for layers in &draft.processes {
        // What a variant says about a process takes the place of what the file says.
        let last = |key: &str| layers.iter().rev().find_map(|entry| entry.value.get(key));
        let looped = last("loop").and_then(|looped| looped.get("flow"));
        let nodes = [last("start"), last("stop"), looped].into_iter().flatten();
        found.extend(nodes.filter_map(Node::scalar).map(str::to_owned));
    }
    let events = root.get("events");
    let listed = events
        .and_then(Node::list)
        .unwrap_or(&[])
        .iter()
        .filter_map(Node::entries)
        .flatten();
    let mapped = events.and_then(Node::entries).unwrap_or(&[]).iter();
    let sends = listed
        .chain(mapped)
        .filter_map(|entry| entry.value.get("send"));
    found.extend(sends.filter_map(Node::scalar).map(str::to_owned));
    found
}

fn processes(report: &Report<'_>, draft: &Draft<'_>, databases: &[String]) -> Vec<ProcessText> {
    let layers = draft.processes.iter();
    let names = version_names(draft);
    let known = world::Known {
        flows: &draft.flows,
        versions: names.iter().map(String::as_str).collect(),
        databases: databases.iter().map(String::as_str).collect(),
    };
    layers
        .filter_map(|layers| world::process(report, layers, &known))
        .collect()
}

/// The setup and a repair run without any process and without faults: statements and operations with constants.
fn plain_step(world: &World<'_>, name: &str, step: &Step, node: &Node) {
    let free = |expr: &Expr| match expr {
        Expr::Const(_) => true,
        Expr::Var(_) | Expr::Answer(..) => false,
        Expr::Sql(sql) => sql.params.is_empty(),
    };
    let plain = match &step.kind {
        StepKind::Sql { sql, .. } => sql.params.is_empty(),
        StepKind::Op { args, .. } => args.iter().all(|(_, expr)| free(expr)),
        _ => false,
    };
    if !plain {
        let help =
            format!("give `{name}` only `sql` and `op` steps, with values instead of variables");
        let message = format!("the {name} takes no such step");
        world.report.at(node, message, help);
    }
}

/// Steps that run while no process does: the setup, or a repair.
fn outside(world: &World<'_>, name: &str, steps: &[Node]) -> Flow {
    let text = FlowText {
        name: name.to_owned(),
        params: Vec::new(),
        steps: steps.to_vec(),
        own: true,
        missing: false,
    };
    let (flow, scope) = flow::lower(world, &text, Some(0));
    for used in &scope.uses {
        let help = format!(
            "the {name} runs before any process exists; give memory its first value in `processes`"
        );
        let message = format!("the {name} has no memory");
        world.report.add(used.start, used.end, message, help);
    }
    for (step, node) in flow.steps.iter().zip(steps) {
        plain_step(world, name, step, node);
    }
    flow
}

fn flows<'w>(world: &'w World<'w>, draft: &Draft<'_>, root: &Node) -> Lowered<'w> {
    let setup = outside(world, "setup", &draft.setup);
    // The setup itself only knows the schema of the file.
    let mut ddl = Vec::new();
    ddl::of_steps(&draft.setup, &mut ddl);
    let in_setup = ddl.len();
    let others = draft.versions.iter().flat_map(|version| &version.flows);
    let texts = world.flows.iter().chain(others);
    texts.for_each(|text| ddl::of_steps(&text.steps, &mut ddl));
    world.checker.flows_change(&ddl);
    let base = [(version::BASE, &world.flows)];
    let others = draft
        .versions
        .iter()
        .map(|version| (version.name.as_str(), &version.flows));
    let (versions, scopes) = base
        .into_iter()
        .chain(others)
        .map(|(name, texts)| {
            let lowered = texts.iter().map(|text| flow::lower(world, text, None));
            let (flows, scopes) = lowered.unzip();
            let name = name.to_owned();
            (Version { name, flows }, scopes)
        })
        .unzip();
    let events = root
        .get("events")
        .map_or(Vec::new(), |node| event::events(world, node));
    Lowered {
        setup,
        versions,
        scopes,
        events,
        changes_schema: ddl.len() > in_setup,
    }
}

/// Rules on a snapshot are prepared before the recorded tables exist, the others after.
fn rules(world: &World<'_>, draft: &Draft<'_>, root: &Node) -> (Vec<Invariant>, Vec<Goal>) {
    if let Err(error) = world.checker.attach(&world.databases) {
        let message = format!("the further databases cannot be read by rules: {error}");
        let help = "this is a fault of Lockstep, not of the file";
        world.report.add(0, 0, message, help);
    }
    let plain = rule::invariants(world, &draft.invariants, false);
    if let Err(error) = world.checker.record() {
        let help = "event, effect and change are names of recorded tables";
        world.report.add(
            0,
            0,
            format!("the recorded tables cannot be made: {error}"),
            help,
        );
    }
    let recorded = rule::invariants(world, &draft.invariants, true);
    let invariants = plain
        .into_iter()
        .zip(recorded)
        .filter_map(|(plain, recorded)| plain.or(recorded));
    (invariants.collect(), rule::goals(world, root.get("goals")))
}

/// The DDL of base and variant, one after the other.
fn schema(nodes: &[&Node]) -> String {
    let mut text = String::new();
    for ddl in nodes.iter().filter_map(|node| node.scalar()) {
        text.push_str(ddl.trim());
        if !ddl.trim().is_empty() && !ddl.trim().ends_with(';') {
            text.push(';');
        }
        text.push('\n');
    }
    text
}
