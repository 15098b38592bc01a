//! What steps do, as far as a repair has to know.

pub(super) use crate::scenario::visit;
use crate::scenario::{Expr, Place, Sql, Step, StepKind, Var, bodies_mut};

/// Which step of a flow: its name, and where it stands in the file. Other versions of the code may have it, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Its site.
    pub site: String,
    /// Its place.
    pub at: Place,
}

impl Spot {
    pub(super) fn of(step: &Step) -> Self {
        Self {
            site: step.site.as_str().to_owned(),
            at: step.at,
        }
    }

    pub(super) fn is(&self, step: &Step) -> bool {
        step.at == self.at && step.site.as_str() == self.site
    }
}

/// Whether a step only asks and changes the database, or computes: it may stand in a transaction.
pub(super) fn is_of_database(step: &Step) -> bool {
    let all = |steps: &[Step]| steps.iter().all(is_of_database);
    let plain = step.catch.is_empty() && step.finally.is_empty() && step.network.is_none();
    plain
        && match &step.kind {
            StepKind::Read { none, .. } => none.as_deref().is_none_or(all),
            StepKind::Sql { otherwise, .. } => all(otherwise),
            StepKind::Set(_) | StepKind::NewId(_) => true,
            StepKind::If {
                then, otherwise, ..
            } => all(then) && all(otherwise),
            StepKind::Each { steps, .. } | StepKind::While { steps, .. } => all(steps),
            _ => false,
        }
}

/// How many statements it has, those below it among them.
pub(super) fn statements(steps: &[Step]) -> usize {
    let mut count = 0;
    visit(steps, &mut |step| {
        count += usize::from(sql_of(step).is_some());
    });
    count
}

/// The statement of a step.
pub(super) fn sql_of(step: &Step) -> Option<&Sql> {
    match &step.kind {
        StepKind::Read { sql, .. } | StepKind::Sql { sql, .. } | StepKind::Each { sql, .. } => {
            Some(sql)
        }
        _ => None,
    }
}

/// The step that stands there.
pub(super) fn find<'a>(steps: &'a [Step], spot: &Spot) -> Option<&'a Step> {
    let mut found = None;
    visit(steps, &mut |step| {
        if found.is_none() && spot.is(step) {
            found = Some(step);
        }
    });
    found
}

/// Changes every step, those above before those below them; whether any was changed. What is below a changed step is left alone.
pub(super) fn visit_mut(steps: &mut [Step], change: &mut dyn FnMut(&mut Step) -> bool) -> bool {
    let mut any = false;
    for step in steps {
        if change(step) {
            // What it has become holds the step itself, perhaps: it is not changed twice.
            any = true;
            continue;
        }
        for below in bodies_mut(step) {
            any |= visit_mut(below, change);
        }
    }
    any
}

/// The statement of a step, to be changed.
pub(super) fn sql_mut(step: &mut Step) -> Option<&mut Sql> {
    match &mut step.kind {
        StepKind::Read { sql, .. } | StepKind::Sql { sql, .. } | StepKind::Each { sql, .. } => {
            Some(sql)
        }
        _ => None,
    }
}

/// The variables that a step reads in its statement or computes with.
pub(super) fn vars_mut(step: &mut Step, see: &mut dyn FnMut(&mut Var)) {
    let mut of_expr = |expr: &mut Expr| match expr {
        Expr::Var(var) => see(var),
        Expr::Sql(sql) => sql.params.iter_mut().for_each(&mut *see),
        Expr::Const(_) | Expr::Answer(..) => {}
    };
    match &mut step.kind {
        StepKind::Set(assigned) => assigned.iter_mut().for_each(|(_, expr)| of_expr(expr)),
        StepKind::If { condition, .. } | StepKind::While { condition, .. } => of_expr(condition),
        StepKind::Call { args, .. } | StepKind::Spawn { args, .. } => {
            args.iter_mut().for_each(of_expr);
        }
        _ => {
            if let Some(sql) = sql_mut(step) {
                sql.params.iter_mut().for_each(see);
            }
        }
    }
}

/// The same variables.
pub(super) fn vars_of(step: &Step) -> Vec<Var> {
    let mut vars = Vec::new();
    vars_mut(&mut step.clone(), &mut |var| vars.push(*var));
    vars
}

/// The variables that a step, or one below it, gives a value.
pub(super) fn assigned(step: &Step) -> Vec<Var> {
    let mut vars = Vec::new();
    visit(std::slice::from_ref(step), &mut |step| {
        vars.extend(given(step))
    });
    vars
}

/// The variables that a step itself gives a value.
pub(super) fn given(step: &Step) -> Vec<Var> {
    match &step.kind {
        StepKind::Read { into, .. } | StepKind::Each { into, .. } => into.clone(),
        StepKind::Set(all) => all.iter().map(|(var, _)| *var).collect(),
        StepKind::NewId(var) | StepKind::Choose { into: var, .. } => vec![*var],
        StepKind::Call { into, .. }
        | StepKind::Request { into, .. }
        | StepKind::Lock { into, .. }
        | StepKind::Op { into, .. }
        | StepKind::Use { create: into, .. } => into.iter().copied().collect(),
        _ => Vec::new(),
    }
}
