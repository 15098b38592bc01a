//! Rules, variants and what is expected of them.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    (
        "a rule of two kinds",
        "told_once: { history",
        "told_once: { finally: SELECT 1, history",
    ),
    (
        "a rule of no kind",
        "{ builtin: resource.home }",
        "{ per: chat }",
    ),
    (
        "a builtin that nobody knows",
        "resource.home }",
        "resource.hom }",
    ),
    ("no expectation", ", fix: holds }", " }"),
    (
        "an expectation of nobody",
        "fix: holds",
        "fixed: holds, fix: holds",
    ),
    ("a verdict that nobody knows", "fix: holds", "fix: hold"),
    (
        "an invariant that is not there",
        "violates: one_task",
        "violates: one_tsak",
    ),
    (
        "a key that no variant may change",
        "  bug: {}",
        "  bug: { faults: {} }",
    ),
    (
        "a flow that is not there",
        "flows: { enqueue: { tell",
        "flows: { enqeue: { tell",
    ),
    ("a label that is not there", "{ tell: {", "{ tel: {"),
    (
        "variants that are only names",
        "  bug: {}\n  fix:\n    schema: CREATE UNIQUE INDEX one_task ON task (chat)\n    \
         flows: { enqueue: { tell: { before: { take: 1s } } } }\n",
        "  - bug\n  - fix\n",
    ),
    ("a patch that does nothing", "before: { take: 1s }", ""),
    (
        "a patch with an unknown key",
        "before: { take: 1s }",
        "instead: { take: 1s }",
    ),
    (
        "a schema that does not fit",
        "ON task (chat)",
        "ON task (chatt)",
    ),
];
