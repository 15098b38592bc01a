//! Rows that are alike in all but one column: only the right one is meant.

use crate::kit::{World, done, event_of, key, keys};
use lockstep_store::{
    Accept, Answer, Ask, Choice, Claimed, ConvKey, OpenPolicy, PromptOutcome, Store, Verdict,
    WhenWaiting,
};

const GAP_MS: i64 = 8_000_000;

#[test]
fn keys_that_differ_in_any_part_are_different_chats() {
    let mut world = World::new();
    let mut open = |n: usize, key: ConvKey| {
        let op = world.op();
        let new = event_of("chat", &format!("e{n}")).new;
        let opened = world.store.open_or_get(op, key, OpenPolicy::Adopt, new);
        opened.expect("opened")
    };
    let mut sessions = Vec::new();
    for (n, key) in keys().into_iter().enumerate() {
        let opened = open(n, key);
        assert!(opened.created, "{opened:?}");
        sessions.push(opened.session);
    }
    for (n, key) in keys().into_iter().enumerate() {
        assert_eq!(open(n + 10, key).session, sessions[n]);
    }
    for (n, key) in keys().into_iter().enumerate() {
        let op = world.op();
        let event = Accept {
            key,
            ..event_of("chat", &format!("later {n}"))
        };
        let accepted = world.store.accept(op, event).expect("accepted");
        assert_eq!(accepted.session, sessions[n]);
    }
}

#[test]
fn an_event_belongs_to_its_account_and_is_counted_alone() {
    let mut world = World::new();
    let mut deliver = |n: usize, key: ConvKey| {
        let op = world.op();
        let id = event_of("chat", &format!("e{n}"));
        let event = Accept {
            key,
            ext_id: "same".to_owned(),
            body: String::new(),
            ..id
        };
        world.store.accept(op, event).expect("accepted").verdict
    };
    // Those that differ in the thread or the participant are of one account.
    for (n, key) in keys().into_iter().take(4).enumerate() {
        assert_eq!(deliver(n, key), Verdict::Task);
    }
    for (n, key) in keys().into_iter().enumerate() {
        assert_eq!(deliver(n + 10, key), Verdict::Duplicate);
    }
    let seen =
        "SELECT group_concat(seen) FROM (SELECT seen FROM inbox ORDER BY tenant, channel, account)";
    assert_eq!(world.value(seen), "4,2,2,2");
}

#[test]
fn a_key_that_moves_leaves_the_keys_beside_it() {
    for beside in keys().into_iter().skip(1) {
        let mut world = World::new();
        world.accept("group", "e1");
        // Another conversation with two keys, in which nothing goes on.
        let other = world.accept("chat", "e2").session;
        let op = world.op();
        world
            .store
            .link_key(op, key("chat"), beside.clone())
            .expect("linked");
        let op = world.op();
        world.store.close(op, other, "over", false).expect("closed");
        let op = world.op();
        world
            .store
            .link_key(op, key("group"), key("chat"))
            .expect("moved");
        let left = "SELECT count(*) FROM conversation_key WHERE conv_id = 'c-e2'";
        assert_eq!(world.value(left), "1", "{beside:?}");
    }
}

#[test]
fn the_marks_of_other_accounts_stay_where_they_are() {
    let marks = |world: &World| {
        world.value(
            "SELECT group_concat(low || ' ' || last_ms, ', ') FROM (SELECT low, last_ms FROM inbox_mark ORDER BY tenant, channel, account)",
        )
    };
    let mut world = World::new();
    for key in keys().into_iter().take(4) {
        let op = world.op();
        let (tenant, channel, account) = (&key.tenant, &key.channel, &key.account);
        let declared = world
            .store
            .ordered_ids(op, tenant, channel, account, GAP_MS);
        declared.expect("declared");
    }
    let nothing = "-9223372036854775808 1000000";
    assert_eq!(marks(&world), [nothing; 4].join(", "));
    world.clock.set(2_000_000);
    // Coarsely: an account is noted to be alive only after a sixteenth of the gap.
    let held = world.running("chat", "7");
    let op = world.op();
    world.store.complete(op, done(&held)).expect("done");
    let moved = "-9223372036854775808 2000000";
    assert_eq!(marks(&world), [moved, nothing, nothing, nothing].join(", "));
    world.clock.set(3_000_000);
    world.store.prune(1_000, 10).expect("pruned");
    assert_eq!(
        marks(&world),
        ["7 2000000", nothing, nothing, nothing].join(", ")
    );
    // The same id in each account: old in one.
    for (n, key) in keys().into_iter().take(4).enumerate() {
        let op = world.op();
        let id = event_of("chat", &format!("again {n}"));
        let event = Accept {
            key,
            ext_id: "7".to_owned(),
            ..id
        };
        let verdict = world.store.accept(op, event).expect("accepted").verdict;
        assert_eq!(verdict == Verdict::Old, n == 0);
    }
    let op = world.op();
    world
        .store
        .ordered_ids(op, "tenant", "tg", "bot", 77)
        .expect("declared again");
    let gaps = "SELECT group_concat(idle_gap_ms) FROM inbox_mark WHERE idle_gap_ms = 77";
    assert_eq!(world.value(gaps), "77");
}

/// A question whose two buttons say what the caller wants.
fn question(claimed: &Claimed, prompt: &str, labels: [&str; 2]) -> Ask {
    let choices = labels.map(|label| Choice {
        token: format!("token-{prompt}-{label}"),
        label: label.to_owned(),
    });
    Ask {
        task: claimed.task.clone(),
        fence: claimed.fence,
        prompt: prompt.into(),
        choices: choices.to_vec(),
        text_ok: true,
        expires_in_ms: 60_000,
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    }
}

fn asks(world: &mut World, chat: &str, event: &str, prompt: &str, labels: [&str; 2]) {
    world.accept(chat, event);
    asks_again(world, prompt, labels);
}

fn asks_again(world: &mut World, prompt: &str, labels: [&str; 2]) {
    let held = world.claim("w1").expect("something to do");
    let op = world.op();
    world
        .store
        .ask(op, question(&held, prompt, labels))
        .expect("asked");
}

fn press(
    world: &mut World,
    key: lockstep_store::ConvKey,
    token: &str,
) -> Result<PromptOutcome, String> {
    world.clock.advance(1);
    let op = world.op();
    let answer = Answer {
        key,
        ext_id: format!("press {op}"),
        token: token.to_owned(),
    };
    let answered = world.store.answer(op, answer);
    answered
        .map(|answered| answered.outcome)
        .map_err(|error| error.kind().to_owned())
}

fn chosen(idx: i64, label: &str) -> PromptOutcome {
    let label = label.to_owned();
    PromptOutcome::Chosen { idx, label }
}

#[test]
fn a_button_works_in_its_own_chat_only() {
    let mut world = World::new();
    asks(&mut world, "chat", "e1", "p1", ["yes", "no"]);
    for (n, key) in keys().into_iter().enumerate().skip(1) {
        let refused = press(&mut world, key.clone(), "token-p1-yes");
        assert_eq!(refused, Err("not_found".to_owned()), "{n}");
        // A text in another chat answers nothing here.
        let op = world.op();
        let event = Accept {
            key,
            when_waiting: WhenWaiting::Answer,
            ..event_of("chat", &format!("text {n}"))
        };
        assert_eq!(
            world.store.accept(op, event).expect("accepted").verdict,
            Verdict::Task
        );
    }
    assert_eq!(
        press(&mut world, key("chat"), "token-p1-no"),
        Ok(chosen(2, "no"))
    );
}

#[test]
fn each_question_has_its_own_outcome_and_its_own_labels() {
    let mut world = World::new();
    asks(&mut world, "chat", "e1", "p1", ["yes", "no"]);
    asks(&mut world, "other", "e2", "p2", ["left", "right"]);
    assert_eq!(
        press(&mut world, key("other"), "token-p2-left"),
        Ok(chosen(1, "left"))
    );
    assert_eq!(
        press(&mut world, key("chat"), "token-p1-yes"),
        Ok(chosen(1, "yes"))
    );
    assert_eq!(
        press(&mut world, key("other"), "token-p2-right"),
        Ok(chosen(1, "left"))
    );
    for (prompt, label) in [("p1", "yes"), ("p2", "left")] {
        let op = world.op();
        let kept = world.store.revoke(op, prompt.into()).expect("too late");
        assert_eq!(kept.outcome, chosen(1, label));
    }
    // The same chat asks once more: an older question's button is no button of the new one.
    asks_again(&mut world, "p3", ["up", "down"]);
    assert_eq!(
        press(&mut world, key("other"), "token-p3-down"),
        Ok(chosen(2, "down"))
    );
    assert_eq!(
        press(&mut world, key("other"), "token-p2-right"),
        Ok(chosen(1, "left"))
    );
    let told: Vec<Option<PromptOutcome>> = (0..2)
        .map(|_| world.claim("w1").expect("goes on"))
        .map(|held| held.prompt.map(|prompt| prompt.outcome))
        .collect();
    assert_eq!(told, [Some(chosen(1, "yes")), Some(chosen(2, "down"))]);
}
