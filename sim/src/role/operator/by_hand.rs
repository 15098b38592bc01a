//! What an operator does behind the store's back, in a shell: edits rows, alters the schema, puts a backup back.

use std::rc::Rc;

use lockstep_store::Op;

use crate::fault::Fault;
use crate::label::Label;
use crate::role::insist;
use crate::run::Ctx;
use crate::world::{Quirk, Town, goal};

/// Edits that look harmless in a shell, and that the database has to refuse: nobody has set the pragma there.
const EDITS: [&str; 8] = [
    "UPDATE session SET fence = 0 WHERE fence > 0",
    "UPDATE session SET state = 'closed', live = 0, close_reason = 'by hand', head_ready_ms = NULL
     WHERE live = 1 AND session_id IN (SELECT session_id FROM lease)",
    "UPDATE task SET state = 'queued', session_live = 1, ended_ms = NULL WHERE session_live IS NULL",
    "DELETE FROM item WHERE session_id IN (SELECT session_id FROM session WHERE live = 1)",
    "DELETE FROM task WHERE session_live = 1",
    "UPDATE outbox SET state = 'pending', ended_ms = NULL WHERE state = 'sent'",
    "UPDATE prompt SET state = 'revoked', session_live = NULL, ended_ms = 1 WHERE state = 'answered'",
    "UPDATE session SET resume_token = 'native:by hand' WHERE resume_token IS NOT NULL",
];

/// Tries one of them. The roles go on whatever comes of it; the invariants see what was let through.
pub(super) fn edit(ctx: &Ctx) {
    if !ctx.may(Fault::HandEdit) {
        return;
    }
    let edit = EDITS[ctx.pick(&WHICH, EDITS.len() as u64) as usize];
    ctx.strike(Fault::HandEdit, "without foreign keys");
    ctx.gate(&SHELL);
    let refused = ctx.with_db(|handle| {
        let sql = format!("PRAGMA foreign_keys = OFF; {edit}; PRAGMA foreign_keys = ON");
        handle.connection().execute_batch(&sql).is_err()
    });
    if refused {
        ctx.kernel().reached(goal::HAND_EDIT_REFUSED);
    }
}

/// The schema is another one for a while, as when a migration was applied to one database and not to the other.
pub(super) fn drift(ctx: &Ctx, town: &Rc<Town>) {
    if !ctx.may(Fault::SchemaDrift) {
        return;
    }
    ctx.strike(Fault::SchemaDrift, "task.input");
    town.drifted.set(true);
    town.altered.set(true);
    keep_looking(ctx, town);
    shell(ctx, "ALTER TABLE task RENAME COLUMN input TO input_gone");
    let noticed = ctx.amount(&NOTICED, 1, LONGEST_DRIFT_MS);
    ctx.sleep(&NOTICED, noticed);
    set_right(ctx, town);
}

/// Sets the schema right again, however often that takes.
pub(super) fn set_right(ctx: &Ctx, town: &Town) {
    while town.drifted.get() {
        if looks(ctx, "input_gone") {
            shell(ctx, "ALTER TABLE task RENAME COLUMN input_gone TO input");
        }
        let right = looks(ctx, "input");
        town.drifted.set(!right);
        if !right {
            ctx.sleep(&AGAIN, REST_MS);
        }
    }
}

/// An alteration that seemed to fail may be found in the log much later: somebody looks again from time to time.
pub(super) fn keep_looking(ctx: &Ctx, town: &Rc<Town>) {
    let (town, name) = (
        Rc::clone(town),
        Label::new(&format!("{} looks", ctx.cause())),
    );
    ctx.spawn(name, true, move |ctx| {
        loop {
            ctx.sleep(&LOOKS, LOOKS_MS);
            town.drifted.set(!looks(ctx, "input"));
            set_right(ctx, &town);
        }
    });
}

/// Whether `task` has this column. Only a statement that runs notices that the schema has changed.
fn looks(ctx: &Ctx, column: &str) -> bool {
    let sql = format!("SELECT {column} FROM task");
    ctx.with_db(|handle| handle.connection().execute_batch(&sql).is_ok())
}

fn shell(ctx: &Ctx, sql: &str) {
    ctx.gate(&SHELL);
    // It may fail as anything may; whoever needs it looks.
    let _ = ctx.with_db(|handle| handle.connection().execute_batch(sql));
}

/// Takes a backup, some while a message waits to be sent, and puts it back some time later. Nobody works until the store was
/// told.
pub(super) fn restore(ctx: &Ctx, town: &Rc<Town>) {
    if !ctx.may(Fault::BackupRestore) {
        return;
    }
    if ctx.pick(&BACKUP, 3) > 0 {
        town.wait_for_mail(ctx, &BACKUP);
    }
    let Some(backup) = ctx.backup(0) else {
        return;
    };
    let soonest = SOONEST_DISASTER_MS[ctx.pick(&DISASTER, 3) as usize];
    let later = ctx.amount(&DISASTER, soonest, LATEST_DISASTER_MS);
    ctx.sleep(&DISASTER, later);
    // A schema that was altered meanwhile is somebody else's disaster.
    if town.drifted.get() {
        return;
    }
    town.closed.set(true);
    if ctx.restore(&backup, None) {
        ctx.strike(Fault::BackupRestore, "to a moment ago");
        town.incarnation
            .set(FIRST_INCARNATION + i64::try_from(ctx.now_ms()).unwrap_or(0));
        town.restores.set(town.restores.get() + 1);
        open_again(ctx, town);
    } else {
        town.closed.set(false);
    }
}

/// Tells the store that it was restored, then lets everybody in again.
pub(super) fn open_again(ctx: &Ctx, town: &Town) {
    if !town.closed.get() {
        return;
    }
    let incarnation = town.incarnation.get();
    if incarnation > 0 && !town.has(Quirk::RestoresInSilence) {
        let op = Op::Restored { incarnation };
        if insist(ctx, Some(format!("restored {incarnation}")), op).is_ok() {
            ctx.kernel().reached(goal::RESTORED);
        }
    }
    town.closed.set(false);
    town.ring_all(ctx);
    town.mail.ring(ctx);
}

const SHELL: Label = Label::fixed("shell");
const WHICH: Label = Label::fixed("which edit");
const LOOKS: Label = Label::fixed("looks at the schema");
const LOOKS_MS: u64 = 600_000;
const NOTICED: Label = Label::fixed("until somebody notices");
const AGAIN: Label = Label::fixed("before it is set right");
const BACKUP: Label = Label::fixed("until there is something to lose");
const DISASTER: Label = Label::fixed("until the disaster");
const REST_MS: u64 = 500;
const LONGEST_DRIFT_MS: u64 = 60_000;
const SOONEST_DISASTER_MS: [u64; 3] = [1, 1_000, 30_000];
const LATEST_DISASTER_MS: u64 = 60_000;
/// Higher than what a new store has.
const FIRST_INCARNATION: i64 = 1_000;
