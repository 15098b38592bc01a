//! The laws of the platforms load, and an event that names one is delivered by it.

use std::fs;
use std::path::PathBuf;

use super::super::*;
use super::with;

/// Every file of `platforms/` with the names in it.
fn platforms() -> Vec<(PathBuf, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/platforms");
    let files = fs::read_dir(folder).expect("a folder");
    let mut found = Vec::new();
    for file in files.map(|file| file.expect("a file").path()) {
        let text = fs::read_to_string(&file).expect("a text");
        let names = text.lines().filter_map(|line| {
            let name = line.strip_prefix("  ")?.strip_suffix(':')?;
            name.starts_with(|c: char| c.is_ascii_lowercase())
                .then(|| name.to_owned())
        });
        found.push((file, names.collect()));
    }
    found
}

#[test]
fn every_law_of_every_platform_can_be_named() {
    let mut count = 0;
    for (file, names) in platforms() {
        assert!(!names.is_empty(), "{}", file.display());
        let text = fs::read_to_string(&file).expect("a text");
        for name in names {
            let events = format!("redeliver: {name}, from: u }}");
            let text = format!(
                "import: p.yaml\nfiles:\n  p.yaml: |\n{}\n{}",
                text.lines()
                    .map(|line| format!("    {line}\n"))
                    .collect::<String>(),
                with("redeliver: { every: 5s, times: 2 } }", &events)
            );
            let scenario = parse("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
            let event = &scenario.variants[0].program.events[0];
            let law = event.redeliver.as_ref().expect("a law");
            assert!(law.timeout.is_some() || !law.gaps.is_empty(), "{name}");
            count += 1;
        }
    }
    assert!(count >= 12, "{count} laws");
}

#[test]
fn every_law_names_its_source_and_doubt_is_marked() {
    for (file, names) in platforms() {
        let text = fs::read_to_string(&file).expect("a text");
        let sources = text
            .lines()
            .filter(|line| line.starts_with("    source: https://"));
        assert_eq!(sources.count(), names.len(), "{}", file.display());
        assert!(text.contains("nverified"), "{}", file.display());
    }
}

#[test]
fn what_one_sender_did_is_one_queue() {
    let platform =
        "platforms: { p: { redeliver: { every: 5s, times: 2 }, order: per sender } }\nfaults:";
    let text = with("faults:", platform);
    let text = text.replace(
        "redeliver: { every: 5s, times: 2 } }\n",
        "from: ann, redeliver: p }\n",
    );
    let scenario = parse("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let events = &scenario.variants[0].program.events;
    assert_eq!(events[0].queue.as_deref(), Some("p ann"));
    assert_eq!(events[1].queue, None);
}

#[test]
fn wrong_platforms() {
    let refused = |from: &str, to: &str| {
        let problems = parse("x.yaml", &with(from, to)).expect_err("a problem");
        assert_eq!(problems.list.len(), 1, "{problems}");
        problems.to_string()
    };
    let unknown = refused("redeliver: { every: 5s, times: 2 }", "redeliver: telegarm");
    assert!(unknown.contains("unknown platform `telegarm`"), "{unknown}");
    assert!(unknown.contains("platforms/"), "{unknown}");
    let key = refused("faults:", "platforms: { p: { oder: none } }\nfaults:");
    assert!(key.contains("did you mean `order`?"), "{key}");
    let order = refused("faults:", "platforms: { p: { order: fifo } }\nfaults:");
    assert!(order.contains("per sender"), "{order}");
}
