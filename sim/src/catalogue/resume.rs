//! A native session is lost, or resumed where it must not be.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // The pointer is given to any worker of the class, wherever it is.
    in_sql(
        "pointer_for_any_home",
        &[(
            "session_resume",
            " AND (s.resume_home IS NULL OR s.resume_home = w.home)",
            "",
        )],
        "",
        "multica-ai/multica PR #1905: a session id means nothing on another machine",
        &[
            "two homes of one class",
            "a worker that stands still after its claim",
            "a rescue and a turn elsewhere",
            "the first worker asks for the pointer",
        ],
    ),
    // Who reports a token lost drops whatever token there is now.
    in_sql(
        "drops_a_newer_token",
        &[(
            "session_unpoint",
            " AND resume_epoch = :epoch",
            " AND :epoch >= 0",
        )],
        "",
        "openclaw PR #97895, PR #128732: an older retry removes a newer binding",
        &[
            "a token that is lost",
            "a newer one",
            "a late report of the loss",
        ],
    ),
    // A turn that brings no token takes away the one that was there.
    in_sql(
        "failed_turn_forgets",
        &[
            (
                "session_turn_over",
                "THEN token_class ELSE resume_class END",
                "THEN NULL ELSE resume_class END",
            ),
            (
                "session_turn_over",
                "THEN resume_home ELSE (",
                "THEN NULL ELSE (",
            ),
            (
                "session_turn_over",
                "resume_token = coalesce(:token, resume_token)",
                "resume_token = :token",
            ),
        ],
        "DROP TRIGGER session_token_epoch",
        "openclaw #149119: any failure counts as proof that the conversation is gone",
        &["a turn that left a token", "a turn that fails"],
    ),
    // A new token does not begin a new epoch.
    in_sql(
        "epoch_stays",
        &[(
            "session_turn_over",
            "OR :token = resume_token THEN 0 ELSE 1 END",
            "OR :token = resume_token THEN 0 ELSE 0 END",
        )],
        "DROP TRIGGER session_token_epoch",
        "openclaw PR #97895: only the exact id may be cleared, or a newer one goes with it",
        &["a turn that replaces the token"],
    ),
    // A reset goes on in the native session of before.
    in_sql(
        "reset_resumes_the_old",
        &[
            (
                "session_next",
                "bound_build, resume_class, resume_epoch,",
                "bound_build, resume_class, resume_token, token_class, resume_home, resume_epoch,",
            ),
            (
                "session_next",
                "b.build_id, b.resume_class, 0, :now",
                "b.build_id, b.resume_class, \
                 CASE WHEN b.resume_class = o.resume_class THEN o.resume_token END, \
                 CASE WHEN b.resume_class = o.resume_class THEN o.token_class END, \
                 CASE WHEN b.resume_class = o.resume_class THEN o.resume_home END, 0, :now",
            ),
        ],
        "",
        "openclaw PR #116247: after a reset the old conversation is back in the context",
        &["a turn that left a token", "a reset"],
    ),
    // A session without a token goes on in the native session of the worker's last turn.
    in_roles(
        "leaks_a_token",
        &[Quirk::LeaksToken],
        "incident 002 bug 2",
        &[
            "a turn that left a token",
            "a turn of another session by the same worker",
        ],
    ),
    // A token that the provider has replaced is kept.
    in_roles(
        "first_token_is_kept",
        &[Quirk::KeepsFirstToken],
        "anthropics/claude-code #12235: the session id changes with each resume",
        &["a turn that is resumed", "a token that rotates"],
    ),
    // Any error of the provider's counts as proof that the native session is gone.
    in_roles(
        "any_failure_drops_the_token",
        &[Quirk::AnyFailureDropsTheToken],
        "openclaw #149119: any failure counts as proof that the conversation is gone",
        &["a turn that left a token", "a turn that fails"],
    ),
];
