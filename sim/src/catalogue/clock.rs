//! Time is taken for something that it is not.

use super::planted::{Planted, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A renewal sets the end of the lease, also to an earlier one.
    in_sql(
        "renewal_shortens",
        &[(
            "lease_renew",
            "CASE WHEN CAST(:now AS BIGINT) + :lease_ms > until_ms THEN CAST(:now AS BIGINT) + :lease_ms ELSE until_ms END",
            "CAST(:now AS BIGINT) + :lease_ms",
        )],
        "",
        "mlflow/mlflow PR #25199: a clock that is set back during a renewal shortens the lease",
        &["a renewal", "a clock that is set back"],
    ),
    // A lease that was granted in the future counts as stuck.
    in_sql(
        "the_future_is_stuck",
        &[
            (
                "lease_expired",
                "until_ms <= :now",
                "(until_ms <= :now OR granted_ms > :now)",
            ),
            (
                "task_reap",
                "l.until_ms <= :now",
                "(l.until_ms <= :now OR l.granted_ms > :now)",
            ),
        ],
        "",
        "incident 000: a negative age means stuck, and fresh tasks are failed",
        &[
            "a worker's clock ahead of the reaper's",
            "a reap during a turn",
        ],
    ),
    // A session that is due to expire is not found, and a second one is opened before it is closed.
    in_sql(
        "expired_is_absent",
        &[(
            "session_touch",
            "WHERE state = 'active' AND conv_id",
            "WHERE state = 'active' AND (expires_ms IS NULL OR expires_ms > :now) AND conv_id",
        )],
        "DROP INDEX session_one_active",
        "incident 001 (seven hours of silence), johanhaleby/occurrent #662 (expiry by one's own clock)",
        &[
            "a silence or a clock that is off",
            "a message before the sweep",
        ],
    ),
    // Another day is another session.
    in_sql(
        "midnight_opens_another",
        &[(
            "session_touch",
            "WHERE state = 'active' AND conv_id",
            "WHERE state = 'active' AND touched_ms / 86400000 = CAST(:now AS BIGINT) / 86400000 AND conv_id",
        )],
        "DROP INDEX session_one_active",
        "incident 001: the hour decides whether a session is new",
        &["a clock on the other side of midnight", "two messages"],
    ),
    // The sweep closes sessions by their age, not by their idleness.
    in_sql(
        "sweeps_by_age",
        &[
            (
                "sessions_expired",
                "s.expires_ms <= :now",
                "s.created_ms + s.idle_ms <= :now",
            ),
            (
                "session_expire",
                "expires_ms <= :now",
                "created_ms + idle_ms <= :now",
            ),
        ],
        "",
        "openclaw #93052: a session that was just used is replaced",
        &[
            "a session that is older than its idleness",
            "a sweep soon after a turn",
        ],
    ),
];
