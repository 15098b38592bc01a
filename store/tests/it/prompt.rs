//! Questions: asked once, answered once, by a button, by a text, or by nobody.

use crate::kit::{LEASE_MS, World, done, event_of, item, key};
use lockstep_store::{
    Accepted, Answer, Answered, Ask, CancelHow, Choice, Claimed, Error, Fence, PromptOutcome,
    QueueFate, Reset, Send, Store, TaskState, Verdict, WhenWaiting,
};

const PATIENCE_MS: i64 = 60_000;

fn question(claimed: &Claimed, prompt: &str) -> Ask {
    let choice = |label: &str| Choice {
        token: format!("token-{prompt}-{label}"),
        label: label.to_owned(),
    };
    Ask {
        task: claimed.task.clone(),
        fence: claimed.fence,
        prompt: prompt.into(),
        choices: vec![choice("yes"), choice("no")],
        text_ok: true,
        expires_in_ms: PATIENCE_MS,
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    }
}

/// A session that waits for the answer to `p1`.
fn waiting() -> World {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    ask(&mut world, question(&claimed, "p1")).expect("asked");
    world
}

fn ask(world: &mut World, ask: Ask) -> Result<TaskState, Error> {
    let op = world.op();
    world.store.ask(op, ask)
}

fn press(world: &mut World, event: &str, label: &str) -> Result<Answered, Error> {
    let op = world.op();
    world.store.answer(
        op,
        Answer {
            key: key("42"),
            ext_id: event.to_owned(),
            token: format!("token-p1-{label}"),
        },
    )
}

fn says(world: &mut World, event: &str, when_waiting: WhenWaiting) -> Accepted {
    let op = world.op();
    let event = lockstep_store::Accept {
        when_waiting,
        ..event_of("42", event)
    };
    world.store.accept(op, event).expect("accepted")
}

fn chosen(idx: i64, label: &str) -> PromptOutcome {
    PromptOutcome::Chosen {
        idx,
        label: label.to_owned(),
    }
}

/// What the task learns when it goes on.
fn outcome(world: &mut World) -> PromptOutcome {
    let claimed = world.claim("w1").expect("it goes on");
    assert_eq!(claimed.task.as_str(), "t-e1");
    let prompted = claimed.prompt.expect("it asked");
    assert_eq!(prompted.prompt.as_str(), "p1");
    world.is_sound();
    prompted.outcome
}

#[test]
fn a_question_ends_the_turn_with_everything_of_it_and_holds_back_the_queue() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    let turn = Ask {
        items: vec![item("a")],
        sends: vec![Send {
            dedup_key: "k1".to_owned(),
            body: "really?".to_owned(),
            route: String::new(),
        }],
        resume_token: Some("abc".to_owned()),
        ..question(&claimed, "p1")
    };
    assert_eq!(ask(&mut world, turn), Ok(TaskState::Waiting));
    assert_eq!(world.value("SELECT count(*) FROM lease"), "0");
    assert_eq!(world.value("SELECT body FROM item"), "a");
    assert_eq!(world.value("SELECT body FROM outbox"), "really?");
    assert!(world.claim("w1").is_none());
    world.is_sound();
    press(&mut world, "c1", "yes").expect("answered");
    let claimed = world.claim("w1").expect("it goes on");
    assert_eq!(
        (claimed.resume_token.as_deref(), claimed.failures),
        (Some("abc"), 0)
    );
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    assert_eq!(world.claim("w1").expect("the queue").task.as_str(), "t-e2");
    world.is_sound();
}

#[test]
fn the_first_press_wins_and_every_later_one_learns_the_outcome() {
    let mut world = waiting();
    let first = press(&mut world, "c1", "no").expect("pressed");
    assert_eq!((first.took, &first.outcome), (true, &chosen(2, "no")));
    for (event, label) in [("c2", "yes"), ("c3", "no")] {
        let late = press(&mut world, event, label).expect("pressed");
        assert_eq!((late.took, late.outcome), (false, chosen(2, "no")));
    }
    assert_eq!(outcome(&mut world), chosen(2, "no"));
}

#[test]
fn a_press_that_is_delivered_again_is_told_the_same() {
    let mut world = waiting();
    let first = press(&mut world, "c1", "yes");
    assert_eq!(press(&mut world, "c1", "yes"), first);
    assert_eq!(
        press(&mut world, "c1", "no"),
        Err(Error::Changed {
            what: "event",
            id: "c1".to_owned()
        })
    );
    let op = world.op();
    let message = world.store.accept(op, event_of("42", "c1"));
    assert_eq!(message.expect_err("a press").kind(), "changed");
    assert_eq!(outcome(&mut world), chosen(1, "yes"));
}

#[test]
fn a_button_answers_only_in_its_own_chat() {
    let mut world = waiting();
    world.accept("43", "other");
    for (chat, token) in [("43", "token-p1-yes"), ("42", "no such token")] {
        let op = world.op();
        let press = Answer {
            key: key(chat),
            ext_id: "c1".to_owned(),
            token: token.to_owned(),
        };
        let refused = world.store.answer(op, press).expect_err("not here");
        assert_eq!(refused.kind(), "not_found");
    }
    press(&mut world, "c1", "yes").expect("the event was not remembered");
}

#[test]
fn a_text_answers_where_it_may() {
    let mut world = waiting();
    let told = says(&mut world, "e2", WhenWaiting::Answer);
    assert_eq!(
        (told.verdict, told.task.as_str(), told.session.as_str()),
        (Verdict::Answer, "t-e1", "s-e1")
    );
    let again = says(&mut world, "e2", WhenWaiting::Answer);
    assert_eq!((again.verdict, again.task), (Verdict::Duplicate, told.task));
    let late = press(&mut world, "c1", "yes").expect("pressed");
    let text = PromptOutcome::Text("body of e2".to_owned());
    assert_eq!((late.took, &late.outcome), (false, &text));
    assert_eq!(outcome(&mut world), text);
}

#[test]
fn a_text_is_queued_where_it_may_not_answer() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let buttons = Ask {
        text_ok: false,
        ..question(&claimed, "p1")
    };
    ask(&mut world, buttons).expect("asked");
    for (event, when) in [("e2", WhenWaiting::Answer), ("e3", WhenWaiting::Queue)] {
        assert_eq!(says(&mut world, event, when).verdict, Verdict::Task);
    }
    assert!(world.claim("w1").is_none());
    world.is_sound();
}

#[test]
fn an_interruption_revokes_the_question_and_comes_after_the_one_who_asked() {
    let mut world = waiting();
    assert_eq!(
        says(&mut world, "e2", WhenWaiting::Interrupt).verdict,
        Verdict::Task
    );
    assert_eq!(outcome(&mut world), PromptOutcome::Revoked);
}

#[test]
fn nobody_answers_after_the_time_is_over() {
    for late in ["press", "text", "sweep"] {
        let mut world = waiting();
        world.clock.advance(PATIENCE_MS);
        match late {
            "press" => {
                let pressed = press(&mut world, "c1", "yes").expect("pressed");
                assert_eq!(
                    (pressed.took, pressed.outcome),
                    (false, PromptOutcome::Expired)
                );
            }
            "text" => {
                let told = says(&mut world, "e2", WhenWaiting::Answer);
                assert_eq!((told.verdict, told.task.as_str()), (Verdict::Task, "t-e2"));
            }
            _ => {
                let swept = world.store.sweep(10).expect("swept");
                assert_eq!(swept.expired, ["p1".into()]);
            }
        }
        assert_eq!(outcome(&mut world), PromptOutcome::Expired);
    }
}

#[test]
fn a_question_that_is_withdrawn_keeps_its_first_outcome() {
    let mut world = waiting();
    for took in [true, false] {
        let op = world.op();
        let revoked = world.store.revoke(op, "p1".into()).expect("revoked");
        assert_eq!(
            (revoked.took, revoked.outcome),
            (took, PromptOutcome::Revoked)
        );
    }
    assert_eq!(outcome(&mut world), PromptOutcome::Revoked);
    let op = world.op();
    let unknown = world.store.revoke(op, "nothing".into());
    assert_eq!(unknown.expect_err("unknown").kind(), "not_found");
}

#[test]
fn a_task_may_ask_again_and_learns_of_its_last_question() {
    let mut world = waiting();
    press(&mut world, "c1", "yes").expect("answered");
    let claimed = world.claim("w1").expect("it goes on");
    ask(&mut world, question(&claimed, "p2")).expect("asked");
    let op = world.op();
    world.store.revoke(op, "p2".into()).expect("revoked");
    let claimed = world.claim("w1").expect("it goes on");
    let prompted = claimed.prompt.expect("it asked");
    assert_eq!(
        (prompted.prompt.as_str(), prompted.outcome),
        ("p2", PromptOutcome::Revoked)
    );
    world.is_sound();
}

#[test]
fn what_ends_the_task_or_the_session_revokes_the_question() {
    for end in ["cancel", "close", "reset"] {
        let mut world = waiting();
        let op = world.op();
        match end {
            "cancel" => {
                let ended = world
                    .store
                    .cancel(op, "t-e1".into(), "stop", CancelHow::Ask);
                assert_eq!(ended, Ok(TaskState::Cancelled));
            }
            "close" => {
                world
                    .store
                    .close(op, "s-e1".into(), "over", false)
                    .expect("closed");
            }
            _ => {
                let reset = Reset {
                    session: "s-e1".into(),
                    next: "s-next".into(),
                    build: None,
                    reason: "over".to_owned(),
                    queued: QueueFate::Move,
                    force: false,
                };
                world.store.reset(op, reset).expect("reset");
            }
        }
        let late = press(&mut world, "c1", "yes").expect("pressed");
        assert_eq!((late.took, late.outcome), (false, PromptOutcome::Revoked));
        assert!(world.claim("w1").is_none(), "{end}");
        world.is_sound();
    }
}

#[test]
fn only_the_holder_asks_and_it_has_to_make_sense() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let before = world.contents();
    let mute = Ask {
        choices: Vec::new(),
        text_ok: false,
        ..question(&claimed, "p1")
    };
    let endless = Ask {
        expires_in_ms: 0,
        ..question(&claimed, "p1")
    };
    let mut short = question(&claimed, "p1");
    short.choices[0].token = "short".to_owned();
    for wrong in [mute, endless, short] {
        assert_eq!(
            ask(&mut world, wrong).expect_err("senseless").kind(),
            "invalid"
        );
    }
    assert_eq!(world.contents(), before);
    world.expire();
    world.store.reap(10).expect("reaped");
    let late = ask(&mut world, question(&claimed, "p1"));
    assert_eq!(
        late,
        Err(Error::Fenced {
            held: Fence(2),
            yours: Fence(1)
        })
    );
    let claimed = world.claim("w1").expect("queued again");
    ask(&mut world, question(&claimed, "p1")).expect("asked");
    let twice = ask(&mut world, question(&claimed, "p2"));
    assert_eq!(
        twice,
        Err(Error::Closed {
            reason: "waiting".to_owned()
        })
    );
    let renewed = world
        .store
        .renew(claimed.session, claimed.fence, LEASE_MS)
        .expect_err("released");
    assert_eq!(renewed.kind(), "closed");
}

#[test]
fn a_token_is_never_used_again() {
    let mut world = waiting();
    press(&mut world, "c1", "yes").expect("answered");
    let claimed = world.claim("w1").expect("it goes on");
    let again = Ask {
        choices: question(&claimed, "p1").choices,
        ..question(&claimed, "p2")
    };
    assert_eq!(
        ask(&mut world, again),
        Err(Error::Constraint {
            name: "prompt_option_token".to_owned()
        })
    );
    world.is_sound();
}
