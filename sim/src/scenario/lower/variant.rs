//! One variant: from its draft to its program.

use super::super::ddl;
use super::super::node::{Entry, Node};
use super::super::problem::Report;
use super::super::program::{Event, Flow, Goal, Invariant, Process, Program, Resource, Version};
use super::super::sql::Checker;
use super::draft::{self, Draft};
use super::flow::{self, World};
use super::head::Head;
use super::outside::outside;
use super::scope::Scope;
use super::world::{self, ProcessText};
use super::{database, event, fault, reach, roots, rule, start, verbs_task, version};

/// Runs of a search when the file does not say.
const RUNS: u64 = 1_000;

/// Everything about one variant that has been lowered, before it is put together.
struct Lowered<'w> {
    setup: Flow,
    versions: Vec<Version>,
    /// For each version those of its flows.
    scopes: Vec<Vec<Scope<'w>>>,
    events: Vec<Event>,
    changes_schema: bool,
}

pub(super) fn variant(
    report: &Report<'_>,
    root: &Node,
    entry: &Entry,
    head: &Head,
    earlier: &[&Entry],
) -> Option<Program> {
    let mut draft = draft::draft(report, root, entry.name(), &entry.value);
    let leg = start::Leg::of(report, &mut draft, entry, earlier);
    roots::leave_out(root, &mut draft);
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
