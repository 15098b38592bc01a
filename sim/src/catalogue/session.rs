//! A conversation has two sessions, the wrong one, or one that nobody finds.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A message that comes while a question is open opens a second session.
    in_sql(
        "a_question_opens_another",
        &[(
            "session_touch",
            "WHERE state = 'active' AND conv_id",
            "WHERE state = 'active' AND NOT EXISTS (SELECT 1 FROM prompt p WHERE p.session_id = session.session_id \
             AND p.session_live = 1) AND conv_id",
        )],
        "DROP INDEX session_one_active",
        "incident 001: the fallback of a button opens a session of its own",
        &["a question", "a message meanwhile"],
    ),
    // A message goes to the newest session, also when that is closed.
    in_sql(
        "writes_into_the_closed",
        &[(
            "session_touch",
            "WHERE state = 'active' AND conv_id",
            "WHERE gen = (SELECT max(o.gen) FROM session o WHERE o.conv_id = session.conv_id) AND conv_id",
        )],
        "",
        "incident 001: a session that is looked up by its id may have ended",
        &[
            "a session that is closed and has no successor",
            "a message after that",
        ],
    ),
    // A queue that was moved by a reset waits until somebody writes again.
    in_sql(
        "moved_queue_sleeps",
        &[(
            "session_ready",
            "WHERE session_id = :session",
            "WHERE session_id = :session AND head_ready_ms IS NOT NULL",
        )],
        "",
        "openclaw #89208: recovery does not put the queued messages back to work",
        &["a message in the queue", "a reset that moves it"],
    ),
    // A session cannot be closed while a question is open: that one is not revoked.
    in_sql(
        "close_forgets_the_question",
        &[(
            "prompts_revoke",
            "AND session_live = 1",
            "AND session_live = 1 AND expires_ms <= :now",
        )],
        "DROP TRIGGER task_open_prompt",
        "vikasprogrammer/agentric PR #116, pingdotgg/t3code #11799: approvals outlive their session",
        &["a question", "a reset or a close"],
    ),
    // A session that cannot be read is replaced by a new one.
    in_roles(
        "an_error_is_absence",
        &[Quirk::ErrorMeansAbsent],
        "incident 003-d: a failed read shadows the session that there is",
        &["an error of the store during a message"],
    ),
    // A process with the wrong file sets up there what it misses, and goes on.
    in_roles(
        "sets_up_another_file",
        &[Quirk::SetsUpWhatIsMissing],
        "incident 000, hypothesis C: two database files",
        &["a process with another file", "a message to it"],
    ),
];
