//! What to do about a text that SQLite refuses, and where in the file it stands.

use super::names;
use super::node::Node;
use super::problem::Report;
use super::sql::Checker;

impl Checker {
    /// What to do about a refusal of SQLite.
    pub(super) fn help(&self, file: usize, message: &str, variables: &[&str]) -> String {
        let about = |prefix: &str| message.strip_prefix(prefix).map(str::trim);
        if let Some(table) = about("no such table:") {
            let tables = self.names(
                file,
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') UNION SELECT name FROM sqlite_temp_schema ORDER BY name",
            );
            return names::help(table, "table", &refs(&tables));
        }
        if let Some(column) = about("no such column:") {
            let bare = column
                .trim_matches('"')
                .split(" - ")
                .next()
                .unwrap_or(column)
                .trim_matches('"');
            if variables.contains(&bare) {
                return format!("a variable is written with a colon: `:{bare}`");
            }
            return self.column_help(file, bare);
        }
        if message.ends_with("asks a clock") {
            return "the time is `:now`, milliseconds since 1970 on the process's clock: datetime(:now / 1000, 'unixepoch')"
                .to_owned();
        }
        if message.contains("near \"FOR\"") || message.contains("near \"SKIP\"") {
            return "SQLite has no row locks: what FOR UPDATE keeps out is a `lock` step around these, and SKIP LOCKED is `wait: 1ms` with `else`"
                .to_owned();
        }
        if message.ends_with("by hand") {
            return "write the steps under `transaction:`; it commits at its end".to_owned();
        }
        if message.starts_with("more than one statement") {
            return "give each statement a step of its own".to_owned();
        }
        if ["changes", "last_insert_rowid"]
            .iter()
            .any(|name| message.contains(name))
        {
            return "what a connection did before is no input: write `rows: N` with `else`, or bind with \
                    read: INSERT … RETURNING id"
                .to_owned();
        }
        if message.starts_with("not authorized") {
            return "scenario SQL may not attach files, set pragmas, make temporary tables or draw random numbers; \
                    `new_id` makes ids and `:now` is the time"
                .to_owned();
        }
        let much = ["interrupted", "too big", "is full"];
        if much.iter().any(|word| message.contains(word)) {
            return "this takes too much work or room: a schema is tables with a few small rows, what fills them belongs into \
                    `setup` or flows"
                .to_owned();
        }
        "the text must be one SQLite statement; `: `, ` #` and, inside { }, a comma end an unquoted YAML text".to_owned()
    }

    fn column_help(&self, file: usize, column: &str) -> String {
        let columns = self.names(
            file,
            "SELECT c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type = 'table' UNION SELECT c.name FROM sqlite_temp_schema s JOIN pragma_table_info(s.name) c ORDER BY 1",
        );
        let bare = column.rsplit('.').next().unwrap_or(column);
        let near = names::nearest(bare, &refs(&columns))
            .map_or(String::new(), |near| format!("did you mean `{near}`? "));
        format!(
            "{near}a text is written in single quotes, inside the YAML quotes: \"'{bare}'\"; a variable with a colon: `:{bare}`"
        )
    }
}

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

impl Report<'_> {
    /// Adds a problem about `length` bytes at `offset` of the value of a scalar.
    pub(super) fn in_scalar(
        &self,
        node: &Node,
        offset: usize,
        length: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let value = node.scalar().unwrap_or("");
        let offset = offset.min(value.len());
        let start = self
            .source()
            .byte_of(node.start, node.end, node.style(), value, offset);
        let end = start.saturating_add(length).min(node.end.max(start));
        self.add(start, end, message, help);
    }
}
