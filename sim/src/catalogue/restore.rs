//! After a restore from a backup, what is known from before still counts.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // The fences go on from where the backup had them.
    in_sql(
        "restored_fences_go_back",
        &[(
            "restore_sessions",
            "fence = CASE WHEN fence + 1 > :base THEN fence + 1 ELSE :base END,",
            "fence = fence,",
        )],
        "",
        "Azure-Samples/cosmos-db-design-patterns PR #91: the fence token begins anew",
        &[
            "a backup",
            "a turn",
            "a restore during it",
            "a second claim",
        ],
    ),
    // The leases of the backup stand.
    in_sql(
        "restored_leases_stand",
        &[
            (
                "restore_leases",
                "DELETE FROM lease",
                "DELETE FROM lease WHERE until_ms < 0",
            ),
            (
                "restore_tasks",
                "WHERE state = 'running'",
                "WHERE state = 'running' AND fence < 0",
            ),
        ],
        "",
        "Tswoen/Paper-Agent PR #22: the mark of a run outlives the run",
        &["a backup during a turn", "a restore"],
    ),
    // What was still to be sent in the backup is sent.
    in_sql(
        "restored_outbox_goes_out",
        &[(
            "restore_outbox",
            "WHERE state IN ('pending','sending')",
            "WHERE state = 'sending'",
        )],
        "",
        "GRIT-LRJ/state-hub #12: queued effects may be replayed after a restart",
        &[
            "a backup with a message to send",
            "the message sent",
            "a restore",
        ],
    ),
    // Sessions that are opened after the restore count their fences from zero.
    in_sql(
        "opens_at_zero_after_restore",
        &[(
            "session_open",
            "(SELECT (m.incarnation - 1) * 1000000 FROM meta m)",
            "(SELECT 0 * m.incarnation FROM meta m)",
        )],
        "",
        "Azure-Samples/cosmos-db-design-patterns PR #91: the fence token begins anew",
        &["a restore", "a session opened after it"],
    ),
    // A backup is put back and the store is not told.
    in_roles(
        "restored_in_silence",
        &[Quirk::RestoresInSilence],
        "Azure-Samples/cosmos-db-design-patterns PR #91: the fence token begins anew",
        &["a backup", "work after it", "a restore"],
    ),
];
