//! Words for what the YAML parser refuses: what it means in a scenario, and what to write instead.

use serde_saphyr::granit_parser::ErrorKind;

/// Message and help for one error of the parser; `before` is the text up to the place where it gave up.
pub(super) fn explain(kind: &ErrorKind, before: &str) -> (String, String) {
    let line = before.lines().next_back().unwrap_or("");
    if let ErrorKind::RecursionLimitExceeded = kind {
        let help = "a scenario has some ten levels; the limit is 64";
        return ("the file is nested too deeply".to_owned(), help.to_owned());
    }
    if is_tab(kind) {
        let help = "YAML indents with spaces only: replace the tab by spaces";
        return (
            format!("a tab where YAML wants spaces ({kind})"),
            help.to_owned(),
        );
    }
    (
        format!("this is not YAML: {kind}"),
        advice(kind, line).to_owned(),
    )
}

/// A tab stands where only spaces may.
pub(super) fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
    )
}

fn advice(kind: &ErrorKind, line: &str) -> &'static str {
    match kind {
        ErrorKind::UnexpectedCharacter { .. } => {
            "a text that starts with one of % @ ` needs quotes: sql: \"…\"; inside a text they are harmless"
        }
        ErrorKind::MissingAnchorOrAliasName | ErrorKind::UnknownAnchor => {
            "`*` and `&` at the start of a text mean alias and anchor; put the text into quotes: \"* …\""
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::UnknownQuotedScalarEscape => {
            "quotes do not match: put SQL into double quotes, and its own texts into single quotes: \"SELECT 'x'\""
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence => {
            "inside { } and [ ] put every SQL text and every call into quotes: { sql: \"INSERT INTO t VALUES (:a, :b)\" }"
        }
        _ if line.contains(": ") => {
            "a text that contains `: ` or ` #` needs quotes; check that the lines of one block are indented alike"
        }
        _ => "check the indentation of this line against the lines above, and put SQL into quotes",
    }
}
