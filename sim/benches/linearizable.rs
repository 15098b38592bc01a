//! What the check of linearizability costs: its share of runs of the default world, and long histories.
//!
//! `cargo bench -p lockstep-sim --bench linearizable`. One core.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use lockstep_sim::check::linearizable::{Answer, Operation, Report, Spec, check, operations};
use lockstep_sim::decide::Quiet;
use lockstep_sim::label::{below, mix};
use lockstep_sim::run::Stage;
use lockstep_sim::search::of_seed;
use lockstep_sim::trace::Reading;
use lockstep_sim::world::StoreWorld;
use lockstep_store::{
    Accept, Call, Complete, ConvKey, Fence, Item, NewSession, Op, OpId, Send, Store, WhenWaiting,
};

const RUNS: u64 = 2_000;

/// Operations of a long history.
const OPERATIONS: u64 = 10_000;

fn main() {
    share_of_runs();
    for conversations in [1_000, 100, 10, 1] {
        long_history(conversations);
    }
}

fn share_of_runs() {
    let mut stage = Stage::new(StoreWorld::new()).expect("the stage is set");
    let quiet = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("a quiet run");
    let profile = Rc::new(quiet.profile);
    let (mut runs, mut checks) = (Duration::ZERO, Duration::ZERO);
    let (mut calls, mut parts, mut searched, mut asked) = (0, 0, 0, 0);
    let mut taken = Duration::ZERO;
    for seed in 0..RUNS {
        let begun = Instant::now();
        let ran = stage
            .run(&mut || of_seed(seed).strategy(&profile))
            .expect("a run");
        runs += begun.elapsed();
        let begun = Instant::now();
        let start = StoreWorld::beginning();
        let history = operations(&ran.trace);
        taken += begun.elapsed();
        let report = check(&start, &history);
        checks += begun.elapsed();
        calls += history.len();
        parts += report.parts;
        searched += report.searched;
        asked += report.asked;
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / RUNS as f64;
    println!(
        "runs: {:.0} us each, of which the check takes {:.0} us ({:.1} %), reading the trace {:.0}",
        each(runs),
        each(checks),
        100.0 * each(checks) / each(runs),
        each(taken)
    );
    println!(
        "{:.1} operations in {:.2} parts, {:.2} of them searched, the model was asked {:.1} times",
        calls as f64 / RUNS as f64,
        parts as f64 / RUNS as f64,
        searched as f64 / RUNS as f64,
        asked as f64 / RUNS as f64
    );
}

/// Turns of so many conversations, each operation beside a few others of its conversation.
fn long_history(conversations: u64) {
    let made: Vec<Made> = (0..conversations)
        .flat_map(|n| turns(n, conversations))
        .collect();
    for (known, order) in [
        (true, "in the order of the clock"),
        (false, "in the order of the calls"),
    ] {
        let mut history: Vec<Operation<'_>> =
            made.iter().map(|made| made.operation(known)).collect();
        history.sort_by_key(|operation| operation.from);
        let start = beginning();
        let begun = Instant::now();
        let report = check(&start, &history);
        told(
            conversations,
            history.len(),
            order,
            begun.elapsed(),
            &report,
        );
    }
}

fn told(conversations: u64, operations: usize, order: &str, time: Duration, report: &Report) {
    println!(
        "{operations} operations in {conversations} conversations, tried {order}: {:.0} ms, {} searched, the model was asked {} \
         times, findings {}",
        time.as_secs_f64() * 1e3,
        report.searched,
        report.asked,
        report.findings.len()
    );
}

struct Made {
    call: Call,
    answer: Answer,
    from: u64,
    to: u64,
    turn: u64,
}

impl Made {
    fn operation(&self, known: bool) -> Operation<'_> {
        let turn = if known { self.turn } else { self.from };
        Operation {
            call: &self.call,
            answer: Some(&self.answer),
            from: self.from,
            to: Some(self.to),
            readings: vec![Reading {
                turn,
                at_ms: 1_767_225_600_000,
            }],
            commits: Vec::new(),
        }
    }
}

/// A store with a worker that all conversations share.
fn beginning() -> Spec {
    let mut start = StoreWorld::beginning();
    let worker = Op::RegisterWorker {
        worker: "w".into(),
        build: "claude-1".into(),
        home: "m1".to_owned(),
    };
    let registered = start.apply(&call("register".to_owned(), worker));
    registered.expect("a worker");
    start
}

/// The operations of one conversation. Each begins and ends up to one and a half steps from where it took effect.
fn turns(n: u64, conversations: u64) -> Vec<Made> {
    let mut model = beginning();
    let mut made = Vec::new();
    let mut fence = 0;
    for turn in 0..(OPERATIONS / conversations).div_ceil(STEPS) {
        fence += 1;
        for step in 0..STEPS {
            let op = operation(n, turn, step, fence);
            let call = call(format!("{n} {turn} {step}"), op);
            let answer = model.apply_part(&call, &call.op, true);
            assert!(answer.is_ok(), "{call:?}: {answer:?}");
            let at = (turn * STEPS + step + 2) * 1_000;
            let off = |side| below(mix(at + n, side), 1_500);
            made.push(Made {
                call,
                answer,
                from: (at - off(1)) * conversations + n,
                to: (at + off(2)) * conversations + n,
                turn: at * conversations + n,
            });
        }
    }
    made
}

/// Operations of a turn.
const STEPS: u64 = 8;

fn operation(n: u64, turn: u64, step: u64, fence: i64) -> Op {
    let session = format!("s{n}");
    let item = || Item {
        kind: "message".to_owned(),
        body: "hello".to_owned(),
    };
    match step {
        0 => Op::Accept(accept(n, turn)),
        1 => Op::Claim {
            worker: "w".into(),
            limit: 1,
            lease_ms: 10_000,
        },
        2 => Op::Renew {
            session: session.into(),
            fence: Fence(fence),
            lease_ms: 10_000,
        },
        3 => Op::Note {
            session: session.into(),
            item: item(),
        },
        4 => Op::Resume {
            session: session.into(),
            worker: "w".into(),
        },
        5 => Op::Complete(Complete {
            task: format!("t{n} {turn}").into(),
            fence: Fence(fence),
            outcome: "answered".to_owned(),
            items: vec![item()],
            sends: vec![Send {
                dedup_key: format!("k{turn}"),
                body: "hello".to_owned(),
                route: String::new(),
            }],
            resume_token: Some(format!("token {n}")),
        }),
        6 => Op::ClaimSend {
            sender: "sender".to_owned(),
            route: String::new(),
            limit: 1,
            lease_ms: 10_000,
        },
        _ => Op::Sent {
            session: session.into(),
            n: turn as i64 + 1,
            send_no: 1,
            provider_id: "id".to_owned(),
        },
    }
}

fn accept(n: u64, turn: u64) -> Accept {
    Accept {
        key: ConvKey::chat("acme", "telegram", "bot", &n.to_string()),
        ext_id: format!("{n} {turn}"),
        kind: "message".to_owned(),
        body: "hello".to_owned(),
        task: format!("t{n} {turn}").into(),
        max_failures: 3,
        new: NewSession {
            conv: format!("c{n}").into(),
            session: format!("s{n}").into(),
            runtime: "claude".to_owned(),
            idle_ms: None,
        },
        when_waiting: WhenWaiting::Queue,
    }
}

fn call(op_id: String, op: Op) -> Call {
    let op_id = op.keeps_answer().then(|| OpId::new(op_id));
    Call { op_id, op }
}
