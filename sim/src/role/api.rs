//! The API: turns a webhook into a task, and says `ok` only when that is durable.

use std::rc::Rc;

use lockstep_store::{
    Accept, Accepted, Call, ConvKey, NewSession, Op, Reply, Verdict, WhenWaiting,
};

use crate::label::Label;
use crate::run::Ctx;
use crate::world::{BUILDS, Quirk, Town, USERS, goal};

/// Handles one delivery of a message. Whatever goes wrong, the platform is told so and delivers again.
pub(crate) fn webhook(ctx: &Ctx, town: &Rc<Town>, user: usize, event: &Label) {
    let known_by = if town.has(Quirk::KnowsDeliveries) {
        ctx.cause()
    } else {
        event
    };
    if town.has(Quirk::AnswersEarly) {
        ctx.reply(&format!("ok task:{known_by} ?"));
    }
    let op_id = Some(format!("accept {}", ctx.cause()).into());
    match ctx.store(Call {
        op_id,
        op: Op::Accept(accept(town, user, known_by, event)),
    }) {
        Ok(Reply::Accepted(accepted)) => {
            note_goals(ctx, town, &accepted);
            town.ring(town.prefers[user].get());
            ctx.reply(&format!("ok {} {}", accepted.task, accepted.session));
        }
        _ => ctx.reply("error"),
    }
}

/// Ids come from the event: the same for each delivery of it. The body is the user's intent.
fn accept(town: &Town, user: usize, known_by: &Label, event: &Label) -> Accept {
    let name = USERS[user];
    let [runtime, ..] = BUILDS[town.prefers[user].get()];
    Accept {
        key: ConvKey::chat("acme", "telegram", "bot", name),
        ext_id: known_by.as_str().to_owned(),
        kind: "message".to_owned(),
        body: event.as_str().to_owned(),
        task: format!("task:{known_by}").into(),
        max_failures: MAX_FAILURES,
        new: NewSession {
            conv: format!("conv:{name}").into(),
            session: format!("session:{known_by}").into(),
            runtime: runtime.to_owned(),
            idle_ms: None,
        },
        when_waiting: WhenWaiting::Queue,
    }
}

fn note_goals(ctx: &Ctx, town: &Town, accepted: &Accepted) {
    if accepted.verdict != Verdict::Duplicate {
        return;
    }
    if ctx.cause().as_str().contains("/redelivery") {
        ctx.kernel().reached(goal::RETRY_AFTER_COMMIT);
    }
    if !town.is_open(ctx.kernel(), accepted.task.as_str()) {
        ctx.kernel().reached(goal::LATE_DUPLICATE);
    }
}

/// After so many failed or expired attempts a task is dead.
const MAX_FAILURES: u32 = 4;
