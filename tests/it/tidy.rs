//! The shape of the code: which room may know what, how long a function may be, and that the docs name what exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::root;

/// Sources below a folder, as (path relative to the root, text).
fn sources(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut |path| {
        if path.extension().is_some_and(|found| found == extension) {
            let shown = path
                .strip_prefix(root())
                .expect("below the root")
                .to_string_lossy()
                .replace('\\', "/");
            found.push((shown, fs::read_to_string(path).expect("readable source")));
        }
    });
    found.sort();
    assert!(!found.is_empty(), "no .{extension} below {folder}");
    found
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            walk(&path, visit)
        } else {
            visit(&path)
        }
    }
}

/// Code without comments and without the tests at the end of a file.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(path: &str) -> bool {
    path.contains("/tests") || path.contains("/benches/") || path.contains("/examples/")
}

/// Files of `folder` that mention one of `words` outside the rooms that may.
fn trespassers(folder: &str, words: &[&str], rooms: &[&str]) -> Vec<String> {
    let allowed = |path: &str| is_test(path) || rooms.iter().any(|room| path.starts_with(room));
    let mut found = Vec::new();
    for (path, text) in sources(folder, "rs")
        .into_iter()
        .filter(|(path, _)| !allowed(path))
    {
        let code = code(&text);
        found.extend(
            words
                .iter()
                .filter(|word| code.contains(**word))
                .map(|word| format!("{path}: {word}")),
        );
    }
    found
}

fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_store_knows_nothing_of_the_harness() {
    let words = ["lockstep_sim", "madsim", "saphyr", "corosensei", "async fn"];
    none(
        trespassers("store/src", &words, &[]),
        "the store has no dice, async, YAML",
    );
    none(
        trespassers("store/src", &["std::thread"], &["store/src/conformance"]),
        "only the conformance kit starts threads",
    );
}

#[test]
fn only_run_knows_madsim_and_coroutines() {
    none(
        trespassers("sim/src", &["madsim::", "corosensei"], &["sim/src/run"]),
        "only `run` hosts the simulation",
    );
}

#[test]
fn only_scenario_knows_yaml() {
    none(
        trespassers("sim/src", &["saphyr"], &["sim/src/scenario"]),
        "only `scenario` knows YAML",
    );
}

#[test]
fn unsafe_code_stays_in_its_rooms() {
    none(
        trespassers(
            "sim/src",
            &["unsafe "],
            &["sim/src/disk", "sim/src/run/actor.rs"],
        ),
        "unsafe in sim",
    );
    none(
        trespassers("store/src", &["unsafe "], &[]),
        "unsafe in store",
    );
}

#[test]
fn only_the_command_line_prints_and_exits() {
    let words = [
        "println!",
        "eprintln!",
        "process::exit",
        "std::io::stdout",
        "std::io::stderr",
    ];
    none(
        trespassers("sim/src", &words, &["sim/src/cli", "sim/src/main.rs"]),
        "printing",
    );
    none(trespassers("store/src", &words, &[]), "printing");
}

#[test]
fn decisions_never_see_the_database() {
    let decide = sources("sim/src/decide", "rs");
    let found = decide
        .iter()
        .filter(|(_, text)| code(text).contains("rusqlite") || code(text).contains("disk::"));
    none(
        found.map(|(path, _)| path.clone()).collect(),
        "a strategy knows labels, what is enabled, what was touched",
    );
}

#[test]
fn time_order_and_chance_are_never_ambient() {
    let words = [
        "HashMap",
        "HashSet",
        "SystemTime::now",
        "Instant::now",
        "thread::spawn",
        "rand::rng",
        "new_v4",
        "now_v7",
    ];
    none(
        trespassers("sim/src", &words, &["sim/src/cli"]),
        "ambient time, order or chance",
    );
    none(
        trespassers("store/src", &words, &["store/src/clock.rs"]),
        "ambient time, order or chance",
    );
}

#[test]
fn sql_asks_no_clock_and_throws_no_dice() {
    let files = sources("store/sql", "sql")
        .into_iter()
        .chain(sources("store/schema", "sql"));
    let bad = ["CURRENT_TIMESTAMP", "'now'", "random(", "RANDOM("];
    let found = files.filter(|(_, text)| bad.iter().any(|word| text.contains(word)));
    none(
        found.map(|(path, _)| path).collect(),
        "times and ids are parameters",
    );
}

#[test]
fn nothing_is_unfinished_or_silenced() {
    // Written in two halves, so that this file does not find itself.
    let words = ["todo", "unimplemented"].map(|word| format!("{word}!"));
    let marks = [
        "#[ig".to_owned() + "nore",
        "#[should".to_owned() + "_panic",
        "#[al".to_owned() + "low(",
    ];
    let words: Vec<&str> = words.iter().chain(&marks).map(String::as_str).collect();
    for folder in ["sim", "store", "tests"] {
        let files = sources(folder, "rs")
            .into_iter()
            .filter(|(path, _)| !path.contains("/target/"));
        let hits = files.filter(|(_, text)| words.iter().any(|word| code(text).contains(word)));
        none(
            hits.map(|(path, _)| path).collect(),
            "unfinished or silenced",
        );
    }
}

#[test]
fn functions_fit_on_a_screen() {
    let mut long = Vec::new();
    for folder in ["sim/src", "store/src", "tests"] {
        for (path, text) in sources(folder, "rs") {
            long.extend(
                functions(&text)
                    .into_iter()
                    .filter(|(_, lines)| *lines > 70)
                    .map(|(name, lines)| format!("{path}: {name} has {lines} lines")),
            );
        }
    }
    none(long, "a function has at most 70 lines");
}

/// Functions of a file with their number of lines, by indentation: rustfmt makes that exact.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = line
            .trim_start()
            .split("fn ")
            .nth(1)
            // A signature without a body ends here.
            .filter(|_| starts_function(line) && !line.ends_with(';'))
        else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let close = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|line| *line == close);
        found.extend(end.map(|end| (name.chars().take_while(|c| *c != '(').collect(), end + 1)));
    }
    found
}

fn starts_function(line: &str) -> bool {
    let head = line.trim_start().split("fn ").next().unwrap_or("x");
    let modifiers = [
        "pub",
        "pub(super)",
        "pub(crate)",
        "pub(self)",
        "async",
        "const",
        "unsafe",
        "extern",
        "\"C\"",
    ];
    head.split_whitespace()
        .all(|word| modifiers.contains(&word))
}

#[test]
fn the_docs_name_what_exists() {
    let mut missing = BTreeSet::new();
    let docs = sources("docs", "md").into_iter().chain([(
        "README.md".to_owned(),
        fs::read_to_string(root().join("README.md")).expect("a README"),
    )]);
    for (doc, text) in docs {
        for word in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| is_path(word))
        {
            let bases = ["", "docs", "store", "sim", "tests", "sim/src", "store/src"];
            if !bases
                .iter()
                .any(|base| exists(&root().join(base).join(word)))
            {
                missing.insert(format!("{doc}: {word}"));
            }
        }
    }
    none(
        missing.into_iter().collect(),
        "named in the docs, not in the tree",
    );
}

fn exists(path: &Path) -> bool {
    path.exists()
}

fn is_path(word: &str) -> bool {
    let ends = [".rs", ".md", ".yaml", ".sql", ".toml"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    word.contains('/')
        && word.chars().all(plain)
        && ends.iter().any(|end| word.ends_with(end))
        && !word.starts_with("target/")
}
