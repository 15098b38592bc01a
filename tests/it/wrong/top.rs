//! The top of the file: its version, name, clock, schema, setup and imports.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    ("another version", "version: 1\n", "version: 2\n"),
    (
        "another version and what it may know",
        "version: 1\nname: base\n",
        "version: 2\nname: base\ngoal: 7\n",
    ),
    ("no version", "version: 1\n", ""),
    ("no name", "name: base\n", ""),
    ("a name that is none", "name: base\n", "name: two words\n"),
    ("a key that nobody knows", "goals:\n", "gaols:\n"),
    (
        "a clock without a zone",
        "2025-11-12T20:39:00Z",
        "2025-11-12 20:39",
    ),
    (
        "an engine that nobody knows",
        "schema: |\n",
        "target: oracle\nschema: |\n",
    ),
    ("a number in quotes", "runs: 500", "runs: \"500\""),
    (
        "a number beyond all measure",
        "runs: 500",
        "runs: 99999999999999999999",
    ),
    ("a number below nothing", "runs: 500", "runs: -5"),
    (
        "a schema that SQLite refuses",
        "chat TEXT NOT NULL);\nsetup",
        "chat TEXT NOT NULL;\nsetup",
    ),
    ("a setup with a variable", "VALUES ('c')", "VALUES (:c)"),
    (
        "a setup with a step of flows",
        "  - sql: INSERT INTO session (chat) VALUES ('c')",
        "  - take: 1s",
    ),
    (
        "an import that is not there",
        "platforms:\n",
        "import: platforms/nowhere.yaml\nplatforms:\n",
    ),
];
