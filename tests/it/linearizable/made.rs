//! Histories that are linearizable because of how they are made: the model does each operation at a moment between its call
//! and its return, and several clients take turns at random.

use std::collections::VecDeque;
use std::rc::Rc;

use lockstep_sim::check::linearizable::{Answer, Operation, Spec};
use lockstep_sim::trace::Reading;
use lockstep_store::model::Step;
use lockstep_store::{
    Call, Converter, Error, Filter, ManualClock, Op, OpId, Pruned, Reaped, Reply, Store, Swept,
};

use super::command::{Command, Known, of_seed};
use super::dice::Dice;

/// One operation, with all that a history tells of it.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) call: Call,
    pub(super) answer: Option<Answer>,
    pub(super) from: u64,
    pub(super) to: Option<u64>,
    pub(super) readings: Vec<Reading>,
}

/// As the check wants it.
pub(super) fn history(made: &[Made]) -> Vec<Operation<'_>> {
    let mut history: Vec<Operation<'_>> = made
        .iter()
        .map(|made| Operation {
            call: &made.call,
            answer: made.answer.as_ref(),
            from: made.from,
            to: made.to,
            readings: made.readings.clone(),
            commits: Vec::new(),
        })
        .collect();
    history.sort_by_key(|operation| operation.from);
    history
}

/// What a history is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How many commands are given one after the other, and how many after that by several at the same time.
    pub(super) alone: usize,
    pub(super) together: usize,
    pub(super) clients: usize,
    /// One chat, nothing that does not exist, and no operation that is several transactions.
    pub(super) plain: bool,
}

/// Makes the history of a seed.
pub(super) fn make(seed: u64, plan: Plan) -> Vec<Made> {
    let mut maker = Maker::new(seed, plan);
    let mut commands = (0..).flat_map(|n| of_seed(seed.wrapping_mul(31) + n));
    for _ in 0..plan.alone {
        maker.call(0, &mut commands);
        maker.finish(0);
    }
    let calls = maker.made.len();
    maker.gentle = false;
    while maker.made.len() < calls + plan.together {
        let client = maker.dice.below(plan.clients);
        match maker.busy[client].is_some() {
            true => maker.go_on(client),
            false => maker.call(client, &mut commands),
        }
    }
    // Who is not done by now never is, or is last.
    for client in 0..plan.clients {
        if maker.dice.below(3) > 0 {
            maker.finish(client);
        }
    }
    maker.made
}

/// Two classes, workers at two homes, and ways between the classes: no conversation has begun.
pub(super) fn beginning() -> Spec {
    let mut start = Spec::new(Rc::new(ManualClock::at(START_MS)));
    let classes = [
        ("claude@1", "claude"),
        ("claude@2", "claude"),
        ("codex@1", "codex"),
    ];
    let mut ops: Vec<Op> = Vec::new();
    ops.extend(classes.map(|(build, runtime)| Op::RegisterBuild {
        build: build.into(),
        runtime: runtime.to_owned(),
        class: format!("{runtime}/1").into(),
    }));
    ops.extend(["claude@1", "codex@1"].map(|build| Op::SetCurrent {
        build: build.into(),
    }));
    let workers = [
        ("w0", "claude@1", "h0"),
        ("w1", "claude@2", "h1"),
        ("w2", "codex@1", "h0"),
    ];
    ops.extend(workers.map(|(worker, build, home)| Op::RegisterWorker {
        worker: worker.into(),
        build: build.into(),
        home: home.to_owned(),
    }));
    let edges = [
        (
            "claude/1",
            "codex/1",
            Converter::Named("transcript".to_owned()),
        ),
        ("codex/1", "claude/1", Converter::ReplayItems),
    ];
    ops.extend(edges.map(|(from, to, converter)| Op::AllowMove {
        from: from.into(),
        to: to.into(),
        converter,
    }));
    for (n, op) in ops.into_iter().enumerate() {
        let op_id = Some(OpId::new(format!("begin{n}")));
        start.apply(&Call { op_id, op }).expect("a beginning");
    }
    start
}

const START_MS: i64 = 1_000_000;

/// An operation on its way.
struct Busy {
    index: usize,
    /// What it does before it returns; `None` when it does not yet know.
    todo: Option<VecDeque<Step>>,
    answer: Option<Answer>,
}

struct Maker {
    dice: Dice,
    plan: Plan,
    model: Spec,
    known: Known,
    made: Vec<Made>,
    busy: Vec<Option<Busy>>,
    at: u64,
    turn: u64,
    now_ms: i64,
    /// Nobody dies and nothing is unknown.
    gentle: bool,
}

impl Maker {
    fn new(seed: u64, plan: Plan) -> Self {
        Self {
            dice: Dice::new(seed),
            plan,
            model: beginning(),
            known: Known::default(),
            made: Vec::new(),
            busy: (0..plan.clients).map(|_| None).collect(),
            at: 0,
            turn: 0,
            now_ms: START_MS,
            gentle: true,
        }
    }

    fn tick(&mut self) -> u64 {
        self.at += 1;
        self.at
    }

    fn call(&mut self, client: usize, commands: &mut impl Iterator<Item = Command>) {
        let call = loop {
            let command = commands.next().expect("they do not end");
            self.now_ms += command.step_ms().unwrap_or(0);
            let call = self.next_call(&command);
            if !self.plan.plain || is_plain(&call.op) {
                break call;
            }
        };
        let index = self.made.len();
        let from = self.tick();
        self.made.push(Made {
            call,
            answer: None,
            from,
            to: None,
            readings: Vec::new(),
        });
        self.busy[client] = Some(Busy {
            index,
            todo: None,
            answer: None,
        });
    }

    fn next_call(&mut self, command: &Command) -> Call {
        let earlier = command.repetition(self.made.len());
        if let Some((at, true)) = earlier {
            return self.made[at].call.clone();
        }
        let mut op = match self.dice.below(60) {
            0 => Op::Verify { per_rule: 5 },
            _ => command.op(&mut self.known),
        };
        if self.plan.plain {
            into_one_chat(&mut op);
        }
        let reused = earlier.and_then(|(at, _)| self.made[at].call.op_id.clone());
        let fresh = OpId::new(format!("op{}", self.made.len()));
        let op_id = op.keeps_answer().then(|| reused.unwrap_or(fresh));
        Call { op_id, op }
    }

    /// The next thing that happens to a client's operation.
    fn go_on(&mut self, client: usize) {
        let Some(mut busy) = self.busy[client].take() else {
            return;
        };
        if !self.gentle && self.dice.below(24) == 0 {
            return self.lose(&busy);
        }
        if busy.answer.is_none() {
            self.work(client, &mut busy);
            self.busy[client] = Some(busy);
            return;
        }
        let answer = busy.answer.take().expect("it has one");
        let to = self.tick();
        let made = &mut self.made[busy.index];
        self.known.learn(&made.call, &answer);
        made.answer = Some(answer);
        made.to = Some(to);
    }

    /// Nobody hears how it ended: the caller died, or the commit failed in a way that does not tell.
    fn lose(&mut self, busy: &Busy) {
        if self.dice.below(2) == 0 {
            self.made[busy.index].to = Some(self.tick());
            self.made[busy.index].answer = Some(Err(Error::Unknown {
                code: 10,
                message: "commit".to_owned(),
            }));
        }
    }

    fn finish(&mut self, client: usize) {
        while self.busy[client].is_some() {
            self.go_on(client);
        }
    }

    /// What the operation reads on its store's clock; that of another process may be off.
    fn read(&mut self, client: usize, index: usize) {
        self.turn += 1;
        let at_ms = self.now_ms + client as i64 * 7;
        self.model.clock().set(at_ms);
        self.made[index].readings.push(Reading {
            turn: self.turn,
            at_ms,
        });
    }

    fn work(&mut self, client: usize, busy: &mut Busy) {
        let call = self.made[busy.index].call.clone();
        if !self.gentle && busy.todo.is_none() && self.dice.below(30) == 0 {
            busy.answer = Some(Err(Error::Busy));
            return;
        }
        self.read(client, busy.index);
        match &mut busy.todo {
            None if is_several(&call.op) => {
                let whole = self.model.clone().apply(&call);
                if whole.is_err() {
                    busy.answer = Some(whole);
                    return;
                }
                let first_ms = self.made[busy.index].readings[0].at_ms;
                let todo = self.list(&call.op, first_ms, whole);
                busy.todo = Some(todo);
                if let Op::Prune { .. } = call.op {
                    // Kept answers, audit, events, the list: in between anything may happen, but not here.
                    self.take(busy);
                    (0..2).for_each(|_| self.read(client, busy.index));
                    self.take(busy);
                    self.read(client, busy.index);
                }
            }
            None => busy.answer = Some(self.model.apply(&call)),
            Some(_) => self.take(busy),
        }
    }

    /// What an operation of several transactions finds to do.
    fn list(&self, op: &Op, now_ms: i64, whole: Answer) -> VecDeque<Step> {
        match (op, whole) {
            (_, Ok(Reply::Reaped(reaped))) => {
                let tasks = reaped.requeued.into_iter().chain(reaped.ended);
                tasks.map(Step::LeaseOf).collect()
            }
            (_, Ok(Reply::Swept(swept))) => {
                let prompts = swept.expired.into_iter().map(|prompt| Step::Prompt {
                    prompt,
                    listed_ms: now_ms,
                });
                let sends = swept
                    .unknown
                    .into_iter()
                    .map(|(session, _)| Step::Send(session));
                prompts
                    .chain(sends)
                    .chain(swept.closed.into_iter().map(Step::Idle))
                    .collect()
            }
            (Op::Prune { keep_ms, limit }, _) => {
                let before_ms = now_ms - keep_ms;
                let limit = *limit;
                let answers = Step::Answers { before_ms, limit };
                let events = Step::Events { before_ms, limit };
                let closed = self.closed().into_iter().take(limit as usize);
                let closed = closed.map(|session| Step::Closed { session, before_ms });
                [answers, events].into_iter().chain(closed).collect()
            }
            _ => VecDeque::new(),
        }
    }

    fn closed(&self) -> Vec<lockstep_store::SessionId> {
        let filter = Filter {
            active: Some(false),
            ..Filter::default()
        };
        let op = Op::List {
            filter,
            after: None,
            limit: 1_000,
        };
        match self.model.clone().apply(&Call { op_id: None, op }) {
            Ok(Reply::Listed(listed)) => listed.into_iter().map(|one| one.session).collect(),
            other => panic!("no list: {other:?}"),
        }
    }

    /// One step; after the last one the operation has its answer.
    fn take(&mut self, busy: &mut Busy) {
        let todo = busy.todo.as_mut().expect("it knows what to do");
        let step = todo.pop_front();
        let ended = todo.is_empty() && step.is_none();
        let index = busy.index;
        let said = step.map(|step| self.model.step(&step));
        let so_far = self.made[index].answer.take();
        let sum = add(&self.made[index].call.op, so_far, said);
        match ended {
            true => busy.answer = Some(sum),
            false => self.made[index].answer = Some(sum),
        }
    }
}

fn add(op: &Op, so_far: Option<Answer>, more: Option<Reply>) -> Answer {
    let none = match op {
        Op::Reap { .. } => Reply::Reaped(Reaped::default()),
        Op::Sweep { .. } => Reply::Swept(Swept::default()),
        _ => Reply::Pruned(Pruned::default()),
    };
    let mut sum = so_far.and_then(Result::ok).unwrap_or(none);
    match (&mut sum, more) {
        (Reply::Reaped(sum), Some(Reply::Reaped(more))) => {
            sum.requeued.extend(more.requeued);
            sum.ended.extend(more.ended);
        }
        (Reply::Swept(sum), Some(Reply::Swept(more))) => {
            sum.expired.extend(more.expired);
            sum.unknown.extend(more.unknown);
            sum.closed.extend(more.closed);
        }
        (Reply::Pruned(sum), Some(Reply::Pruned(more))) => {
            sum.op_results += more.op_results;
            sum.inbox += more.inbox;
            sum.sessions += more.sessions;
        }
        _ => {}
    }
    Ok(sum)
}

fn is_several(op: &Op) -> bool {
    matches!(op, Op::Reap { .. } | Op::Sweep { .. } | Op::Prune { .. })
}

fn is_plain(op: &Op) -> bool {
    let words = format!("{op:?}");
    !is_several(op) && !words.contains("(\"nothing\")") && !words.contains("(\"\")")
}

fn into_one_chat(op: &mut Op) {
    match op {
        Op::Accept(accept) => accept.key.chat = "1".to_owned(),
        Op::OpenOrGet { key, .. } => key.chat = "1".to_owned(),
        Op::Answer(answer) => answer.key.chat = "1".to_owned(),
        Op::LinkKey { key, .. } => key.chat = "1".to_owned(),
        _ => {}
    }
}
