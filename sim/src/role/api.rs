//! The API: turns a platform's event into work, and says `ok` only when that is durable; serves the state of sessions to
//! tabs, out of a cache of its own.

mod state;

use std::rc::Rc;

use lockstep_store::{
    Accept, Accepted, Answer, Call, CancelHow, Error, NewSession, Op, OpenPolicy, Reply, Store,
    Verdict, WhenWaiting,
};

use super::platform::{Event, Sort};
use crate::fault::Fault;
use crate::label::Label;
use crate::run::{Ctx, Db};
use crate::world::{Question, Quirk, RUNTIMES, Town, USERS, Wish, goal, release};

pub(crate) use self::state::{Edit, connect, edit};

/// Handles one delivery of an event. Whatever goes wrong, the platform is told so and delivers again.
pub(crate) fn webhook(ctx: &Ctx, town: &Rc<Town>, event: &Event) {
    if town.closed.get() {
        return ctx.reply("error");
    }
    match &event.sort {
        // It keeps a connection open, and that is all.
        Sort::Message(Wish::Ping) if !town.has(Quirk::PingsAreMessages) => {
            ctx.kernel().reached(goal::PING);
            ctx.reply("pong");
        }
        Sort::Message(wish) => message(ctx, town, event, *wish),
        Sort::Press(token) => press(ctx, town, event, token),
        Sort::Stop => stop(ctx, town, event),
    }
}

fn message(ctx: &Ctx, town: &Rc<Town>, event: &Event, wish: Wish) {
    let known_by = if town.has(Quirk::KnowsDeliveries) {
        ctx.cause()
    } else {
        &event.name
    };
    if town.has(Quirk::AnswersEarly) {
        ctx.reply(&format!("ok task:{known_by} ?"));
    }
    let op = Op::Accept(accept(ctx, town, event, wish, known_by));
    if town.has(Quirk::MarksInMemory) && state::marked_before(ctx, known_by) {
        return ctx.reply(&format!("ok task:{known_by} ?"));
    }
    if ctx.pick(&WRONG_FILE, 8) == 7 && ctx.may(Fault::SecondDatabase) {
        return wrong_file(ctx, town, op);
    }
    match store(ctx, "accept", op) {
        Ok(Reply::Accepted(accepted)) => {
            note_goals(ctx, town, &accepted);
            town.ring_all(ctx);
            ctx.reply(&format!("ok {} {}", accepted.task, accepted.session));
        }
        // No delivery of this will ever be taken: to ask for more of them would be to ask for ever.
        Err(Error::Invalid { .. }) => ctx.reply("refused"),
        _ if town.has(Quirk::CallsErrorsDone) => ctx.reply(&format!("ok task:{known_by} ?")),
        _ => {
            if town.has(Quirk::ErrorMeansAbsent) {
                open_another(ctx, town, event);
            }
            ctx.reply("error");
        }
    }
}

/// This process was started with another file for a database. There is no build in it that a session could be bound to.
fn wrong_file(ctx: &Ctx, town: &Town, op: Op) {
    ctx.strike(Fault::SecondDatabase, "of an API process");
    let call = Call {
        op_id: Some(format!("accept {}", ctx.cause()).into()),
        op,
    };
    let answer = ctx.with_second_database(|handle| match &mut handle.db {
        Db::Store(store) => {
            if town.has(Quirk::SetsUpWhatIsMissing) {
                // That this may fail does not occur to it.
                let _ = release(&mut **store);
            }
            store.apply(&call).ok()
        }
        Db::Raw(_) => None,
    });
    match answer {
        Ok(Some(Reply::Accepted(accepted))) => {
            ctx.reply(&format!("ok {} {}", accepted.task, accepted.session));
        }
        _ => {
            ctx.kernel().reached(goal::SECOND_FILE_REFUSED);
            ctx.reply("error");
        }
    }
}

/// The bad habit of taking an error for absence.
fn open_another(ctx: &Ctx, town: &Town, event: &Event) {
    let person = &USERS[event.user];
    let op = Op::OpenOrGet {
        key: person.key(),
        policy: OpenPolicy::Replace,
        new: NewSession {
            conv: format!("conv:{}", person.name).into(),
            session: format!("session:{}", ctx.cause()).into(),
            runtime: RUNTIMES[town.prefers[event.user].get()].name.to_owned(),
            idle_ms: None,
        },
    };
    // That this may fail too does not occur to it.
    let _ = store(ctx, "open", op);
}

/// Ids come from the event: the same for each delivery of it. The body is the user's intent.
fn accept(ctx: &Ctx, town: &Town, event: &Event, wish: Wish, known_by: &Label) -> Accept {
    let person = &USERS[event.user];
    let ext_id = if known_by == &event.name {
        event.ext_id.clone()
    } else {
        format!("{} {known_by}", event.ext_id)
    };
    Accept {
        key: person.key(),
        ext_id,
        kind: "message".to_owned(),
        body: wish.text(event.name.as_str()),
        task: format!("task:{known_by}").into(),
        max_failures: MAX_FAILURES,
        new: NewSession {
            conv: format!("conv:{}", person.name).into(),
            session: format!("session:{known_by}").into(),
            runtime: RUNTIMES[town.prefers[event.user].get()].name.to_owned(),
            idle_ms: (ctx.pick(&IDLE, 3) == 2).then_some(IDLE_MS),
        },
        when_waiting: match wish {
            Wish::Interrupt => WhenWaiting::Interrupt,
            Wish::Fallback => WhenWaiting::Answer,
            _ => WhenWaiting::Queue,
        },
    }
}

fn note_goals(ctx: &Ctx, town: &Town, accepted: &Accepted) {
    match accepted.verdict {
        Verdict::Answer => ctx.kernel().reached(goal::ANSWERED_BY_TEXT),
        Verdict::Duplicate => {
            if ctx.cause().as_str().contains("/redelivery") {
                ctx.kernel().reached(goal::RETRY_AFTER_COMMIT);
            }
            if !town.is_open(ctx.kernel(), accepted.task.as_str()) {
                ctx.kernel().reached(goal::LATE_DUPLICATE);
            }
        }
        _ => {}
    }
}

fn press(ctx: &Ctx, town: &Rc<Town>, event: &Event, token: &Rc<str>) {
    let answer = Answer {
        key: USERS[event.user].key(),
        ext_id: event.ext_id.clone(),
        token: meant(town, event.user, token),
    };
    match store(ctx, "answer", Op::Answer(answer)) {
        Ok(Reply::Answered(answered)) => {
            let won = if answered.took {
                goal::PRESS_WON
            } else {
                goal::PRESS_LATE
            };
            ctx.kernel().reached(won);
            town.ring_all(ctx);
            ctx.reply("pressed");
        }
        Err(Error::NotFound { .. }) => ctx.reply("no such button"),
        _ if town.has(Quirk::CallsPressesDone) => ctx.reply("pressed"),
        _ => ctx.reply("error"),
    }
}

/// Cancels what the user wrote last. Its worker hears of it when it renews its lease.
fn stop(ctx: &Ctx, town: &Rc<Town>, event: &Event) {
    let Some(known) = town.known(event.user) else {
        return ctx.reply("stopped");
    };
    let op = Op::Cancel {
        task: known.task.as_str().into(),
        reason: "user".to_owned(),
        how: CancelHow::Ask,
    };
    match store(ctx, "stop", op) {
        Ok(_) => {
            ctx.kernel().reached(goal::STOPPED_BY_USER);
            ctx.reply("stopped");
        }
        // It has ended, one way or another.
        Err(Error::Closed { .. } | Error::NotFound { .. }) => ctx.reply("stopped"),
        Err(_) => ctx.reply("error"),
    }
}

/// The button that was pressed is the one whose token came back: it stands for its own list.
fn meant(town: &Town, user: usize, token: &str) -> String {
    if town.has(Quirk::PressesByPosition)
        && let (Some((_, button)), Some(newest)) =
            (Question::of_token(token), town.newest_question(user))
    {
        return newest.token(usize::try_from(button).unwrap_or(0));
    }
    token.to_owned()
}

/// One call for this delivery: a redelivery is another request, and the store knows the event.
fn store(ctx: &Ctx, what: &str, op: Op) -> Result<Reply, Error> {
    ctx.store(Call {
        op_id: Some(format!("{what} {}", ctx.cause()).into()),
        op,
    })
}

const WRONG_FILE: Label = Label::fixed("started with another file");
const IDLE: Label = Label::fixed("session may idle out");
const IDLE_MS: i64 = 900_000;
/// After so many failed or expired attempts a task is dead.
const MAX_FAILURES: u32 = 4;
