//! Flows: their names and parameters, and the walk over their steps.

use rusqlite::types::Value;

use super::super::names;
use super::super::node::{Entry, Node};
use super::super::problem::Report;
use super::super::program::{Expr, Flow, Lock, Process, Resource, Step, StepKind};
use super::super::sql::Checker;
use super::scope::Scope;

/// A flow of one variant before it is lowered: patched, with its name taken apart.
#[derive(Debug, Clone)]
pub(super) struct FlowText {
    pub(super) name: String,
    pub(super) params: Vec<String>,
    pub(super) steps: Vec<Node>,
    /// Written or patched by the variant itself.
    pub(super) own: bool,
    /// This version of the code does not have it.
    pub(super) missing: bool,
}

/// All that the flows of one variant can name.
pub(super) struct World<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) checker: Checker,
    pub(super) flows: Vec<FlowText>,
    /// Names of the versions of the code, `base` first.
    pub(super) versions: Vec<String>,
    pub(super) memory: Vec<String>,
    pub(super) resources: Vec<Resource>,
    pub(super) locks: Vec<Lock>,
    pub(super) processes: Vec<Process>,
    /// Names of the database files, `main` first.
    pub(super) databases: Vec<String>,
    /// Names of errors that are not classes: refusals of resources, and what `raise` raises.
    pub(super) errors: Vec<String>,
    pub(super) store: bool,
}

impl World<'_> {
    pub(super) fn flow_names(&self) -> Vec<&str> {
        self.flows.iter().map(|flow| flow.name.as_str()).collect()
    }

    /// The files that are the database of some process, each once.
    pub(super) fn defaults(&self) -> Vec<usize> {
        let files = 0..self.databases.len();
        let is_used = |file: &usize| {
            self.processes
                .iter()
                .any(|process| process.database == *file)
        };
        let used: Vec<usize> = files.filter(is_used).collect();
        if used.is_empty() { vec![0] } else { used }
    }
}

/// The walk over the steps of one flow.
pub(super) struct Walk<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) scope: Scope<'w>,
}

/// Takes `name(a, b)` apart; a bare name has `None` for its parameters.
pub(super) fn signature(
    report: &Report<'_>,
    entry: &Entry,
) -> Option<(String, Option<Vec<String>>)> {
    let text = entry.name();
    let (name, params) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => (name, rest.strip_suffix(')')),
    };
    let name = name.trim();
    if !names::is_name(name) || (text.contains('(') && params.is_none()) {
        let message = format!("`{text}` is no flow: a flow is written name(parameter, parameter)");
        report.at(
            &entry.key,
            message,
            "inside { } the key needs quotes: { \"save(chat, q)\": […] }",
        );
        return None;
    }
    let Some(params) = params else {
        return Some((name.to_owned(), None));
    };
    let mut found: Vec<String> = Vec::new();
    for param in params
        .split(',')
        .map(str::trim)
        .filter(|_| !params.trim().is_empty())
    {
        let taken = found.iter().any(|other| other == param);
        let reserved = super::scope::builtin(param).is_some() || param.starts_with("memory_");
        if !names::is_name(param) || taken || reserved {
            let message = format!("`{param}` cannot be a parameter of `{name}`");
            let help = "a parameter is a name of its own, without `:`, and none of the harness's variables";
            report.at(&entry.key, message, help);
            return None;
        }
        found.push(param.to_owned());
    }
    Some((name.to_owned(), Some(found)))
}

/// Lowers one flow; what is wrong with it is in the report. `db`: the file of steps that name none, if no process runs them.
pub(super) fn lower<'w>(
    world: &'w World<'w>,
    text: &FlowText,
    db: Option<usize>,
) -> (Flow, Scope<'w>) {
    let mut scope = Scope::new(&text.params, &world.memory);
    scope.db = db;
    let mut walk = Walk { world, scope };
    let steps = if text.missing {
        vec![walk.absent(&text.name)]
    } else {
        walk.steps(&text.steps)
    };
    let flow = Flow {
        name: text.name.clone(),
        params: text.params.len(),
        locals: walk.scope.locals.clone(),
        steps,
    };
    (flow, walk.scope)
}

impl Walk<'_> {
    /// What a version does that is asked for a flow it does not have.
    fn absent(&self, name: &str) -> Step {
        let kind = StepKind::Raise {
            name: "no_such_flow".to_owned(),
            message: Some(Expr::Const(Value::Text(name.to_owned()))),
        };
        Step::unwritten(&format!("no flow {name}"), kind)
    }

    /// Lowers a body. Steps that are wrong are left out, since their problem stops the load anyway.
    pub(super) fn steps(&mut self, nodes: &[Node]) -> Vec<Step> {
        nodes.iter().filter_map(|node| self.step(node)).collect()
    }
}
