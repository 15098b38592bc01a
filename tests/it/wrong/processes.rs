//! Processes, resources, locks and effects.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    ("no instance", "count: 2,", "count: 0,"),
    ("a key that nobody knows", "home: host-a", "hom: host-a"),
    (
        "a start flow that is not there",
        "start: boot",
        "start: reboot",
    ),
    (
        "a start flow with parameters",
        "start: boot",
        "start: enqueue",
    ),
    ("an offset without a unit", "offset: -90s", "offset: -90"),
    (
        "an owner of memory that nobody knows",
        "per: connection",
        "per: conection",
    ),
    ("memory that starts with a list", "seen: null", "seen: []"),
    ("a version that is not there", "code: base", "code: bsae"),
    ("a loop without a flow", "flow: boot, every", "every"),
    ("yes instead of true", "exclusive: true", "exclusive: yes"),
    ("a range that goes backwards", "0s..20s", "20s..0s"),
    (
        "a lock that breaks in an unknown way",
        "waiter_timeout",
        "waiter_timout",
    ),
    (
        "an effect with an unknown key",
        "idempotent: true",
        "idempotence: true",
    ),
];
