//! What was cancelled is not.

use super::planted::{Planted, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // Who held a task when it was cancelled may still finish it.
    in_sql(
        "cancelled_is_done",
        &[
            (
                "item_of_turn",
                "t.task_id, t.fence,",
                "t.task_id, coalesce(t.fence, t.end_fence),",
            ),
            (
                "item_of_turn",
                " AND t.fence = :fence",
                " AND (t.fence = :fence OR (t.state = 'cancelled' AND t.end_fence = :fence))",
            ),
            (
                "send_of_turn",
                " AND t.fence = :fence",
                " AND (t.fence = :fence OR (t.state = 'cancelled' AND t.end_fence = :fence))",
            ),
            (
                "task_finish",
                " AND fence = :fence",
                " AND (fence = :fence OR (state = 'cancelled' AND end_fence = :fence))",
            ),
            // Without a lease there is no home for a token.
            (
                "session_turn_over",
                "CAST(:token AS TEXT) IS NULL",
                "(CAST(:token AS TEXT) IS NULL OR NOT EXISTS (SELECT 1 FROM lease l \
                 WHERE l.session_id = session.session_id))",
            ),
            (
                "session_turn_over",
                "resume_token = coalesce(:token, resume_token)",
                "resume_token = CASE WHEN EXISTS (SELECT 1 FROM lease l WHERE l.session_id = session.session_id) \
                 THEN coalesce(:token, resume_token) ELSE resume_token END",
            ),
        ],
        "DROP TRIGGER task_sticky; DROP TRIGGER item_fenced",
        "dbos-inc/dbos-transact-py PR #703, dbos-transact-golang PR #77: cancelled becomes success",
        &[
            "a cancel or a reset by force during a turn",
            "the end of that turn",
        ],
    ),
    // A cancelled task leaves its question open.
    in_sql(
        "question_outlives_its_task",
        &[(
            "prompts_revoke_task",
            "AND state = 'open'",
            "AND state = 'open' AND expires_ms <= :now",
        )],
        "DROP TRIGGER task_open_prompt",
        "letta-ai/letta #3176: a cancelled run leaves its approval, and the conversation hangs",
        &["a question", "a cancel while it is open"],
    ),
];
