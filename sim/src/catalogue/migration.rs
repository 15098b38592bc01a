//! Work and builds do not fit after a roll forward or back.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A worker of a retired build goes on.
    in_sql(
        "retired_build_works_on",
        &[("claim_ready", "b.state <> 'retired'", "b.state <> ''")],
        "DROP TRIGGER lease_worker_live",
        "multica-ai/multica PR #1905: old binaries go on during a rolling deployment",
        &[
            "a build that is retired",
            "its worker still there",
            "work of its class",
        ],
    ),
    // A reset to another build stays on the old one.
    in_sql(
        "reset_stays_on_its_build",
        &[(
            "session_next",
            "coalesce(:build, o.bound_build)",
            "coalesce(o.bound_build, :build)",
        )],
        "",
        "multica-ai/multica #7129: tasks keep the runtime that their agent has left",
        &["a reset to the other runtime"],
    ),
    // New sessions are bound to the oldest build that is not retired.
    in_sql(
        "opens_on_a_draining_build",
        &[(
            "session_open",
            "AND b.state = 'current'",
            "AND b.state IN ('current','draining') ORDER BY b.created_ms, b.build_id LIMIT 1",
        )],
        "",
        "temporalio/temporal-worker-controller PR #587: what is pinned to a draining version never runs",
        &["a roll forward", "a new conversation"],
    ),
    // Two builds of a runtime are current.
    in_sql(
        "two_are_current",
        &[(
            "build_demote",
            "AND state = 'current'",
            "AND state = 'current' AND build_id < ''",
        )],
        "DROP INDEX runtime_one_current",
        "argoproj/argo-rollouts PR #4940: the old version stays up beside the new one",
        &["a roll forward"],
    ),
    // Workers go on with their build whatever is deployed.
    in_roles(
        "deployed_build_is_ignored",
        &[Quirk::StaysOnItsBuild],
        "multica-ai/multica PR #1905: old binaries go on during a rolling deployment",
        &["a roll forward by force", "work of the class"],
    ),
];
