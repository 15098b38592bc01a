//! The state of a session, as tabs see and edit it: a list of edits, read through a cache that each API process has for
//! itself, written only if it is still the one that was read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use lockstep_store::{Call, Error, Op, Reply, State};

use crate::label::Label;
use crate::role::insist;
use crate::run::Ctx;
use crate::world::{Quirk, Saved, Town, goal};

/// One edit of a tab.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) session: String,
    /// The same for each attempt. It is what is added to the state.
    pub(crate) name: String,
}

/// What this process keeps for itself. Lost when it dies.
#[derive(Default)]
struct Cache {
    /// States that it has read, by session.
    states: RefCell<BTreeMap<String, State>>,
    /// Events that it has seen. Nobody who knows better looks at them.
    marked: RefCell<BTreeSet<String>>,
}

/// The bad habit of knowing an event by oneself: whether it was marked here before. It is now.
pub(super) fn marked_before(ctx: &Ctx, event: &Label) -> bool {
    let event = event.as_str().to_owned();
    !cache(ctx).marked.borrow_mut().insert(event)
}

/// Serves the state to a tab that was shown version `shown`. A cached state that is older will not do.
pub(crate) fn connect(ctx: &Ctx, town: &Town, session: &str, shown: i64) {
    if town.closed.get() {
        return ctx.reply("error");
    }
    let cached = cache(ctx).states.borrow().get(session).cloned();
    let fresh = cached.filter(|state| state.version >= shown || town.has(Quirk::ServesStaleCache));
    if fresh.is_some() {
        ctx.kernel().reached(goal::SERVED_FROM_CACHE);
    }
    match fresh.map_or_else(|| read(ctx, town, session), Ok) {
        Ok(state) => ctx.reply(&format!("state {} {}", state.version, state.body)),
        Err(_) if town.has(Quirk::ErrorMeansEmpty) => ctx.reply("state 0 "),
        // Not the same as an empty state: the tab keeps what it has.
        Err(_) => ctx.reply("error"),
    }
}

/// Adds an edit to the state, once. Who finds that somebody else was faster reads again and adds it to that.
pub(crate) fn edit(ctx: &Ctx, town: &Town, edit: &Edit) {
    if town.closed.get() {
        return ctx.reply("error");
    }
    for _ in 0..ATTEMPTS {
        let cached = cache(ctx).states.borrow().get(&edit.session).cloned();
        let Ok(state) = cached.map_or_else(|| read(ctx, town, &edit.session), Ok) else {
            return ctx.reply("error");
        };
        if state.body.split(',').any(|known| known == edit.name) {
            return saved(ctx, town, edit, state.version);
        }
        match put(ctx, town, edit, &state) {
            Ok(version) => return saved(ctx, town, edit, version),
            Err(Error::Stale { current }) if town.has(Quirk::OverwritesState) => {
                let version = current;
                remember(ctx, &edit.session, &State { version, ..state });
            }
            Err(Error::Stale { .. } | Error::OpIdReused { .. }) => {
                ctx.kernel().reached(goal::CACHE_WAS_STALE);
                cache(ctx).states.borrow_mut().remove(&edit.session);
            }
            Err(Error::Closed { .. } | Error::NotFound { .. }) => return ctx.reply("closed"),
            Err(_) if town.has(Quirk::SaysSavedAlways) => {
                return saved(ctx, town, edit, state.version);
            }
            Err(_) => break,
        }
    }
    // What was read may be what was written: the next attempt reads again.
    cache(ctx).states.borrow_mut().remove(&edit.session);
    ctx.reply("error");
}

/// Says so only when it is durable. The saying counts, even if it is lost on its way.
fn saved(ctx: &Ctx, town: &Town, edit: &Edit, version: i64) {
    town.saved.borrow_mut().push(Saved {
        n: ctx.kernel().position(),
        session: edit.session.clone(),
        edit: edit.name.clone(),
    });
    ctx.reply(&format!("saved {version}"));
}

/// Asks the store until it answers. Who takes an error for an answer anyway asks once.
fn ask(ctx: &Ctx, town: &Town, op_id: Option<String>, op: Op) -> Result<Reply, Error> {
    if town.has(Quirk::ErrorMeansEmpty) || town.has(Quirk::SaysSavedAlways) {
        let op_id = op_id.map(Into::into);
        return ctx.store(Call { op_id, op });
    }
    insist(ctx, op_id, op)
}

fn read(ctx: &Ctx, town: &Town, session: &str) -> Result<State, Error> {
    let op = Op::GetState {
        session: session.into(),
    };
    match ask(ctx, town, None, op)? {
        Reply::State(state) => {
            remember(ctx, session, &state);
            Ok(state)
        }
        other => unreachable!("get_state answers {other:?}"),
    }
}

fn put(ctx: &Ctx, town: &Town, edit: &Edit, state: &State) -> Result<i64, Error> {
    let body = if state.body.is_empty() {
        edit.name.clone()
    } else {
        format!("{},{}", state.body, edit.name)
    };
    let op = Op::PutState {
        session: edit.session.as_str().into(),
        expected_version: state.version,
        body: body.clone(),
    };
    match ask(ctx, town, Some(format!("put {}", edit.name)), op)? {
        Reply::Version(version) => {
            remember(ctx, &edit.session, &State { version, body });
            Ok(version)
        }
        other => unreachable!("put_state answers {other:?}"),
    }
}

/// Keeps the newest that this process has seen.
fn remember(ctx: &Ctx, session: &str, state: &State) {
    let cache = cache(ctx);
    let mut states = cache.states.borrow_mut();
    if states
        .get(session)
        .is_none_or(|known| known.version <= state.version)
    {
        states.insert(session.to_owned(), state.clone());
    }
}

fn cache(ctx: &Ctx) -> Rc<Cache> {
    let mut memory = ctx.process().memory.borrow_mut();
    let kept = memory
        .as_ref()
        .and_then(|memory| Rc::clone(memory).downcast::<Cache>().ok());
    kept.unwrap_or_else(|| {
        let fresh = Rc::new(Cache::default());
        *memory = Some(Rc::clone(&fresh) as Rc<dyn std::any::Any>);
        fresh
    })
}

const ATTEMPTS: u32 = 4;
