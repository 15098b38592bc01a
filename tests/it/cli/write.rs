//! What somebody meets who writes a scenario: a first one, its schema, files that it names.

use std::fs;

use super::Desk;

#[test]
fn a_new_scenario_checks_and_runs() {
    let desk = Desk::new();
    let told = desk
        .run(&["new", "lost_task", "--file", "x.yaml"])
        .ends_with(0);
    assert!(
        told.last_line().ends_with("check x.yaml"),
        "{}",
        told.stdout
    );
    assert_eq!(
        desk.run(&["new", "lost_task"]).ends_with(0).stdout,
        desk.read("x.yaml")
    );
    desk.run(&["check", "x.yaml"]).ends_with(0);
    let json = desk.run(&["run", "x.yaml", "--json"]).ends_with(0).json();
    assert_eq!(json["scenarios"][0]["name"], "lost_task");
    desk.refuses(&["new", "lost_task", "--file", "x.yaml"], "x.yaml");
    desk.refuses(&["new", "no name"], "a name is a letter");
    let schema = desk.run(&["schema"]).ends_with(0).json();
    assert!(schema["properties"]["flows"].is_object());
}

#[test]
fn a_case_needs_no_other_file() {
    let desk = Desk::new();
    let told = desk.run(&["new", "charged_twice"]).ends_with(0).stdout;
    let table = "  CREATE TABLE charge (buy TEXT NOT NULL, click TEXT NOT NULL);\n";
    assert!(told.contains(table));
    let text = told
        .replace(
            &format!("schema: |\n{table}"),
            "schema: { file: sql/tables.sql }\nimport: shared.yaml\n",
        )
        .replace("processes: { api: 2 }\n", "");
    desk.put("x.yaml", text);
    desk.put("shared.yaml", "processes: { api: 2 }\n");
    fs::create_dir(desk.path("sql")).expect("a folder");
    desk.put(
        "sql/tables.sql",
        "CREATE TABLE charge (\n  buy TEXT,\n  click TEXT\n);\n",
    );
    let json = desk.run(&["run", "x.yaml", "--json"]).ends_with(0).json();
    let case = json["scenarios"][0]["variants"][0]["case"]
        .as_str()
        .expect("a case");
    let case = fs::read(desk.path(case)).expect("a file");
    let elsewhere = Desk::new();
    elsewhere.put("bug.case", case);
    elsewhere.run(&["replay", "bug.case"]).ends_with(1);
    fs::remove_file(desk.path("sql/tables.sql")).expect("removed");
    desk.refuses(&["check", "x.yaml"], "cannot read `sql/tables.sql`");
}

#[test]
fn a_dash_is_stdin() {
    let desk = Desk::new();
    let text = desk.run(&["new", "charged_twice"]).ends_with(0).stdout;
    let told = desk.hears(&["check", "-"], &text).ends_with(0);
    assert!(told.stdout.starts_with("<stdin>: charged_twice,"));
    let told = desk.hears(&["check", "-"], "version: 2\n").ends_with(2);
    assert!(told.stderr.starts_with("<stdin>:1:10: "), "{}", told.stderr);
    let json = desk
        .hears(&["run", "-", "--json"], &text)
        .ends_with(0)
        .json();
    let case = json["scenarios"][0]["variants"][0]["case"].as_str();
    let case = desk.read(case.expect("a case"));
    desk.hears(&["replay", "-"], &case).ends_with(1);
    let args = [
        "replay",
        "--scenario",
        "-",
        "--variant",
        "unique_index",
        "--decisions",
        "",
    ];
    desk.hears(&args, &text).ends_with(0);
    desk.hears(&["compare", "-"], &text).ends_with(0);
}

#[test]
fn hints_go_to_stderr_and_change_no_exit() {
    let desk = Desk::new();
    let text = desk.run(&["new", "charged_twice"]).ends_with(0).stdout;
    desk.put(
        "x.yaml",
        text.replacen("flows:\n", "flows:\n  lost(): [reply]\n", 1),
    );
    let told = desk.run(&["check", "x.yaml"]).ends_with(0);
    assert!(told.stdout.ends_with("2 variants, ok\n"), "{}", told.stdout);
    assert!(
        told.stderr.contains("hint: nothing runs flow `lost`"),
        "{}",
        told.stderr
    );
}
