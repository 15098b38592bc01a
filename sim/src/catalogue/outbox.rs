//! A message is sent twice, out of order, or never.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A message that may have been sent is sent again without a mark.
    in_sql(
        "resends_unmarked",
        &[(
            "send_resolve",
            "repeats = repeats + CASE WHEN :state = 'pending' THEN 1 ELSE 0 END",
            "repeats = repeats",
        )],
        "DROP TRIGGER outbox_repeat_marked",
        "MervinPraison/PraisonAI #3386: possible duplicates go out without a word",
        &[
            "a send whose outcome is unknown",
            "a decision to send again",
        ],
    ),
    // A sender that says nothing has sent nothing.
    in_sql(
        "silence_means_not_sent",
        &[(
            "send_lapse",
            "SET state = 'unknown', sender = NULL, until_ms = NULL,",
            "SET state = 'pending', sender = NULL, until_ms = NULL, ready_ms = :now,",
        )],
        "",
        "zulip/zulip-mobile #3584: what was sent a week ago is sent again",
        &["a sender that dies after it has sent", "a sweep"],
    ),
    // Each message is ready by itself, also while an earlier one rests.
    in_sql(
        "later_overtakes",
        &[
            (
                "send_of_turn",
                "THEN NULL ELSE CAST(:now AS BIGINT) END",
                "THEN CAST(:now AS BIGINT) ELSE CAST(:now AS BIGINT) END",
            ),
            (
                "send_claim",
                "AND ready_ms IS NOT NULL",
                "AND n = (SELECT o.n FROM outbox o WHERE o.session_id = :session AND o.ready_ms <= :now \
                 ORDER BY o.ready_ms, o.n LIMIT 1)",
            ),
        ],
        "DROP INDEX outbox_one_ahead; DROP TRIGGER outbox_in_order",
        "MervinPraison/PraisonAI #2909, spoj/tg-bot2 #51: a message that is retried is overtaken",
        &[
            "two messages to send",
            "a first attempt that fails or is unknown",
        ],
    ),
    // A message that was settled does not let the next one go.
    in_sql(
        "next_is_never_ready",
        &[(
            "send_next",
            "state = 'pending' AND n",
            "state = 'pending' AND ready_ms IS NOT NULL AND n",
        )],
        "",
        "agentscope-ai/agentscope PR #2519: a marker that is left behind suppresses the wake-up",
        &["two messages to send"],
    ),
    // The report of an earlier attempt settles the one that is under way.
    in_sql(
        "old_report_settles",
        &[(
            "send_settle",
            " AND send_no = :send_no",
            " AND :send_no > 0",
        )],
        "",
        "Solid Queue PR #761: a claim is finalized by whoever comes, and more than once",
        &[
            "a sender that stands still",
            "a sweep",
            "a decision to send again",
            "a second attempt",
            "the first one's report",
        ],
    ),
    // A message that nobody answers for counts as sent.
    in_roles(
        "silence_is_success",
        &[Quirk::SilenceMeansSent],
        "incident 000 (NOTIFY)",
        &["a message whose request is lost"],
    ),
    // A message that nobody answers for is sent again at once.
    in_roles(
        "sent_again_at_once",
        &[Quirk::ResendsUnmarked],
        "MervinPraison/PraisonAI #3386: possible duplicates go out without a word",
        &["a message whose answer is lost"],
    ),
    // A message that nobody answers for counts as not sent.
    in_roles(
        "unknown_is_not_sent",
        &[Quirk::UnknownIsNotSent],
        "zulip/zulip-mobile #3584: what was sent a week ago is sent again",
        &["a message whose answer is lost"],
    ),
    // A message is reported as sent, and sent later.
    in_roles(
        "reported_before_it_is_sent",
        &[Quirk::SendsLater],
        "tdlib/telegram-bot-api #126",
        &["two messages to send"],
    ),
    // Nobody looks into messages that may have been sent.
    in_roles(
        "unknown_is_forgotten",
        &[Quirk::ForgetsUnknown],
        "MervinPraison/PraisonAI #3386",
        &["a message whose answer is lost"],
    ),
    // Replies go to the chat that the worker served first.
    in_roles(
        "replies_to_the_first_chat",
        &[Quirk::RepliesToFirstChat],
        "incident 002 (NO-LEAK): what one turn leaves in the worker is used by the next",
        &["two chats", "one worker"],
    ),
    // Of the number of an attempt one bit is kept: the first one's report settles the third.
    in_sql(
        "short_number_settles",
        &[(
            "send_settle",
            " AND send_no = :send_no",
            " AND send_no % 2 = :send_no % 2",
        )],
        "",
        "Solid Queue PR #761, wavect/semaprax #192: a claim is finalized under a number that came again",
        &[
            "a sender that stands still",
            "a sweep and a decision to send again, twice",
            "a third attempt",
            "the first one's report",
        ],
    ),
];
