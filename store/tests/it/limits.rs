//! Texts that are too long, empty, or contain what no text should: refused by name, and nothing is done.

use crate::kit::{World, done, event_of, item, key};
use lockstep_store::{Call, Complete, Error, OpId, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn field(refused: Result<impl std::fmt::Debug, Error>) -> &'static str {
    match refused {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn texts_have_limits() {
    let mut world = World::new();
    let before = world.contents();
    let long = "x".repeat(201);
    let body = "x".repeat(1_048_577);
    let mut wrong = Vec::new();
    for name in ["ext_id", "kind", "body", "task", "session", "chat"] {
        let mut event = event_of("42", "e1");
        match name {
            "ext_id" => event.ext_id.clone_from(&long),
            "kind" => event.kind.clone_from(&long),
            "body" => event.body.clone_from(&body),
            "task" => event.task = long.as_str().into(),
            "session" => event.new.session = "".into(),
            _ => event.key = key(&long),
        }
        let op = world.op();
        wrong.push((name, field(world.store.accept(op, event))));
    }
    assert!(wrong.iter().all(|(name, field)| name == field), "{wrong:?}");
    assert_eq!(world.contents(), before);
    assert_eq!(
        field(world.store.accept(OpId::new(""), event_of("42", "e1"))),
        "op_id"
    );
}

#[test]
fn the_longest_texts_pass_and_come_back_whole() {
    let mut world = World::new();
    let mut event = event_of("42", "e1");
    event.body = "ü".repeat(1_048_576 / 2);
    event.task = "t".repeat(200).into();
    let op = world.op();
    world.store.accept(op, event.clone()).expect("just fits");
    assert_eq!(world.claim("w1").expect("ready").input, event.body);
    world.is_sound();
}

#[test]
fn no_text_contains_a_nul() {
    let mut world = World::new();
    let mut event = event_of("42", "e1");
    event.body = "a\0b".to_owned();
    let op = world.op();
    assert_eq!(field(world.store.accept(op, event)), "body");
    let claimed = world.running("42", "e2");
    let op = world.op();
    let items = vec![item("a\0")];
    let appended = world
        .store
        .append(op, claimed.session.clone(), claimed.fence, 1, items);
    assert_eq!(field(appended), "body");
    let op = world.op();
    let turn = Complete {
        resume_token: Some("\0".to_owned()),
        ..done(&claimed)
    };
    assert_eq!(field(world.store.complete(op, turn)), "resume_token");
}

#[test]
fn a_call_has_a_bounded_number_of_parts() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let turn = Complete {
        items: vec![item("a"); 1_001],
        ..done(&claimed)
    };
    assert_eq!(field(world.store.complete(op, turn)), "items");
    let op = world.op();
    let turn = Complete {
        items: vec![item("a"); 1_000],
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("just fits");
    world.is_sound();
}

/// The paths to all texts in a value.
fn texts(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::String(_) => {
            found.insert(path.to_owned());
        }
        Value::Array(all) => {
            for (at, one) in all.iter().enumerate() {
                texts(one, &format!("{path}/{at}"), found);
            }
        }
        Value::Object(all) => {
            for (name, one) in all {
                texts(one, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Each text of each operation in turn is too long, and holds a NUL: nobody takes it. Several calls of each, because some are
/// wrong in other ways too.
#[test]
fn every_text_of_every_operation_has_a_limit() {
    let mut world = World::new();
    let mut tried: BTreeMap<String, u32> = BTreeMap::new();
    for call in crate::model::calls() {
        let plain = serde_json::to_value(&call).expect("a value");
        let mut paths = BTreeSet::new();
        texts(&plain, "", &mut paths);
        for path in paths {
            let times = tried
                .entry(format!("{}{path}", call.op.name()))
                .or_default();
            *times += 1;
            if *times > 6 {
                continue;
            }
            for wrong in ["x".repeat(2 << 20), "a\0b".to_owned()] {
                let mut spoiled = plain.clone();
                *spoiled.pointer_mut(&path).expect("the path") = Value::String(wrong);
                // Some texts are words of an enumeration: those know their values.
                let Ok(spoiled) = serde_json::from_value::<Call>(spoiled) else {
                    continue;
                };
                let refused = world.store.apply(&spoiled).map_err(|error| error.kind());
                assert_eq!(refused, Err("invalid"), "{}{path}", call.op.name());
            }
        }
    }
    assert!(tried.len() > 150, "{}", tried.len());
}
