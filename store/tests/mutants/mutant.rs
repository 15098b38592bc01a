//! The mutant under test, if any: see `sql.py`. Its file names a statement or `trigger <name>`; the text follows.

use lockstep_store::Statements;
use rusqlite::Connection;

fn mutant() -> Option<(String, String)> {
    let file = std::env::var_os("LOCKSTEP_MUTANT")?;
    let text = std::fs::read_to_string(file).expect("a mutant");
    let (name, text) = text.split_once('\n').expect("a name and a text");
    Some((name.to_owned(), text.to_owned()))
}

/// The statements as released, or with the mutant under test.
pub(crate) fn statements() -> Statements {
    let released = Statements::reference();
    match mutant() {
        Some((name, text)) if !name.starts_with("trigger ") => {
            let whole = released.text(&name).expect("a statement").to_owned();
            released
                .replace(&name, &whole, &text)
                .expect("stands in it")
        }
        _ => released,
    }
}

/// Puts the trigger under test in the place of the released one, once for each database.
pub(crate) fn mutate_trigger(conn: &Connection) {
    let Some((name, text)) = mutant() else { return };
    let Some(trigger) = name.strip_prefix("trigger ") else {
        return;
    };
    let sql = "SELECT sql FROM sqlite_schema WHERE name = ?";
    let is: String = conn
        .query_row(sql, [trigger], |row| row.get(0))
        .expect("a trigger");
    if is.trim_end_matches(';') != text.trim_end().trim_end_matches(';') {
        conn.execute_batch(&format!("DROP {name}; {text}"))
            .expect("a trigger");
    }
}
