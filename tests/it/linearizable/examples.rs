//! Examples that anybody can judge.

use lockstep_sim::check::linearizable::{Answer, Finding, Undone, check, lives};
use lockstep_sim::trace::Reading;
use lockstep_store::{
    Accept, Accepted, Call, Claimed, ConvKey, Error, Fence, Item, NewSession, Op, OpId, Reply,
    Restored, State, Verdict, WhenWaiting,
};

use super::made::{Made, beginning, history};

/// A history, told one operation after the other.
#[derive(Default)]
struct Tale(Vec<Made>);

const NEVER: u64 = 0;

impl Tale {
    /// One session `s1`, opened by a task `t1` of chat 1.
    fn with_a_session() -> Self {
        let mut tale = Self::default();
        tale.tell(1, 2, accept("1", 1), Ok(accepted(Verdict::Task, 1)));
        tale
    }

    fn tell(&mut self, from: u64, to: u64, op: Op, answer: Answer) -> &mut Self {
        let op_id = op.keeps_answer().then(|| OpId::new(format!("at {from}")));
        self.tell_call(from, to, Call { op_id, op }, Some(answer))
    }

    /// Nobody heard the answer.
    fn lose(&mut self, from: u64, op: Op) -> &mut Self {
        let op_id = op.keeps_answer().then(|| OpId::new(format!("at {from}")));
        self.tell_call(from, NEVER, Call { op_id, op }, None)
    }

    fn tell_call(&mut self, from: u64, to: u64, call: Call, answer: Option<Answer>) -> &mut Self {
        self.0.push(Made {
            call,
            answer,
            from,
            to: (to != NEVER).then_some(to),
            readings: vec![Reading {
                turn: from,
                at_ms: 1_000_000,
            }],
        });
        self
    }

    fn findings(&self) -> Vec<Finding> {
        check(&beginning(), &history(&self.0)).findings
    }

    #[track_caller]
    fn fits(&self) {
        assert_eq!(self.findings(), Vec::new());
    }

    /// The operation that was called at this position fits nowhere.
    #[track_caller]
    fn fails_at(&self, from: u64) {
        let history = history(&self.0);
        match self.findings().as_slice() {
            [Finding::Misfit { operation, .. }] => assert_eq!(history[*operation].from, from),
            other => panic!("not one misfit: {other:?}"),
        }
    }
}

fn accept(chat: &str, n: u32) -> Op {
    Op::Accept(Accept {
        key: ConvKey::chat("tenant", "tg", "bot", chat),
        ext_id: format!("event {n}"),
        kind: "turn".to_owned(),
        body: "hello".to_owned(),
        task: format!("t{n}").into(),
        max_failures: 3,
        new: NewSession {
            conv: format!("c{chat}").into(),
            session: format!("s{chat}").into(),
            runtime: "claude".to_owned(),
            idle_ms: None,
        },
        when_waiting: WhenWaiting::Queue,
    })
}

fn accepted(verdict: Verdict, n: u32) -> Reply {
    Reply::Accepted(Accepted {
        verdict,
        task: format!("t{n}").into(),
        session: "s1".into(),
    })
}

fn claim(limit: u32) -> Op {
    Op::Claim {
        worker: "w0".into(),
        limit,
        lease_ms: 1_000,
    }
}

fn claimed(chat: u32, fence: i64) -> Claimed {
    Claimed {
        session: format!("s{chat}").into(),
        task: format!("t{chat}").into(),
        fence: Fence(fence),
        until_ms: 1_001_000,
        kind: "turn".to_owned(),
        input: "hello".to_owned(),
        attempt: fence,
        failures: 0,
        resume_token: None,
        epoch: 0,
        next_seq: 1,
        prompt: None,
    }
}

fn put(version: i64) -> Op {
    Op::PutState {
        session: "s1".into(),
        expected_version: version,
        body: "{}".to_owned(),
    }
}

fn get() -> Op {
    Op::GetState {
        session: "s1".into(),
    }
}

fn state(version: i64) -> Answer {
    let body = if version == 0 { "" } else { "{}" }.to_owned();
    Ok(Reply::State(State { version, body }))
}

fn note() -> Op {
    Op::Note {
        session: "s1".into(),
        item: Item {
            kind: "note".to_owned(),
            body: "psst".to_owned(),
        },
    }
}

#[test]
fn a_lost_update_fits_nowhere() {
    let mut tale = Tale::with_a_session();
    tale.tell(3, 6, put(0), Ok(Reply::Version(1)));
    tale.tell(4, 5, put(0), Ok(Reply::Version(1)));
    tale.fails_at(4);
    tale.0[2].answer = Some(Err(Error::Stale { current: 1 }));
    tale.fits();
}

#[test]
fn a_stale_read_fits_only_beside_the_write() {
    let mut tale = Tale::with_a_session();
    tale.tell(3, 6, put(0), Ok(Reply::Version(1)));
    tale.tell(4, 5, get(), state(0))
        .tell(7, 8, get(), state(1))
        .fits();
    tale.tell(9, 10, get(), state(0)).fails_at(9);
}

#[test]
fn reads_that_go_back_fit_nowhere() {
    let mut tale = Tale::with_a_session();
    tale.lose(3, put(0));
    tale.tell(4, 5, get(), state(0))
        .tell(6, 7, get(), state(1))
        .fits();
    tale.tell(8, 9, get(), state(0)).fails_at(8);
}

#[test]
fn a_double_claim_fits_nowhere() {
    let mut tale = Tale::with_a_session();
    tale.tell(3, 6, claim(1), Ok(Reply::Claimed(vec![claimed(1, 1)])));
    tale.fits();
    tale.tell(4, 5, claim(1), Ok(Reply::Claimed(vec![claimed(1, 2)])));
    tale.fails_at(4);
}

#[test]
fn a_claim_that_finds_nothing_has_looked() {
    let mut tale = Tale::with_a_session();
    tale.tell(3, 4, claim(1), Ok(Reply::Claimed(Vec::new())))
        .fails_at(3);
}

#[test]
fn what_nobody_heard_of_may_be_seen_or_not() {
    let mut lost = Tale::default();
    lost.lose(1, accept("1", 1));
    lost.tell(2, 3, claim(1), Ok(Reply::Claimed(Vec::new())))
        .fits();
    lost.tell(4, 5, claim(1), Ok(Reply::Claimed(vec![claimed(1, 1)])))
        .fits();
    lost.tell(6, 7, accept("1", 1), Ok(accepted(Verdict::Task, 1)))
        .fails_at(6);
    lost.0[3].answer = Some(Ok(accepted(Verdict::Duplicate, 1)));
    lost.fits();
}

#[test]
fn a_repeated_call_does_it_once() {
    let mut tale = Tale::with_a_session();
    tale.lose(3, note());
    let again = tale.0[1].call.clone();
    tale.tell_call(4, 5, again, Some(Ok(Reply::Noted(1))))
        .fits();
    tale.tell(6, 7, note(), Ok(Reply::Noted(2))).fits();
    tale.tell(8, 9, note(), Ok(Reply::Noted(4))).fails_at(8);
}

#[test]
fn tries_that_nobody_heard_of_are_soon_told_from_what_was_done() {
    let mut tale = Tale::with_a_session();
    for (op, since) in [(note(), 100), (put(7), 200), (accept("1", 1), 300)] {
        tale.lose(since, op);
        let again = tale.0.last().map(|made| made.call.clone());
        for (at, call) in (since + 1..since + 30).zip(std::iter::repeat(again).flatten()) {
            tale.tell_call(at, NEVER, call, None);
        }
    }
    // The reader is still in time, and none of the notes was made.
    tale.tell(400, 403, put(0), Ok(Reply::Version(1)));
    tale.tell(401, 402, get(), state(0));
    tale.tell(404, 405, note(), Ok(Reply::Noted(1)));
    let report = check(&beginning(), &history(&tale.0));
    assert_eq!(report.findings, Vec::new());
    assert!(
        report.asked < 100,
        "the model was asked {} times",
        report.asked
    );
    // One of them was made: which one does not matter, and the others change nothing.
    tale.tell(406, 407, note(), Ok(Reply::Noted(3)));
    let report = check(&beginning(), &history(&tale.0));
    assert_eq!(report.findings, Vec::new());
    assert!(
        report.asked < 1_000,
        "the model was asked {} times",
        report.asked
    );
}

#[test]
fn who_was_turned_away_did_nothing() {
    let mut tale = Tale::with_a_session();
    tale.tell(3, 4, put(0), Err(Error::Busy));
    tale.tell(5, 6, get(), state(0)).fits();
    tale.tell(7, 8, get(), state(1)).fails_at(7);
}

#[test]
fn one_claim_may_take_from_two_conversations() {
    let mut tale = Tale::with_a_session();
    let other = Accepted {
        verdict: Verdict::Task,
        task: "t2".into(),
        session: "s2".into(),
    };
    tale.tell(3, 4, accept("2", 2), Ok(Reply::Accepted(other)));
    let both = vec![claimed(1, 1), claimed(2, 1)];
    tale.tell(5, 6, claim(2), Ok(Reply::Claimed(both))).fits();
    assert_eq!(check(&beginning(), &history(&tale.0)).parts, 3);
    // There was room for the other one.
    tale.0[2].answer = Some(Ok(Reply::Claimed(vec![claimed(1, 1)])));
    tale.0[2].call.op = claim(3);
    tale.fails_at(5);
    // Nobody has ever heard of that one.
    tale.0[2].answer = Some(Ok(Reply::Claimed(vec![
        claimed(1, 1),
        claimed(2, 1),
        claimed(3, 1),
    ])));
    tale.fails_at(5);
}

#[test]
fn after_a_restore_the_backup_is_what_happened() {
    let mut tale = Tale::with_a_session();
    tale.tell(3, 4, put(0), Ok(Reply::Version(1)));
    // The backup is taken while the state is put once more.
    tale.tell(5, 8, put(1), Ok(Reply::Version(2)));
    tale.tell(9, 10, note(), Ok(Reply::Noted(1)));
    let nothing = Restored {
        requeued: Vec::new(),
        unknown: 0,
    };
    tale.tell(
        21,
        22,
        Op::Restored { incarnation: 2 },
        Ok(Reply::Restored(nothing)),
    );
    let raised = |version| {
        Ok(Reply::State(State {
            version,
            body: "{}".to_owned(),
        }))
    };
    tale.tell(23, 24, note(), Ok(Reply::Noted(1)));
    tale.tell(25, 26, get(), raised(1_000_000));
    let judged = |tale: &Tale| {
        let history = history(&tale.0);
        let undone = Undone {
            backup: 6,
            restore: 20,
        };
        let lives = lives(&history, &[undone]);
        assert_eq!(lives.len(), 2);
        lives
            .iter()
            .map(|life| check(&beginning(), life).findings.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(judged(&tale), [0, 0]);
    assert_eq!(
        tale.findings().len(),
        1,
        "without the restore it makes no sense"
    );
    tale.tell(27, 28, note(), Ok(Reply::Noted(3)));
    assert_eq!(judged(&tale), [0, 1], "what was undone is not counted");
}
