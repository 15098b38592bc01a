//! One event is two, or two events are one.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // An event is known by its id alone, whichever bot of the platform it was for.
    in_sql(
        "one_id_for_all_bots",
        &[(
            "inbox_seen",
            "WHERE tenant = :tenant AND channel = :channel AND account = :account AND",
            "WHERE :tenant <> '' AND channel = :channel AND :account <> '' AND",
        )],
        "",
        "openclaw PR #19225, PR #59387: two bots get the same message id, and one of them drops it",
        &["two accounts", "events with the same id"],
    ),
    // An event is remembered for a minute.
    in_sql(
        "remembers_for_a_minute",
        &[(
            "inbox_seen",
            "AND ext_id = :ext_id",
            "AND ext_id = :ext_id AND last_ms > CAST(:now AS BIGINT) - 60000",
        )],
        "",
        "incident 000 (update ids kept for 300 s); openclaw PR #59387 (a window of five minutes)",
        &["a delivery that is late or repeated after a minute"],
    ),
    // No answers are kept.
    in_sql(
        "keeps_no_answers",
        &[(
            "op_result_put",
            "VALUES (:op_id, :op, :req_hash, :result, :now)",
            "SELECT :op_id, :op, :req_hash, :result, :now WHERE :now < 0",
        )],
        "",
        "tdlib/telegram-bot-api #126: a call that is repeated after a crash is done twice",
        &["a commit whose answer is lost", "the same call again"],
    ),
    // Only messages that became tasks are remembered; presses and texts that answered a question are not.
    in_sql(
        "answers_are_no_events",
        &[(
            "inbox_put",
            "VALUES (:tenant, :channel, :account, :ext_id, :body_hash, :verdict, :task, :answer, 1, :now, :now)",
            "SELECT :tenant, :channel, :account, :ext_id, :body_hash, :verdict, :task, :answer, 1, :now, :now \
             WHERE :verdict = 'task'",
        )],
        "",
        "incident 001: deduplication is recorded on the pipeline's path only, so a retried click is new",
        &[
            "a question",
            "a text that answers it",
            "a redelivery of the text",
        ],
    ),
    // An event is known by its delivery, which is new each time.
    in_roles(
        "a_delivery_is_an_event",
        &[Quirk::KnowsDeliveries],
        "bytedance/deer-flow #4123, openclaw #46674",
        &["a delivery that is repeated"],
    ),
    // An event is marked in memory before it is kept, and the mark stays when keeping it fails.
    in_roles(
        "marked_before_it_is_kept",
        &[Quirk::MarksInMemory],
        "incident 000 V5: an update is marked in memory before it is handled",
        &["an error of the store", "a redelivery to the same process"],
    ),
    // The idempotency key of an effect is that of the attempt.
    in_roles(
        "effects_by_attempt",
        &[Quirk::KeysByAttempt],
        "ay-framework #252",
        &["an effect", "a second attempt of the same task"],
    ),
    // A keep-alive is work.
    in_roles(
        "a_ping_is_a_message",
        &[Quirk::PingsAreMessages],
        "incident 003: every fifteen seconds a ping is taken for input",
        &["a keep-alive"],
    ),
    // What was used is recorded once for each attempt.
    in_roles(
        "usage_counts_each_attempt",
        &[Quirk::CountsTwice],
        "incident 002-f",
        &["a second attempt of the same task"],
    ),
];
