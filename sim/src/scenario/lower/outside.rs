//! What runs while no process does: the setup, and the repair between two variants.

use super::super::node::Node;
use super::super::program::{Expr, Flow, Step, StepKind};
use super::flow::{self, FlowText, World};

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
pub(super) fn outside(world: &World<'_>, name: &str, steps: &[Node]) -> Flow {
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
