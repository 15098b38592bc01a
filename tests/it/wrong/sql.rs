//! SQL in steps and rules.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    (
        "a table that is not there",
        "FROM session WHERE",
        "FROM sesion WHERE",
    ),
    (
        "a column that is not there",
        "SELECT active FROM",
        "SELECT activ FROM",
    ),
    (
        "a word that is no SQL",
        "INSERT INTO task VALUES (:task",
        "INSERT INTOO task VALUES (:task",
    ),
    (
        "a variable that nothing binds",
        "WHERE chat = :chat",
        "WHERE chat = :chta",
    ),
    (
        "a parameter of another dialect",
        "WHERE chat = :chat",
        "WHERE chat = $1",
    ),
    (
        "a text without SQL's quotes",
        "{ ok: \":task\" }",
        "{ ok: done }",
    ),
    (
        "a variable without its colon",
        "{ ok: \":task\" }",
        "{ ok: task }",
    ),
    (
        "two statements in one step",
        "VALUES (:task, :chat)\n",
        "VALUES (:task, :chat); DELETE FROM task\n",
    ),
    ("a transaction by hand", "- new_id: task", "- sql: BEGIN"),
    ("sql that only reads", "- new_id: task", "- sql: SELECT 1"),
    (
        "a column without a name",
        "SELECT active FROM",
        "SELECT count(*) FROM",
    ),
    ("dice", "coalesce(:memory.seen, 0) + 1", "random()"),
    (
        "a clock",
        "coalesce(:memory.seen, 0) + 1",
        "strftime('%s', 'now')",
    ),
    (
        "a file that is attached",
        "- new_id: task",
        "- sql: ATTACH 'x' AS y",
    ),
    ("memory that nobody has", "memory.seen:", "memory.sene:"),
    (
        "a rule that writes",
        "never: SELECT chat, count(*) AS tasks FROM task",
        "never: DELETE FROM task --",
    ),
    (
        "a rule without its key",
        "    per: chat\n    never",
        "    per: id\n    never",
    ),
];
