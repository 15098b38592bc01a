//! Databases: good, broken, damaged, and those of others.

use std::fs;
use std::path::Path;

use lockstep_store::{Accept, ConvKey, ManualClock, NewSession, SqliteStore, Store};
use rusqlite::Connection;

use super::Desk;

/// A store with two chats, one of them at work.
fn store(path: &Path) {
    let mut store = SqliteStore::open(path, ManualClock::at(1_000_000)).expect("opens");
    store
        .register_build("o1".into(), "b1".into(), "bot", "bot/1".into())
        .expect("build");
    store
        .set_current("o2".into(), "b1".into())
        .expect("current");
    store
        .register_worker("o3".into(), "w1".into(), "b1".into(), "h1")
        .expect("worker");
    for chat in ["ann", "bob"] {
        store
            .accept(format!("accept {chat}").as_str().into(), event(chat))
            .expect("accepted");
    }
    let claimed = store
        .claim("o4".into(), "w1".into(), 1, 30_000)
        .expect("claims");
    assert_eq!(claimed.len(), 1);
}

fn event(chat: &str) -> Accept {
    Accept {
        key: ConvKey::chat("", "web", "bot", chat),
        ext_id: format!("{chat}-1"),
        kind: "message".to_owned(),
        body: "hello".to_owned(),
        task: format!("task of {chat}").as_str().into(),
        max_failures: 3,
        new: NewSession {
            conv: format!("chat of {chat}").as_str().into(),
            session: format!("session of {chat}").as_str().into(),
            runtime: "bot".to_owned(),
            idle_ms: None,
        },
        when_waiting: Default::default(),
    }
}

fn with_store() -> Desk {
    let desk = Desk::new();
    store(&desk.path("good.db"));
    desk
}

/// A copy of the good database, edited as only a person with a shell would: no foreign keys, no triggers, no checks.
fn edited(desk: &Desk, name: &str, sql: &str) {
    fs::copy(desk.path("good.db"), desk.path(name)).expect("copied");
    let conn = Connection::open(desk.path(name)).expect("opens");
    conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .expect("unguarded");
    let mut query = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .expect("triggers");
    let triggers: Vec<String> = query
        .query_map([], |row| row.get(0))
        .expect("names")
        .map(|name| name.expect("a name"))
        .collect();
    drop(query);
    for trigger in triggers {
        conn.execute_batch(&format!("DROP TRIGGER \"{trigger}\""))
            .expect("dropped");
    }
    conn.execute_batch(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[test]
fn a_good_database_is_verified_and_left_alone() {
    let desk = with_store();
    let before = fs::read(desk.path("good.db")).expect("bytes");
    let told = desk.run(&["verify", "good.db"]).ends_with(0);
    assert!(told.stdout.starts_with("ok   good.db: "), "{}", told.stdout);
    assert!(told.stdout.contains(" 0 findings"), "{}", told.stdout);
    assert!(fs::read(desk.path("good.db")).expect("bytes") == before);
    for suffix in ["-wal", "-shm", "-journal"] {
        assert!(!desk.path(&format!("good.db{suffix}")).exists(), "{suffix}");
    }
}

#[test]
fn a_database_that_is_open_elsewhere_is_verified_too() {
    let desk = with_store();
    let open = Connection::open(desk.path("good.db")).expect("opens");
    open.execute_batch("CREATE TABLE mine (x); BEGIN IMMEDIATE; INSERT INTO mine VALUES (1)")
        .expect("writes");
    desk.run(&["verify", "good.db"]).ends_with(0);
}

#[test]
fn each_broken_rule_is_named() {
    let desk = with_store();
    for (rule, sql) in [
        (
            "lease_fence_is_sessions",
            "UPDATE session SET fence = fence + 7",
        ),
        (
            "lease_matches_runtime",
            "UPDATE lease SET resume_class = 'other/1'",
        ),
        ("lease_has_its_task", "DELETE FROM task"),
        (
            "open_task_reachable",
            "UPDATE session SET head_ready_ms = NULL; DELETE FROM lease",
        ),
        (
            "ready_session_has_a_head",
            "UPDATE session SET head_ready_ms = 5 WHERE head_ready_ms IS NOT NULL",
        ),
        ("session_build_has_its_class", "DELETE FROM runtime_build"),
    ] {
        edited(&desk, "broken.db", sql);
        let told = desk.run(&["verify", "broken.db"]).ends_with(1);
        assert!(
            told.stdout.contains(rule),
            "{sql} should break {rule}: {}",
            told.stdout
        );
    }
}

#[test]
fn paths_may_have_any_form() {
    let desk = with_store();
    for name in [
        "a b.db",
        "what?.db",
        "50%.db",
        "#1.db",
        "ünï.db",
        "file:x.db",
        "-x.db",
    ] {
        fs::copy(desk.path("good.db"), desk.path(name)).expect("copied");
        desk.run(&["verify", "--", name]).ends_with(0);
        desk.run(&["verify", &desk.path(name).to_string_lossy()])
            .ends_with(0);
    }
    let slashes = format!("/{}", desk.path("good.db").to_string_lossy());
    desk.run(&["verify", &slashes]).ends_with(0);
}

#[test]
fn what_is_no_database_is_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).expect("a folder");
    desk.put("empty.db", "");
    desk.put("text.db", "CREATE TABLE session (id TEXT);\n");
    desk.put("binary.db", [0xff, 0x00, 0x80, 0x01].repeat(2000));
    desk.put("head.db", b"SQLite format 3\0");
    desk.put("zeros.db", [&b"SQLite format 3\0"[..], &[0; 8192]].concat());
    for (file, reason) in [
        ("missing.db", "No such file"),
        ("folder", "is a directory"),
        ("empty.db", "is empty"),
        ("/dev/null", "is not a regular file"),
        ("text.db", "is not an SQLite database"),
        ("binary.db", "is not an SQLite database"),
        ("head.db", "head.db: "),
        ("zeros.db", "zeros.db: "),
    ] {
        desk.refuses(&["verify", file], reason);
    }
}

#[test]
fn the_database_of_another_application_or_version_is_refused() {
    let desk = with_store();
    let other = Connection::open(desk.path("other.db")).expect("opens");
    other
        .execute_batch("CREATE TABLE session (id TEXT)")
        .expect("a table");
    drop(other);
    desk.refuses(&["verify", "other.db"], "is not a lockstep store");
    for (sql, reason) in [
        ("PRAGMA application_id = 7", "is not a lockstep store"),
        (
            "PRAGMA user_version = 9",
            "has schema version 9; this lockstep knows up to 2",
        ),
        (
            "PRAGMA user_version = 0",
            "has schema version 0: open it once with the store",
        ),
        ("DROP TABLE lease", "no such table: lease"),
        ("DELETE FROM meta", "meta has 0 rows"),
        ("DELETE FROM migration", "migration 1 is not recorded"),
    ] {
        edited(&desk, "other.db", sql);
        desk.refuses(&["verify", "other.db"], reason);
    }
}

#[test]
fn a_database_that_was_cut_off_is_refused() {
    let desk = with_store();
    let whole = fs::read(desk.path("good.db")).expect("bytes");
    for part in [1, 3, 7, 9] {
        desk.put("cut.db", &whole[..whole.len() * part / 10]);
        desk.refuses(&["verify", "cut.db"], "cut.db: ");
    }
    for missing in [1, 2, 50, 4095] {
        desk.put("cut.db", &whole[..whole.len() - missing]);
        desk.refuses(&["verify", "cut.db"], "not a whole number of pages");
    }
}

#[test]
fn a_database_that_was_written_over_is_refused() {
    let desk = with_store();
    let whole = fs::read(desk.path("good.db")).expect("bytes");
    for page in [0, 1, 5, 20] {
        let mut bytes = whole.clone();
        let start = page * 4096 + usize::from(page == 0) * 100;
        bytes[start..start + 2000].fill(0xa5);
        desk.put("over.db", bytes);
        desk.refuses(&["verify", "over.db"], "over.db: ");
    }
}
