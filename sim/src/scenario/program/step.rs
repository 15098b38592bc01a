//! Steps of flows, and the errors that they catch.

use std::rc::Rc;

use super::{Expr, Millis, Place, Span, Sql, Var};

/// Rounds that a `while` may take before it fails with `runaway`.
pub const ROUNDS: u32 = 1_000;

/// One step of a flow.
#[derive(Debug, Clone)]
pub struct Step {
    /// Site of its gate and name in reports: the label, else kind and table or name, such as `sql session`.
    pub site: crate::label::Label,
    /// The file in which it stands; empty for one that nobody has written.
    pub file: Rc<str>,
    /// Where the step stands in the file.
    pub at: Place,
    /// What it does.
    pub kind: StepKind,
    /// It fails with `timeout` when it has taken so long, at the next point where it waits or goes on.
    pub within: Option<Millis>,
    /// Its statement goes over the network, and its author waits so long for the result.
    pub network: Option<Millis>,
    /// Steps that run when it has ended, however it has.
    pub finally: Vec<Step>,
    /// Error classes that it catches, first match wins.
    pub catch: Vec<(ErrorClass, Vec<Step>)>,
}

impl Step {
    /// A step that stands in no file, with nothing around it.
    pub fn unwritten(site: &str, kind: StepKind) -> Self {
        Self {
            site: crate::label::Label::new(site),
            file: "".into(),
            at: Place::default(),
            kind,
            within: None,
            network: None,
            finally: Vec::new(),
            catch: Vec::new(),
        }
    }
}

/// Classes of errors that a step can catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorClass {
    /// The database was locked for longer than the busy timeout.
    Busy,
    /// A constraint or trigger refused.
    Constraint,
    /// Time ran out.
    Timeout,
    /// It may have happened.
    Unknown,
    /// A refusal by name: of a resource (`in_use`), or an error of the reference store (`fenced`, `closed`, `stale` …).
    Named(String),
    /// Any of them.
    Error,
}

/// What a step does. Bodies are lists of steps.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// `read`: first row binds its columns; no row runs `none` (without `none` it binds NULL).
    Read {
        /// The query.
        sql: Sql,
        /// Where each column goes.
        into: Vec<Var>,
        /// Steps when there is no row.
        none: Option<Vec<Step>>,
    },
    /// `sql`: a write. With `rows`, another count of changed rows runs `otherwise`.
    Sql {
        /// The statement.
        sql: Sql,
        /// Expected number of changed rows.
        rows: Option<u64>,
        /// Steps when the count differs.
        otherwise: Vec<Step>,
    },
    /// `set`: assignments in order.
    Set(Vec<(Var, Expr)>),
    /// `new_id`: a fresh id, derived from the cause and an occurrence.
    NewId(Var),
    /// `call`: runs a flow of its own frame, `times` times.
    Call {
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter.
        args: Vec<Expr>,
        /// How often.
        times: u32,
        /// Where the value of its `return` goes.
        into: Option<Var>,
    },
    /// `if`: true when the value is neither NULL nor 0.
    If {
        /// Condition.
        condition: Expr,
        /// When true.
        then: Vec<Step>,
        /// When false.
        otherwise: Vec<Step>,
    },
    /// `each`: runs `steps` once for each row, which binds its columns.
    Each {
        /// The query; all of its rows are fetched before the first round.
        sql: Sql,
        /// Where each column goes.
        into: Vec<Var>,
        /// Steps of one round.
        steps: Vec<Step>,
    },
    /// `while`: runs `steps` as long as the value is neither NULL nor 0, at most [`ROUNDS`] times.
    While {
        /// Condition.
        condition: Expr,
        /// Steps of one round.
        steps: Vec<Step>,
    },
    /// `raise`: fails with an error of the scenario's own.
    Raise {
        /// Its name, for `catch`.
        name: String,
        /// Its text.
        message: Option<Expr>,
    },
    /// `spawn`: a task beside this one, in the same process and as volatile as its memory.
    Spawn {
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter.
        args: Vec<Expr>,
        /// How long it waits before it begins.
        delay: Span,
        /// A later one of the same name takes the place of one that has not begun.
        name: Option<Expr>,
    },
    /// `cancel`: a task of this name that has not begun never will.
    Cancel(Expr),
    /// `request`: a message to another process.
    Request {
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter.
        args: Vec<Expr>,
        /// Index into `Program::processes`.
        process: usize,
        /// Which instance, from 0; none takes them in turn.
        instance: Option<u32>,
        /// How long to wait for the answer; none does not wait.
        wait: Option<Millis>,
        /// Where the answer goes, as JSON text.
        into: Option<Var>,
    },
    /// `reply`: answers the delivery; the flow goes on.
    Reply(Vec<(String, Expr)>),
    /// `return`: ends the flow with a value; an open transaction of this flow is rolled back.
    Return(Option<Expr>),
    /// `atomic`: no other flow of this process goes on meanwhile.
    Atomic(Vec<Step>),
    /// `choose`: one of several values; the quiet run takes the first.
    Choose {
        /// Where it goes.
        into: Var,
        /// The values.
        from: Vec<Expr>,
    },
    /// `renew`: a lock that this flow holds counts as taken now.
    Renew {
        /// Index into `Program::locks`.
        lock: usize,
        /// Which one.
        key: Expr,
    },
    /// `transaction`: commits at its end; an uncaught error or `return` rolls back.
    Transaction {
        /// `BEGIN IMMEDIATE` instead of a plain `BEGIN`.
        immediate: bool,
        /// The file that it is on, as in [`super::Process::database`]; none is that of the process.
        db: Option<usize>,
        /// Steps inside.
        steps: Vec<Step>,
    },
    /// `lock`: waits for a named lock, runs `steps`, releases.
    Lock {
        /// Index into `Program::locks`.
        lock: usize,
        /// Which one.
        key: Expr,
        /// How long to wait; none waits for ever.
        wait: Option<Millis>,
        /// Where its generation goes: the fencing token.
        into: Option<Var>,
        /// While holding it.
        steps: Vec<Step>,
        /// When the wait ran out.
        otherwise: Vec<Step>,
    },
    /// `take`: time passes.
    Take(Span),
    /// `effect`: something outside happens, once more.
    Effect {
        /// Name of the effect.
        name: String,
        /// The user's declared intent.
        intent: Option<Expr>,
        /// The provider's idempotency key.
        key: Option<Expr>,
        /// A number to sum.
        value: Option<Expr>,
        /// To whom.
        to: Option<Expr>,
        /// It goes over the network, and its author waits so long to be told that it happened.
        wait: Option<Millis>,
    },
    /// `use`: uses a resource.
    Use {
        /// Index into `Program::resources`.
        resource: usize,
        /// Which one; NULL with `create` makes a new one.
        key: Expr,
        /// How long the use takes.
        hold: Span,
        /// Where the key of a new one goes.
        create: Option<Var>,
        /// The user's generation; one below the highest seen is refused.
        fence: Option<Expr>,
        /// What is done while it is used.
        steps: Vec<Step>,
        /// Delays between attempts after a refusal.
        retry: Vec<Millis>,
        /// Steps when the last attempt was refused.
        otherwise: Vec<Step>,
    },
    /// `op`: an operation of the reference store.
    Op {
        /// Operation, as in `lockstep_store::Op`'s serde tag.
        name: String,
        /// Fields of the operation by dotted path, such as `key.chat`.
        args: Vec<(String, Expr)>,
        /// The `op_id`, if the operation takes one; derived from the cause when absent.
        op_id: Option<Expr>,
        /// Where the reply goes, as JSON text.
        into: Option<Var>,
    },
}

/// Every step and those below it, in order.
pub fn visit<'a>(steps: &'a [Step], see: &mut dyn FnMut(&'a Step)) {
    for step in steps {
        see(step);
        for below in bodies(step) {
            visit(below, see);
        }
    }
}

fn bodies(step: &Step) -> Vec<&[Step]> {
    let mut all: Vec<&[Step]> = match &step.kind {
        StepKind::Read { none, .. } => none.iter().map(Vec::as_slice).collect(),
        StepKind::Sql { otherwise, .. } => vec![otherwise],
        StepKind::If {
            then, otherwise, ..
        } => vec![then, otherwise],
        StepKind::Each { steps, .. }
        | StepKind::While { steps, .. }
        | StepKind::Atomic(steps)
        | StepKind::Transaction { steps, .. } => vec![steps],
        StepKind::Lock {
            steps, otherwise, ..
        }
        | StepKind::Use {
            steps, otherwise, ..
        } => vec![steps, otherwise],
        _ => Vec::new(),
    };
    all.push(&step.finally);
    all.extend(step.catch.iter().map(|(_, steps)| steps.as_slice()));
    all
}

/// The lists of steps below a step, to be changed.
pub fn bodies_mut(step: &mut Step) -> Vec<&mut Vec<Step>> {
    let mut all: Vec<&mut Vec<Step>> = match &mut step.kind {
        StepKind::Read { none, .. } => none.iter_mut().collect(),
        StepKind::Sql { otherwise, .. } => vec![otherwise],
        StepKind::If {
            then, otherwise, ..
        } => vec![then, otherwise],
        StepKind::Each { steps, .. }
        | StepKind::While { steps, .. }
        | StepKind::Atomic(steps)
        | StepKind::Transaction { steps, .. } => vec![steps],
        StepKind::Lock {
            steps, otherwise, ..
        }
        | StepKind::Use {
            steps, otherwise, ..
        } => vec![steps, otherwise],
        _ => Vec::new(),
    };
    all.push(&mut step.finally);
    all.extend(step.catch.iter_mut().map(|(_, steps)| steps));
    all
}
