//! What a worker did after it had lost its session counts.

use super::planted::{ITEMS_BY_STATE, Planted, RELEASED_BY_SESSION, SENDS_BY_STATE, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A turn is finished by whoever says so while the task runs, whichever attempt it is.
    in_sql(
        "finishes_by_state",
        &[
            ITEMS_BY_STATE,
            SENDS_BY_STATE,
            (
                "task_finish",
                " AND fence = :fence",
                " AND state = 'running' AND :fence > 0",
            ),
            RELEASED_BY_SESSION,
        ],
        "",
        "River: a job is completed where its state is `running`, whichever attempt runs (JobSetStateIfRunning)",
        &[
            "a turn that outlasts its lease",
            "a rescue",
            "a second claim",
            "the end of the first turn",
        ],
    ),
    // A turn fails for whoever runs it now.
    in_sql(
        "fails_by_state",
        &[
            (
                "task_fail",
                " AND fence = :fence",
                " AND state = 'running' AND :fence > 0",
            ),
            RELEASED_BY_SESSION,
        ],
        "",
        "OptimalBits/bull #308: completion does not ask who holds the lock, tokens are per queue",
        &[
            "a turn that outlasts its lease",
            "a rescue",
            "a second claim",
            "a failure of the first turn",
        ],
    ),
    // A heartbeat renews the session's lease, whosever it is.
    in_sql(
        "renews_by_session",
        &[("lease_renew", " AND fence = :fence", " AND :fence > 0")],
        "",
        "brendanlong/lion-reader PR #917: a delayed heartbeat steals the lease back",
        &[
            "a worker that stands still",
            "a rescue",
            "a second claim",
            "a heartbeat of the first worker",
        ],
    ),
    // History is appended to the turn that runs now.
    in_sql(
        "appends_by_session",
        &[(
            "item_append",
            " AND t.fence = :fence",
            " AND t.state = 'running' AND :fence > 0",
        )],
        "",
        "incident 003 (two sockets of one session); openclaw #88538: events of an old run land in the new one",
        &[
            "a turn that outlasts its lease",
            "a rescue",
            "a second claim",
            "an append of the first worker",
        ],
    ),
    // The resume pointer is set by whoever knows its epoch.
    in_sql(
        "points_without_fence",
        &[("session_point", " AND l.fence = :fence", " AND :fence > 0")],
        "",
        "nexu-io/open-design #5490: of two runs of one conversation the later write of the session id wins",
        &[
            "a turn that outlasts its lease",
            "a rescue",
            "a second claim",
            "a pointer set by the first worker",
        ],
    ),
    // A question is asked by whoever once held the task.
    in_sql(
        "asks_by_state",
        &[
            ITEMS_BY_STATE,
            SENDS_BY_STATE,
            (
                "prompt_put",
                " AND t.fence = :fence",
                " AND t.state = 'running' AND :fence > 0",
            ),
            (
                "task_wait",
                " AND fence = :fence",
                " AND state = 'running' AND :fence > 0",
            ),
            RELEASED_BY_SESSION,
        ],
        "",
        "aegra/aegra PR #547: an expired attempt writes on; claims get tokens of their own",
        &[
            "a turn that outlasts its lease",
            "a rescue",
            "a second claim",
            "a question of the first turn",
        ],
    ),
    // A claim issues no new fence once there is one.
    in_sql(
        "fence_stays",
        &[(
            "claim_session",
            "SET fence = fence + 1,",
            "SET fence = CASE WHEN fence = 0 THEN 1 ELSE fence END,",
        )],
        "",
        "patibandlavenkatamanideep/memoryops-ai PR #111: a lease that is renewed, without a number that grows",
        &["a second turn"],
    ),
    // The next generation counts its fences anew.
    in_sql(
        "next_generation_counts_anew",
        &[("session_next", "1, 1, o.fence,", "1, 1, 0,")],
        "",
        "openclaw #88538: after a reset the old run's end is taken for the new session's",
        &[
            "a turn that outlasts its lease",
            "a rescue",
            "a reset that moves the queue",
            "a second claim",
            "the end of the first turn",
        ],
    ),
    // Of the fence only two bits are kept, so that the fourth claim after it looks the same: a rescue and a claim take one each.
    in_sql(
        "short_fence_finishes",
        &[
            (
                "item_of_turn",
                " AND t.fence = :fence",
                " AND t.fence % 4 = :fence % 4 AND t.state = 'running'",
            ),
            (
                "send_of_turn",
                " AND t.fence = :fence",
                " AND t.fence % 4 = :fence % 4 AND t.state = 'running'",
            ),
            (
                "task_finish",
                " AND fence = :fence",
                " AND state = 'running' AND fence % 4 = :fence % 4",
            ),
            RELEASED_BY_SESSION,
        ],
        "",
        NUMBERS_COME_AGAIN,
        &[
            "a turn that outlasts its lease",
            "a rescue, a second claim, and the same once more",
            "the end of the first turn during the third",
        ],
    ),
    // The same for a failure: the first holder fails the turn of the third.
    in_sql(
        "short_fence_fails",
        &[
            (
                "task_fail",
                " AND fence = :fence",
                " AND state = 'running' AND fence % 4 = :fence % 4",
            ),
            RELEASED_BY_SESSION,
        ],
        "",
        NUMBERS_COME_AGAIN,
        &[
            "a turn that outlasts its lease",
            "a rescue, a second claim, and the same once more",
            "a failure of the first turn during the third",
        ],
    ),
];

const NUMBERS_COME_AGAIN: &str = "wavect/semaprax #192, golemcloud/golem PR #3845: numbers that come again, and two owners with the same one";
