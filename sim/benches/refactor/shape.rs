//! Refactors of the shape of code: what stood here stands there, in a function, a transaction, under a condition; other defaults.

use lockstep_sim::case::Decisions;
use lockstep_sim::scenario::{Builtin, Expr, Flow, Lock, Program, Span, Step, StepKind, Var};

use super::steps::{each_body, each_flow, each_leg, each_step, number};

/// The body of each flow in a flow of its own, which it calls.
pub(crate) fn extracted(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let count = program.versions[0].flows.len();
        for version in &mut program.versions {
            let inner: Vec<Flow> = version.flows.clone();
            for (at, flow) in version.flows.iter_mut().enumerate() {
                *flow = calling(flow, count + at);
            }
            version.flows.extend(inner.into_iter().map(|flow| Flow {
                name: format!("do_{}", flow.name),
                ..flow
            }));
        }
        true
    })
}

fn calling(flow: &Flow, inner: usize) -> Flow {
    let name = format!("call do_{}", flow.name);
    let mut locals = flow.locals[..flow.params].to_vec();
    locals.push("got".to_owned());
    let got = Var::Local(flow.params);
    let call = StepKind::Call {
        flow: inner,
        args: (0..flow.params)
            .map(|slot| Expr::Var(Var::Local(slot)))
            .collect(),
        times: 1,
        into: Some(got),
    };
    let back = StepKind::Return(Some(Expr::Var(got)));
    Flow {
        name: flow.name.clone(),
        params: flow.params,
        locals,
        steps: vec![
            Step::unwritten(&name, call),
            Step::unwritten("return", back),
        ],
    }
}

/// The body of each flow under a condition that is always true.
pub(crate) fn under_if(program: &mut Program, _: &Decisions) -> bool {
    around(program, &|steps| {
        let (condition, otherwise) = (number(1), Vec::new());
        let kind = StepKind::If {
            condition,
            then: steps,
            otherwise,
        };
        Step::unwritten("if", kind)
    })
}

/// The body of each flow under a lock that nobody else wants.
pub(crate) fn under_lock(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        program.locks.push(Lock {
            name: "own".to_owned(),
            breaks_on_waiter_timeout: false,
            careless_release: false,
            stale_after: None,
        });
        let lock = program.locks.len() - 1;
        each_flow(program, &mut |at, flow| {
            // A flow that another one calls has a lock of its own.
            let key = format!("'{at}'");
            let steps = std::mem::take(&mut flow.steps);
            flow.steps = vec![Step::unwritten("lock own", held(lock, &key, steps))];
        });
        true
    })
}

fn held(lock: usize, flow: &str, steps: Vec<Step>) -> StepKind {
    let key = Expr::Sql(lockstep_sim::scenario::Sql {
        text: format!("SELECT :delivery || {flow}"),
        params: vec![Var::Builtin(Builtin::Delivery)],
        db: None,
    });
    StepKind::Lock {
        lock,
        key,
        wait: None,
        into: None,
        steps,
        otherwise: Vec::new(),
    }
}

fn around(program: &mut Program, wrapped: &dyn Fn(Vec<Step>) -> Step) -> bool {
    each_leg(program, &mut |program| {
        each_flow(program, &mut |_, flow| {
            flow.steps = vec![wrapped(std::mem::take(&mut flow.steps))];
        });
        true
    })
}

/// Each write outside a transaction in one of its own.
pub(crate) fn in_transactions(program: &mut Program, _: &Decisions) -> bool {
    let mut found = false;
    each_leg(program, &mut |program| {
        each_flow(program, &mut |_, flow| {
            each_body(&mut flow.steps, false, &mut |body, within| {
                for step in body.iter_mut().filter(|step| !within && is_write(step)) {
                    found = true;
                    in_transaction(step);
                }
            });
        });
        true
    });
    found
}

/// A write that goes on in no other way, whatever it has changed.
fn is_write(step: &Step) -> bool {
    let StepKind::Sql { rows: None, .. } = &step.kind else {
        return false;
    };
    step.network.is_none() && step.catch.is_empty() && step.finally.is_empty()
}

fn in_transaction(write: &mut Step) {
    let StepKind::Sql { sql, .. } = &write.kind else {
        return;
    };
    let kind = StepKind::Transaction {
        immediate: false,
        db: sql.db,
        steps: vec![write.clone()],
    };
    *write = Step::unwritten("transaction", kind);
}

/// Times that somebody has chosen are a tenth longer: of loops, repeats, patience and what events wait.
pub(crate) fn times(program: &mut Program, _: &Decisions) -> bool {
    let mut found = false;
    let mut longer = |ms: &mut u64| {
        found |= *ms >= 10;
        *ms += *ms / 10;
    };
    each_leg(program, &mut |program| {
        for process in &mut program.processes {
            process
                .looped
                .iter_mut()
                .for_each(|looped| longer(&mut looped.every));
        }
        for event in &mut program.events {
            let repeats = event.redeliver.iter_mut();
            repeats.flat_map(|law| &mut law.gaps).for_each(&mut longer);
            event.every.iter_mut().for_each(|(every, _)| longer(every));
            longer(&mut event.at.shortest);
            longer(&mut event.at.longest);
        }
        each_flow(program, &mut |_, flow| {
            each_step(&mut flow.steps, &mut |step| {
                if let StepKind::Lock {
                    wait: Some(wait), ..
                } = &mut step.kind
                {
                    longer(wait);
                }
            });
        });
        true
    });
    found
}

/// Steps take a tenth longer at least, and a fifth at most.
pub(crate) fn durations(program: &mut Program, _: &Decisions) -> bool {
    let mut found = false;
    let mut slower = |span: &mut Span| {
        found |= span.longest >= 10;
        span.shortest += span.shortest / 10;
        span.longest += span.longest / 5;
    };
    each_leg(program, &mut |program| {
        each_flow(program, &mut |_, flow| {
            each_step(&mut flow.steps, &mut |step| match &mut step.kind {
                StepKind::Take(span) => slower(span),
                StepKind::Use { hold, .. } => slower(hold),
                _ => {}
            });
        });
        true
    });
    found
}
