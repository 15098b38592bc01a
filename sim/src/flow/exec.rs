//! Executes steps: control flow, errors and what catches them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rusqlite::types::Value;

use super::value::truth;
use super::volatile::{Memory, memory};
use super::{Expr, Shared, StepKind, Var, effect, lock, op, resource, sql, task};
use crate::label::Label;
use crate::run::{Ctx, Way};
use crate::scenario::{ErrorClass, Flow, ROUNDS, Span, Step};
use crate::trace::{self, Arg, Kind, Outcome};

/// Why a step failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) class: ErrorClass,
    pub(super) words: String,
    /// Where it came about: file and line of the innermost step.
    at: Option<(Rc<str>, u32)>,
}

impl Failure {
    pub(super) fn new(class: ErrorClass, words: String) -> Self {
        let at = None;
        Self { class, words, at }
    }

    fn place(&self) -> String {
        let at = self.at.as_ref().filter(|(file, _)| !file.is_empty());
        at.map_or(String::new(), |(file, line)| format!("{file}:{line}"))
    }
}

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Step,
    Return,
}

pub(super) type Done = Result<Next, Failure>;

/// Where a delivery or a task comes from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// Label of the event that is behind it.
    pub(super) event: Rc<str>,
    /// Number of the connection on which it came.
    pub(super) connection: Option<u32>,
    /// Which delivery of the event it is, from 1.
    pub(super) attempt: u32,
}

impl Origin {
    /// The origin of a message that a handler sends on.
    pub(super) fn sent(&self) -> Self {
        Self {
            event: Rc::clone(&self.event),
            connection: None,
            attempt: 1,
        }
    }
}

/// One delivery being handled.
pub(super) struct Exec<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) shared: &'a Rc<Shared>,
    pub(super) origin: &'a Origin,
    /// The version of the code that was running when this began: it goes on to its end.
    pub(super) code: usize,
    pub(super) memory: Memory,
    pub(super) error: RefCell<Option<String>>,
    /// When the nearest `within` runs out, milliseconds of virtual time.
    deadline: Cell<Option<u64>>,
    /// Locks that this holds, the last one last.
    pub(super) held: RefCell<Vec<lock::Held>>,
}

/// Variables of one running flow.
pub(super) struct Frame {
    pub(super) values: Vec<Value>,
    /// The value of its `return`.
    returned: Value,
}

/// Handles a delivery. An uncaught error ends it without a reply.
pub(super) fn deliver(ctx: &Ctx, shared: &Rc<Shared>, origin: &Origin, flow: usize, args: &[Expr]) {
    if let Err(failure) = handle(ctx, shared, origin, flow, args) {
        ctx.failed(&failure.words);
    }
}

/// Runs a flow with these arguments.
pub(super) fn handle(
    ctx: &Ctx,
    shared: &Rc<Shared>,
    origin: &Origin,
    flow: usize,
    args: &[Expr],
) -> Result<(), Failure> {
    let exec = Exec {
        ctx,
        shared,
        origin,
        code: ctx.process().code.get(),
        memory: memory(ctx, &shared.program, origin.connection),
        error: RefCell::new(None),
        deadline: Cell::new(None),
        held: RefCell::default(),
    };
    let outer = Frame {
        values: Vec::new(),
        returned: Value::Null,
    };
    let done = exec.call(&outer, flow, args).map(|_| ());
    let flow = &shared.program.versions[0].flows[flow].name;
    match &done {
        Ok(()) => ctx.kernel().ended_well(flow),
        Err(failure) => ctx
            .kernel()
            .ended_badly(flow, &failure.place(), &failure.words),
    }
    done
}

impl Exec<'_> {
    /// Runs a flow in a frame of its own.
    fn call(&self, caller: &Frame, flow: usize, args: &[Expr]) -> Result<Value, Failure> {
        let flow: &Flow = &self.shared.program.versions[self.code].flows[flow];
        let mut frame = Frame {
            values: vec![Value::Null; flow.locals.len()],
            returned: Value::Null,
        };
        for (slot, arg) in args.iter().enumerate().take(flow.params) {
            frame.values[slot] = self.value(caller, arg)?;
        }
        self.steps(&mut frame, &flow.steps)?;
        Ok(frame.returned)
    }

    pub(super) fn steps(&self, frame: &mut Frame, steps: &[Step]) -> Done {
        for step in steps {
            if self.step(frame, step)? == Next::Return {
                return Ok(Next::Return);
            }
        }
        Ok(Next::Step)
    }

    fn step(&self, frame: &mut Frame, step: &Step) -> Done {
        let done = self.caught(frame, step);
        if step.finally.is_empty() {
            return done;
        }
        // What has run out of time still cleans up.
        let outer = self.deadline.replace(None);
        let last = self.steps(frame, &step.finally);
        self.deadline.set(outer);
        match last {
            Ok(Next::Step) => done,
            other => other,
        }
    }

    fn caught(&self, frame: &mut Frame, step: &Step) -> Done {
        match self.in_time(frame, step) {
            Ok(next) => Ok(next),
            Err(mut failure) => {
                let here = || (Rc::clone(&step.file), step.at.line);
                failure.at.get_or_insert_with(here);
                let Some((_, body)) = step
                    .catch
                    .iter()
                    .find(|(class, _)| catches(class, &failure.class))
                else {
                    return Err(failure);
                };
                self.ctx.learns(Label::new(&failure.words).hash());
                let before = self.error.replace(Some(failure.words));
                let done = self.steps(frame, body);
                *self.error.borrow_mut() = before;
                done
            }
        }
    }

    /// Performs a step before its own time and that of the steps around it run out.
    fn in_time(&self, frame: &mut Frame, step: &Step) -> Done {
        let outer = self.deadline.get();
        self.check_time(&step.site)?;
        let own = step.within.map(|within| self.ctx.now_ms() + within);
        self.deadline.set([outer, own].into_iter().flatten().min());
        let done = match step.network {
            None => self.perform(frame, step),
            Some(wait) => self.over_the_network(frame, step, wait),
        };
        self.deadline.set(outer);
        done
    }

    /// A statement to a database elsewhere: it may not arrive, or its result may not.
    fn over_the_network(&self, frame: &mut Frame, step: &Step, wait_ms: u64) -> Done {
        self.ctx.touches_anything();
        let nth = self.ctx.nth(&step.site);
        let message = Label::new(&format!("{}/{}#{nth}", self.ctx.cause(), step.site));
        match self.ctx.call_outside(&message) {
            Way::Straight => return self.perform(frame, step),
            Way::Late(ms) if ms < wait_ms => {
                self.sleep(&step.site, ms)?;
                return self.perform(frame, step);
            }
            Way::Lost => {}
            // Nobody learns what a query has found; what a statement has written is there.
            Way::Unheard | Way::Late(_) => {
                if let StepKind::Sql { sql, .. } = &step.kind {
                    sql::write(self, frame, step, sql, None, &[])?;
                }
            }
        }
        self.unanswered(step, wait_ms)
    }

    /// Nobody answers a step's message for as long as its author waits.
    pub(super) fn unanswered(&self, step: &Step, wait_ms: u64) -> Done {
        self.sleep(&step.site, wait_ms)?;
        Err(Failure::new(
            ErrorClass::Timeout,
            format!("{}: no answer in {wait_ms} ms", step.site),
        ))
    }

    fn check_time(&self, site: &Label) -> Result<(), Failure> {
        let now = self.ctx.now_ms();
        if self.deadline.get().is_some_and(|deadline| now >= deadline) {
            return Err(Failure::new(
                ErrorClass::Timeout,
                format!("{site}: its time is over"),
            ));
        }
        Ok(())
    }

    /// The earlier of a time and the end of the nearest `within`.
    pub(super) fn at_most(&self, until_ms: Option<u64>) -> Option<u64> {
        [until_ms, self.deadline.get()].into_iter().flatten().min()
    }

    /// Sleeps for so long, or until the time of the nearest `within` is over, which is an error.
    pub(super) fn sleep(&self, site: &Label, ms: u64) -> Result<(), Failure> {
        let until = self.ctx.now_ms().saturating_add(ms);
        let until = self.at_most(Some(until)).unwrap_or(until);
        self.ctx.sleep_until(site, until);
        self.check_time(site)
    }

    fn take(&self, step: &Step, span: Span) -> Done {
        let ms = self.ctx.amount(&step.site, span.shortest, span.longest);
        let arg = Arg::Text(format!("{ms} ms").into());
        let event = self.ctx.event(Kind::Take, arg, Outcome::Open);
        let done = self.sleep(&step.site, ms);
        let outcome = match &done {
            Ok(()) => Outcome::Done,
            Err(failure) => Outcome::Error(failure.words.as_str().into()),
        };
        self.ctx.close(event, outcome);
        done.map(|()| Next::Step)
    }

    /// No other flow of this process goes on until the steps have ended.
    fn atomic(&self, frame: &mut Frame, steps: &[Step]) -> Done {
        let outermost = self.ctx.hold_process();
        let done = self.steps(frame, steps);
        if outermost {
            self.ctx.release_process();
        }
        done
    }

    fn choose(&self, frame: &mut Frame, step: &Step, into: Var, from: &[Expr]) -> Done {
        let which = self.ctx.pick(&step.site, from.len() as u64);
        let chosen = usize::try_from(which)
            .ok()
            .and_then(|which| from.get(which));
        if let Some(chosen) = chosen {
            let value = self.value(frame, chosen)?;
            let arg = Arg::Text(format!("{} {}", step.site, trace::value_json(&value)).into());
            self.ctx.event(Kind::Choose, arg, Outcome::Done);
            self.assign(frame, into, value);
        }
        Ok(Next::Step)
    }

    fn perform(&self, frame: &mut Frame, step: &Step) -> Done {
        if touches_more(&step.kind) {
            self.ctx.touches_anything();
        }
        match &step.kind {
            StepKind::Read { sql, into, none } => {
                sql::read(self, frame, step, sql, into, none.as_deref())
            }
            StepKind::Sql {
                sql,
                rows,
                otherwise,
            } => sql::write(self, frame, step, sql, *rows, otherwise),
            StepKind::Transaction { .. } => sql::transaction(self, frame, step),
            StepKind::Set(assignments) => self.set(frame, assignments),
            StepKind::NewId(var) => self.new_id(frame, step, *var),
            StepKind::Call {
                flow,
                args,
                times,
                into,
            } => {
                for _ in 0..*times {
                    let value = self.call(frame, *flow, args)?;
                    if let Some(var) = into {
                        self.assign(frame, *var, value);
                    }
                }
                Ok(Next::Step)
            }
            StepKind::If {
                condition,
                then,
                otherwise,
            } => {
                let holds = truth(&self.value(frame, condition)?);
                self.steps(frame, if holds { then } else { otherwise })
            }
            StepKind::Reply(fields) => self.reply(frame, step, fields),
            StepKind::Return(value) => {
                if let Some(value) = value {
                    frame.returned = self.value(frame, value)?;
                }
                Ok(Next::Return)
            }
            StepKind::Take(span) => self.take(step, *span),
            StepKind::Atomic(steps) => self.atomic(frame, steps),
            StepKind::Choose { into, from } => self.choose(frame, step, *into, from),
            StepKind::Renew { lock, key } => lock::renew(self, frame, step, *lock, key),
            StepKind::Each { sql, into, steps } => sql::each(self, frame, step, sql, into, steps),
            StepKind::While { condition, steps } => self.repeat(frame, step, condition, steps),
            StepKind::Raise { name, message } => self.raise(frame, step, name, message.as_ref()),
            StepKind::Spawn { .. } => task::spawn(self, frame, step),
            StepKind::Cancel(name) => task::cancel(self, frame, step, name),
            StepKind::Request { .. } => task::request(self, frame, step),
            StepKind::Lock { .. } => lock::lock(self, frame, step),
            StepKind::Effect { .. } => effect::effect(self, frame, step),
            StepKind::Use { .. } => resource::use_resource(self, frame, step),
            StepKind::Op {
                name,
                args,
                op_id,
                into,
            } => op::perform(self, frame, step, name, args, op_id.as_ref(), *into),
        }
    }

    /// Rounds as long as the condition holds; too many are an error.
    fn repeat(&self, frame: &mut Frame, step: &Step, condition: &Expr, steps: &[Step]) -> Done {
        for _ in 0..ROUNDS {
            if !truth(&self.value(frame, condition)?) {
                return Ok(Next::Step);
            }
            self.ctx.gate(&step.site);
            if self.steps(frame, steps)? == Next::Return {
                return Ok(Next::Return);
            }
        }
        Err(Failure::new(
            ErrorClass::Named("runaway".to_owned()),
            format!("{}: more than {ROUNDS} rounds", step.site),
        ))
    }

    fn raise(&self, frame: &Frame, step: &Step, name: &str, message: Option<&Expr>) -> Done {
        let words = match message {
            Some(message) => format!("{name}: {}", trace::plain(&self.value(frame, message)?)),
            None => name.to_owned(),
        };
        self.ctx.gate(&step.site);
        let arg = Arg::Text(words.as_str().into());
        self.ctx.event(Kind::Raise, arg, Outcome::Done);
        Err(Failure::new(ErrorClass::Named(name.to_owned()), words))
    }

    fn reply(&self, frame: &Frame, step: &Step, fields: &[(String, Expr)]) -> Done {
        let mut object = serde_json::Map::new();
        for (name, expr) in fields {
            object.insert(name.clone(), trace::value_json(&self.value(frame, expr)?));
        }
        self.ctx.gate(&step.site);
        self.ctx
            .answer(&serde_json::Value::Object(object).to_string());
        Ok(Next::Step)
    }
}

/// Whether a step touches what has no name: locks, resources, tasks, the reference store.
const fn touches_more(kind: &StepKind) -> bool {
    matches!(
        kind,
        StepKind::Atomic(_)
            | StepKind::Renew { .. }
            | StepKind::Spawn { .. }
            | StepKind::Cancel(_)
            | StepKind::Request { .. }
            | StepKind::Lock { .. }
            | StepKind::Use { .. }
            | StepKind::Op { .. }
    )
}

fn catches(class: &ErrorClass, failure: &ErrorClass) -> bool {
    class == failure || *class == ErrorClass::Error
}
