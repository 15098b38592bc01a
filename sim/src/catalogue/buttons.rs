//! A press counts twice, too late, for another question, or for nobody.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A press on a question that has ended ends it once more, and its task goes on once more.
    in_sql(
        "pressed_again_goes_on_again",
        &[("prompt_end", " AND state = 'open'", "")],
        "DROP TRIGGER prompt_sticky",
        "incident 000 (double click, double submit); Studio-Yandex-Practicum/you_can_bot PR #170; tdlib/telegram-bot-api #699",
        &[
            "a question",
            "a press",
            "a second press while the task works or waits again",
        ],
    ),
    // A press after the question's time counts until the sweep has been there.
    in_sql(
        "late_press_counts",
        &[(
            "prompt_by_token",
            "p.expires_ms, o.idx",
            "p.expires_ms + 86400000, o.idx",
        )],
        "",
        "tinyhumansai/opencompany #1449: a click after the deadline is taken for an approval",
        &["a question", "a press after its time, before the sweep"],
    ),
    // A button is known by its place in the newest list.
    in_sql(
        "press_by_position",
        &[
            (
                "prompt_by_token",
                "FROM prompt_option o JOIN prompt p ON p.prompt_id = o.prompt_id",
                "FROM prompt_option u JOIN prompt w ON w.prompt_id = u.prompt_id \
                 JOIN prompt p ON p.prompt_id = (SELECT n.prompt_id FROM prompt n WHERE n.session_id = w.session_id \
                 ORDER BY n.fence DESC, n.prompt_id LIMIT 1) \
                 JOIN prompt_option o ON o.prompt_id = p.prompt_id AND o.idx = u.idx",
            ),
            (
                "prompt_by_token",
                "WHERE o.token = :token",
                "WHERE u.token = :token",
            ),
        ],
        "",
        "incident 001: option_1 of an older list is looked up in the latest one",
        &["two questions", "a press on the older one's button"],
    ),
    // An answer is recorded and wakes nobody.
    in_sql(
        "answer_wakes_nobody",
        &[("session_wake", "head_ready_ms = :now, ", "")],
        "",
        "andresharpe/dotbot PR #523: the runner does not come back for an answered question",
        &["a question", "an answer"],
    ),
    // A question that nobody answered leaves its task waiting.
    in_sql(
        "unanswered_waits_for_ever",
        &[(
            "task_resume",
            "AND state = 'waiting'",
            "AND state = 'waiting' AND EXISTS (SELECT 1 FROM prompt p WHERE p.task_id = :task AND p.state = 'answered')",
        )],
        "",
        "LanternOps/breeze #3090: an expired approval never completes its call",
        &["a question", "its expiry"],
    ),
    // A task that has asked twice is told the answer to its first question.
    in_sql(
        "told_the_first_answer",
        &[(
            "prompt_of_task",
            "ORDER BY p.fence DESC",
            "ORDER BY p.fence",
        )],
        "",
        "incident 000: a text is given to another task than the one that asked",
        &["a task that asks twice"],
    ),
    // The API looks a button up by its place in the newest list.
    in_roles(
        "looked_up_by_position",
        &[Quirk::PressesByPosition],
        "incident 001-i: option_1 of an older list is looked up in the latest one",
        &["two questions", "a press on the older one's button"],
    ),
    // The message itself is taken for the answer to the question about it.
    in_roles(
        "answers_itself",
        &[Quirk::AnswersItself],
        "incident 000-i",
        &["a question"],
    ),
    // The platform is told that a press is done when the store has failed.
    in_roles(
        "a_failed_press_is_done",
        &[Quirk::CallsPressesDone],
        "incident 001: a click that got no outcome",
        &["a press", "an error of the store"],
    ),
];
