//! Messages of a session are not handled in the order in which they came.

use super::planted::{Planted, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A claim takes the newest.
    in_sql(
        "newest_first",
        &[(
            "claim_task",
            "ORDER BY q.pos LIMIT 1",
            "ORDER BY q.pos DESC LIMIT 1",
        )],
        "",
        "dsmrreader/dsmr-reader #1714: the queue is emptied from its end",
        &["two messages in the queue"],
    ),
    // What failed goes to the end of the queue.
    in_sql(
        "retry_goes_last",
        &[(
            "task_fail",
            "failures = failures + 1, end_fence",
            "pos = (SELECT max(p.pos) + 1 FROM task p WHERE p.session_id = task.session_id), \
             failures = failures + 1, end_fence",
        )],
        "",
        "Azure/azure-sdk-for-java #30027, rmyndharis/OpenWA PR #659: a retried message is overtaken",
        &["two messages in the queue", "a failure of the first"],
    ),
    // While a question is open, the next message starts a turn of its own.
    in_sql(
        "a_question_holds_nobody_back",
        &[(
            "session_touch",
            "AND t.session_live = 1) THEN head_ready_ms",
            "AND t.session_live = 1 AND t.state <> 'waiting') THEN head_ready_ms",
        )],
        "DROP INDEX task_one_at_work",
        "incident 000: a session goes on with other work although its task waits for the user",
        &["a question", "a message meanwhile"],
    ),
];
