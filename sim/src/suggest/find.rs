//! The repairs that a program could have, from its rules and its flows.

use super::guard::guards;
use super::index::unique_index;
use super::memory::persisted;
use super::order::{has_deferred, is_scattered, moves, transactions};
use super::reach::{begun, flows, handled, with_called};
use super::repair::{Key, Repair};
use super::steps::{Spot, vars_of, visit};
use crate::scenario::program::Builtin;
use crate::scenario::token::tokens;
use crate::scenario::{Expr, Flow, Invariant, Program, RuleKind, StepKind, Var};

/// All of them, the plainest first.
pub fn repairs(program: &Program) -> Vec<Repair> {
    let rules = program.invariants.iter();
    let rules = rules.filter(|rule| matches!(rule.kind, RuleKind::Never | RuleKind::Finally));
    let mut all: Vec<Repair> = rules.filter_map(|rule| unique_index(&rule.sql)).collect();
    let begun = flows(program, &begun(program));
    let run = flows(program, &with_called(program));
    all.extend(guards(program, &run));
    all.extend(
        run.iter()
            .flat_map(|(index, flow)| transactions(*index, flow)),
    );
    let gathered = run.iter().filter(|(_, flow)| is_scattered(flow));
    all.extend(gathered.map(|(index, _)| Repair::Gather { flow: *index }));
    if run.iter().any(|(_, flow)| has_deferred(flow)) {
        all.push(Repair::Immediate);
    }
    all.extend(dedups(program));
    all.extend(outside(program, &run));
    let caught = run.iter().flat_map(|(index, flow)| errors(*index, flow));
    let mut caught: Vec<Repair> = caught.collect();
    if caught.len() > 1 {
        caught.push(Repair::LetFail { step: None });
    }
    all.extend(caught);
    all.extend(
        run.iter()
            .flat_map(|(index, flow)| persisted(program, *index, flow)),
    );
    all.extend(locks(&begun));
    all.extend(begun.iter().flat_map(|(index, flow)| moves(*index, flow)));
    all.dedup();
    all
}

/// Whether two repairs say different things.
pub(super) fn go_together(one: &Repair, other: &Repair) -> bool {
    let moves = |repair: &Repair| matches!(repair, Repair::Move { .. });
    if moves(one) || moves(other) {
        return false;
    }
    if let (Some(one), Some(other)) = (one.guarded(), other.guarded()) {
        return one != other;
    }
    let same_kind = std::mem::discriminant(one) == std::mem::discriminant(other);
    // A lock of some flows beside one of others is a lock that does not meet it.
    let locks = matches!(one, Repair::Lock { .. });
    !same_kind || (!locks && one.flow().is_some() && one.flow() != other.flow())
}

/// Whether who knows that the first stands needs not be told that the other one does: the event's own id swallows nothing but
/// repeats, of the conditions that a statement could ask one is enough, and so is one error that is let through.
pub(super) fn is_plainer(known: &Repair, tried: &Repair) -> bool {
    match (known, tried) {
        (
            Repair::Dedup {
                flow,
                key: Key::Event,
            },
            Repair::Dedup { flow: other, .. },
        ) => flow == other,
        (Repair::LetFail { .. }, Repair::LetFail { step: None }) => true,
        (Repair::Guard { .. }, Repair::Guard { .. }) => known.guarded() == tried.guarded(),
        _ => known == tried,
    }
}

/// The event's id, and what an effect is meant to happen once for. A rule that takes any change of any table for a deed would
/// take the key for one.
fn dedups(program: &Program) -> Vec<Repair> {
    let mut found = Vec::new();
    let counts_keys = |rule: &Invariant| {
        let all = tokens(&rule.sql);
        let names = |word: &str| all.iter().any(|token| token.is(word));
        names("change") && !names("tab")
    };
    if program.invariants.iter().any(counts_keys) {
        return found;
    }
    for (flow, body) in flows(program, &handled(program)) {
        let keys = intents(body).into_iter().map(Key::Parameter);
        let keys = [Key::Event].into_iter().chain(keys);
        found.extend(keys.map(|key| Repair::Dedup { flow, key }));
    }
    found
}

/// What is outside of the database: locks, providers, clocks.
fn outside(program: &Program, flows: &[(usize, &Flow)]) -> Vec<Repair> {
    let mut found = Vec::new();
    let breaks = program.locks.iter().any(|lock| {
        lock.breaks_on_waiter_timeout || lock.careless_release || lock.stale_after.is_some()
    });
    found.extend(breaks.then_some(Repair::LockHolds));
    let (mut gives_up, mut local, mut effects) = (false, false, Vec::new());
    for (_, flow) in flows {
        visit(&flow.steps, &mut |step| {
            gives_up |= matches!(step.kind, StepKind::Lock { wait: Some(_), .. });
            local |= vars_of(step).contains(&Var::Builtin(Builtin::Local));
            if let StepKind::Effect {
                name,
                intent: Some(_),
                key: None,
                ..
            } = &step.kind
                && !effects.contains(name)
            {
                effects.push(name.clone());
            }
        });
    }
    found.extend(gives_up.then_some(Repair::Wait));
    found.extend(local.then_some(Repair::Utc));
    let mut rules = program.invariants.iter();
    let keyed = effects.into_iter().filter(|_| rules.any(counts_effects));
    found.extend(keyed.map(|effect| Repair::IdempotencyKey { effect }));
    found
}

/// Whether a rule minds that an effect happens again.
fn counts_effects(rule: &Invariant) -> bool {
    let all = tokens(&rule.sql);
    let all_of = ["effect", "intent", "count"].iter();
    all_of
        .into_iter()
        .all(|word| all.iter().any(|token| token.is(word)))
}

/// Steps that catch errors.
fn errors(index: usize, flow: &Flow) -> Vec<Repair> {
    let mut found = Vec::new();
    visit(&flow.steps, &mut |step| {
        if !step.catch.is_empty() {
            let step = Some((index, Spot::of(step)));
            found.push(Repair::LetFail { step });
        }
    });
    found
}

/// Parameters that are the intent of an effect: what is to happen once for each of their values.
fn intents(flow: &Flow) -> Vec<usize> {
    let mut slots = Vec::new();
    visit(&flow.steps, &mut |step| {
        if let StepKind::Effect {
            intent: Some(Expr::Var(Var::Local(slot))),
            ..
        } = step.kind
            && slot < flow.params
        {
            slots.push(slot);
        }
    });
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Each flow under a lock of its own, and all of them under one.
fn locks(flows: &[(usize, &Flow)]) -> Vec<Repair> {
    let lockable = |flow: &Flow| {
        let mut free = true;
        visit(&flow.steps, &mut |step| {
            free &= !matches!(step.kind, StepKind::Lock { .. } | StepKind::Atomic(_));
        });
        free
    };
    let free: Vec<&(usize, &Flow)> = flows.iter().filter(|(_, flow)| lockable(flow)).collect();
    let first = |flow: &Flow| flow.locals.first().filter(|_| flow.params > 0).cloned();
    let mut found: Vec<Repair> = free
        .iter()
        .map(|(index, flow)| Repair::Lock {
            flows: vec![*index],
            on: first(flow),
        })
        .collect();
    if let [(_, one), _, ..] = free[..] {
        let names = one.locals[..one.params].iter();
        let common = names.filter(|name| {
            free.iter()
                .all(|(_, flow)| flow.locals[..flow.params].contains(name))
        });
        let on: Vec<Option<String>> = common.cloned().map(Some).chain([None]).collect();
        let flows: Vec<usize> = free.iter().map(|(index, _)| *index).collect();
        found.extend(on.into_iter().map(|on| Repair::Lock {
            flows: flows.clone(),
            on,
        }));
    }
    found
}
