//! YAML itself.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    ("a tab indents", "      none: return\n", "\tnone: return\n"),
    (
        "a quote is never closed",
        "name: \":chat\"",
        "name: \":chat",
    ),
    (
        "a bracket is never closed",
        "after: [2s, 3s] }",
        "after: [2s, 3s }",
    ),
    (
        "a key is there twice",
        "name: base\n",
        "name: base\nname: again\n",
    ),
    ("an alias of nothing", "name: base\n", "name: *base\n"),
    ("a text begins with @", "name: base\n", "name: @base\n"),
    (
        "a list where a mapping is due",
        "  chat: { per: chat,",
        "  [chat]: { per: chat,",
    ),
    (
        "the indentation is off",
        "    - new_id: task\n",
        "   - new_id: task\n",
    ),
    (
        "`: ` inside of a text",
        "INSERT INTO task VALUES (:task, :chat)",
        "INSERT INTO task VALUES (:task, 'a: b')",
    ),
    (
        "` #` inside of a text",
        "SELECT id FROM task\n",
        "SELECT id FROM #task\n",
    ),
    (
        "a second document",
        "explore: { runs: 500 }\n",
        "explore: { runs: 500 }\n---\na: 1\n",
    ),
    (
        "a comma ends SQL inside { }",
        "- { effect: bell, intent: \":id\" }",
        "- { sql: INSERT INTO task VALUES (:id, 'x') }",
    ),
];
