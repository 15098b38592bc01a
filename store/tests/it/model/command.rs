//! Random commands. A command is a few dice; what they mean depends on what is known by then, so that a shorter history is
//! still one that makes sense. Zeros are the plainest choices.

use lockstep_store::{
    Accept, Answer, Ask, Call, CancelHow, Choice, Claimed, Complete, ConvKey, Converted, Converter,
    Error, Fence, Filter, Item, NewSession, NotSent, Op, OpenPolicy, PromptId, QueueFate, Reply,
    Reset, Resolve, Retry, Send, Sending, SessionId, TaskId, WhenWaiting,
};

pub(super) const LENGTH: usize = 8;

/// Eight dice: what to do, and with what.
#[derive(Clone, Debug)]
pub(super) struct Command(pub(super) [u8; LENGTH]);

/// The history of a seed.
pub(super) fn of_seed(seed: u64) -> Vec<Command> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()
    };
    next();
    let length = 20 + usize::from(next()[0]) % 60;
    (0..length).map(|_| Command(next())).collect()
}

/// What the answers have told so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    fresh: u32,
    sessions: Vec<SessionId>,
    tasks: Vec<TaskId>,
    /// Held by somebody, as far as is known.
    held: Vec<Claimed>,
    /// Held by nobody any more.
    past: Vec<Claimed>,
    prompts: Vec<PromptId>,
    sending: Vec<Sending>,
    versions: Vec<i64>,
    tokens: u32,
}

impl Known {
    pub(super) fn learn(&mut self, call: &Call, outcome: &Result<Reply, Error>) {
        match outcome {
            Ok(Reply::Claimed(claimed)) => self.held.extend(claimed.iter().cloned()),
            Ok(Reply::Sending(sending)) => self.sending.extend(sending.iter().cloned()),
            Ok(Reply::Opened(opened)) => self.sessions.push(opened.session.clone()),
            Ok(Reply::Accepted(accepted)) => {
                self.sessions.push(accepted.session.clone());
                self.tasks.push(accepted.task.clone());
            }
            Ok(Reply::Reset(reset)) => self.sessions.push(reset.session.clone()),
            Ok(Reply::Version(version)) => self.versions.push(*version),
            Ok(Reply::Shown(shown)) => self.versions.push(shown.version),
            _ => {}
        }
        let ended = match &call.op {
            Op::Complete(turn) => Some(&turn.task),
            Op::Ask(ask) => Some(&ask.task),
            Op::Fail { task, .. } | Op::GiveBack { task, .. } | Op::Snooze { task, .. } => {
                Some(task)
            }
            _ => None,
        };
        if let (Some(ended), Ok(_)) = (ended, outcome) {
            let over = self.held.iter().position(|claimed| claimed.task == *ended);
            self.past.extend(over.map(|at| self.held.remove(at)));
        }
    }

    fn fresh(&mut self) -> u32 {
        self.fresh += 1;
        self.fresh
    }
}

/// One of the last few; now and then one that does not exist, or that nothing may be called.
fn recent<T: Clone + From<&'static str>>(list: &[T], die: u8) -> T {
    match list.len() {
        _ if die >= 250 => "".into(),
        _ if die >= 244 => "nothing".into(),
        0 => "nothing".into(),
        length => list[length - 1 - usize::from(die % 8).min(length - 1)].clone(),
    }
}

impl Command {
    fn die(&self, at: usize) -> u8 {
        self.0[at]
    }

    /// A choice out of so many.
    fn of(&self, at: usize, count: u8) -> u8 {
        self.0[at] % count
    }

    /// A step of the clock: mostly none, sometimes a lease's length, rarely days, rarely back.
    pub(super) fn step_ms(&self) -> Option<i64> {
        match self.die(7) {
            0..=119 => None,
            120..=199 => Some(i64::from(self.die(6)) * 4),
            200..=229 => Some(1_000),
            230..=243 => Some(60_000),
            244..=249 => Some(3 * 24 * 60 * 60 * 1_000),
            _ => Some(-i64::from(self.die(6)) * 10),
        }
    }

    /// Which earlier call this repeats: whole, or only its op_id.
    pub(super) fn repetition(&self, calls: usize) -> Option<(usize, bool)> {
        let back = usize::from(self.of(5, 16)) + 1;
        let at = calls.checked_sub(back)?;
        match self.die(6) {
            236..=243 => Some((at, true)),
            244..=255 => Some((at, false)),
            _ => None,
        }
    }

    pub(super) fn op(&self, known: &mut Known) -> Op {
        match self.die(0) {
            0..=39 => self.accept(known),
            40..=84 => self.claim(),
            85..=124 => self.end_of_turn(known),
            125..=139 => self.within_turn(known),
            140..=166 => self.prompt(known),
            167..=189 => self.outbox(known),
            190..=204 => self.session(known),
            205..=219 => self.due(),
            220..=234 => self.runtime(known),
            235..=244 => self.chat(known),
            _ => self.look(known),
        }
    }

    fn key(&self, at: usize) -> ConvKey {
        let chat = ["1", "2", "3", "alias"][usize::from(self.of(at, 4))];
        ConvKey::chat("tenant", "tg", "bot", chat)
    }

    fn new_session(&self, known: &mut Known) -> NewSession {
        let n = known.fresh();
        let idle = [None, None, Some(5_000), Some(0)];
        NewSession {
            conv: match self.die(4) {
                250.. => "c1".into(),
                _ => format!("c{n}").into(),
            },
            session: match self.die(4) {
                230..=249 => recent(&known.sessions, self.die(3)),
                _ => format!("s{n}").into(),
            },
            runtime: ["claude", "claude", "codex", "none"][usize::from(self.of(5, 32) / 10)]
                .to_owned(),
            idle_ms: idle[usize::from(self.die(6) / 66)],
        }
    }

    fn accept(&self, known: &mut Known) -> Op {
        let new = self.new_session(known);
        let n = known.fresh;
        let old = self.die(2) >= 200;
        let id = match old {
            true => u32::from(self.of(3, 12)),
            false => n,
        };
        let when = [
            WhenWaiting::Queue,
            WhenWaiting::Answer,
            WhenWaiting::Interrupt,
        ];
        Op::Accept(Accept {
            key: self.key(1),
            ext_id: match self.die(5) {
                250.. => format!("x{id}"),
                _ => id.to_string(),
            },
            kind: "turn".to_owned(),
            body: match self.die(3) {
                0..=199 => format!("body {id}"),
                _ => "other body".to_owned(),
            },
            task: match self.die(4) {
                230..=239 => recent(&known.tasks, self.die(3)),
                _ => format!("t{n}").into(),
            },
            max_failures: u32::from(self.of(6, 4)),
            new,
            when_waiting: when[usize::from(self.of(5, 3))],
        })
    }

    fn worker(&self, at: usize) -> &'static str {
        match self.die(at) {
            250.. => "nobody",
            _ => ["w0", "w1", "w2"][usize::from(self.of(at, 3))],
        }
    }

    fn claim(&self) -> Op {
        Op::Claim {
            worker: self.worker(1).into(),
            limit: u32::from(self.of(2, 24)) / 7,
            lease_ms: [1_000, 1_000, 300, 0][usize::from(self.die(3) / 80)],
        }
    }

    /// A claim that is held; now and then one that no longer is, or was never made.
    fn claimed(&self, known: &Known) -> (SessionId, TaskId, Fence) {
        let list = match self.die(1) {
            0..=199 if !known.held.is_empty() => &known.held,
            _ if !known.past.is_empty() => &known.past,
            _ => &known.held,
        };
        let Some(length) = list.len().checked_sub(1) else {
            return (
                recent(&known.sessions, self.die(2)),
                recent(&known.tasks, self.die(2)),
                Fence(1),
            );
        };
        let claimed = &list[length - usize::from(self.of(2, 4)).min(length)];
        (claimed.session.clone(), claimed.task.clone(), claimed.fence)
    }

    fn items(&self, at: usize) -> Vec<Item> {
        let item = |n: u8| Item {
            kind: "message".to_owned(),
            body: format!("item {n}"),
        };
        (0..self.of(at, 3)).map(item).collect()
    }

    fn sends(&self, at: usize, known: &mut Known) -> Vec<Send> {
        let n = known.fresh();
        let send = |part: u8| Send {
            dedup_key: match self.die(at) {
                245.. => "same".to_owned(),
                _ => format!("k{n}.{part}"),
            },
            body: "hello".to_owned(),
            route: ["", "mail"][usize::from(self.of(at, 5) / 4)].to_owned(),
        };
        (0..self.of(at, 3)).map(send).collect()
    }

    fn token(&self, at: usize, known: &mut Known) -> Option<String> {
        match self.die(at) {
            0..=99 => None,
            100..=199 => {
                known.tokens += 1;
                Some(format!("token {}", known.tokens))
            }
            _ => Some("token 1".to_owned()),
        }
    }

    fn end_of_turn(&self, known: &mut Known) -> Op {
        let (_, task, fence) = self.claimed(known);
        match self.of(3, 16) {
            0..=6 => Op::Complete(Complete {
                task,
                fence,
                outcome: "ok".to_owned(),
                items: self.items(4),
                sends: self.sends(5, known),
                resume_token: self.token(6, known),
            }),
            7..=9 => Op::Fail {
                task,
                fence,
                error: "broken".to_owned(),
                retry: match self.of(4, 8) {
                    0..=1 => Retry::Never,
                    2..=6 => Retry::After {
                        delay_ms: i64::from(self.die(5) / 4) * 10,
                    },
                    _ => Retry::After { delay_ms: -1 },
                },
            },
            10 => Op::GiveBack { task, fence },
            11 => Op::Snooze {
                task,
                fence,
                delay_ms: i64::from(self.die(4)) - 5,
            },
            _ => self.ask(task, fence, known),
        }
    }

    fn ask(&self, task: TaskId, fence: Fence, known: &mut Known) -> Op {
        let sends = self.sends(5, known);
        let n = known.fresh();
        let prompt: PromptId = match self.die(4) {
            225.. => recent(&known.prompts, self.die(2)),
            _ => format!("p{n}").into(),
        };
        known.prompts.push(prompt.clone());
        let token = |idx: u8| match self.die(5) {
            250.. => "token of all".to_owned(),
            _ => format!("token {prompt} {idx}"),
        };
        let choices = (0..self.of(4, 4)).map(|idx| Choice {
            token: token(idx),
            label: format!("choice {idx}"),
        });
        let choices: Vec<Choice> = match prompt.as_str() {
            // A question under an old id has no old buttons too: which of both is refused first is not promised.
            "nothing" => Vec::new(),
            _ => choices.collect(),
        };
        Op::Ask(Ask {
            task,
            fence,
            prompt,
            choices,
            text_ok: self.of(6, 3) > 0,
            expires_in_ms: [2_000, 60_000, 60_000, 0][usize::from(self.die(5) / 80)],
            items: self.items(2),
            sends,
            resume_token: self.token(6, known),
        })
    }

    fn within_turn(&self, known: &mut Known) -> Op {
        let (session, task, fence) = self.claimed(known);
        match self.of(3, 9) {
            0..=1 => Op::Renew {
                session,
                fence,
                lease_ms: i64::from(self.die(4)) * 5,
            },
            2..=4 => Op::Append {
                session,
                fence,
                expected_seq: 1 + i64::from(self.of(4, 4)),
                items: self.items(5),
            },
            5..=6 => Op::SetResume {
                session,
                fence,
                token: match self.of(6, 2) {
                    0 => "token 1".to_owned(),
                    _ => format!("token {}", known.fresh()),
                },
                epoch: [0, 0, 1, 2][usize::from(self.of(4, 4))],
            },
            _ => Op::Cancel {
                task,
                reason: "stop".to_owned(),
                how: match self.of(4, 4) {
                    0..=1 => CancelHow::Ask,
                    2 => CancelHow::Force,
                    _ => CancelHow::Own { fence },
                },
            },
        }
    }

    fn prompt(&self, known: &Known) -> Op {
        let prompt: PromptId = recent(&known.prompts, self.die(1));
        match self.of(2, 4) {
            0 => Op::Revoke { prompt },
            _ => Op::Answer(Answer {
                key: self.key(3),
                ext_id: match self.die(4) {
                    0..=179 => format!("press {} {}", known.fresh, self.die(5)),
                    180..=219 => "press".to_owned(),
                    _ => self.of(5, 12).to_string(),
                },
                token: format!("token {prompt} {}", self.of(6, 2)),
            }),
        }
    }

    fn outbox(&self, known: &Known) -> Op {
        let sending = match known.sending.len().checked_sub(1) {
            Some(last) => known.sending[last - usize::from(self.of(2, 3)).min(last)].clone(),
            None => return self.claim_send(),
        };
        let (session, n) = match self.die(3) {
            240.. => ("nothing".into(), 7),
            _ => (sending.session, sending.n),
        };
        let send_no = sending.send_no + i64::from(self.die(3) / 230);
        match self.of(1, 14) {
            0..=2 => self.claim_send(),
            3..=5 => Op::Sent {
                session,
                n,
                send_no,
                provider_id: "id".to_owned(),
            },
            6..=8 => Op::NotSent {
                session,
                n,
                send_no,
                error: "refused".to_owned(),
                then: match self.of(4, 4) {
                    0 => NotSent::Drop,
                    1 => NotSent::Again { delay_ms: -1 },
                    _ => NotSent::Again {
                        delay_ms: i64::from(self.die(5)),
                    },
                },
            },
            9..=11 => Op::Unknown {
                session,
                n,
                send_no,
                error: "timeout".to_owned(),
            },
            _ => Op::Resolve {
                session,
                n,
                how: match self.of(4, 3) {
                    0 => Resolve::Resend,
                    1 => Resolve::Drop,
                    _ => Resolve::Sent {
                        provider_id: "id".to_owned(),
                    },
                },
            },
        }
    }

    fn claim_send(&self) -> Op {
        Op::ClaimSend {
            sender: "sender".to_owned(),
            route: ["", "mail"][usize::from(self.of(5, 5) / 4)].to_owned(),
            limit: u32::from(self.of(4, 16)) / 5,
            lease_ms: [1_000, 1_000, 100, 0][usize::from(self.die(6) / 80)],
        }
    }

    fn build(&self, at: usize) -> &'static str {
        match self.die(at) {
            250.. => "nothing",
            _ => ["claude@1", "claude@2", "codex@1"][usize::from(self.of(at, 3))],
        }
    }

    fn session(&self, known: &mut Known) -> Op {
        let session: SessionId = recent(&known.sessions, self.die(1));
        let version = known.versions.last().copied().unwrap_or(1);
        match self.of(2, 16) {
            0 => Op::Close {
                session,
                reason: "over".to_owned(),
                force: self.of(3, 2) > 0,
            },
            1..=2 => Op::Reset(Reset {
                session,
                next: match self.die(4) {
                    220.. => recent(&known.sessions, self.die(5)),
                    _ => format!("s{}", known.fresh()).into(),
                },
                build: (self.of(5, 2) > 0).then(|| self.build(6).into()),
                reason: "reset".to_owned(),
                queued: [QueueFate::Cancel, QueueFate::Move, QueueFate::Move]
                    [usize::from(self.of(3, 3))],
                force: self.of(4, 3) > 0,
            }),
            3..=4 => Op::Show { session },
            5..=8 => Op::Migrate {
                session,
                to_build: self.build(3).into(),
                expected_version: version,
                converted: match self.of(4, 3) {
                    0 => None,
                    which => Some(Converted {
                        converter: ["transcript", "transcript", "other"]
                            [usize::from(which - 1 + self.of(5, 2))]
                        .to_owned(),
                        token: "converted".to_owned(),
                        home: "h0".to_owned(),
                    }),
                },
            },
            9 => Op::Note {
                session,
                item: Item {
                    kind: "note".to_owned(),
                    body: "from outside".to_owned(),
                },
            },
            10..=11 => Op::PutState {
                session,
                expected_version: i64::from(self.of(3, 3)),
                body: "{}".to_owned(),
            },
            12..=13 => Op::DropResume {
                session,
                expected_epoch: i64::from(self.of(3, 4)),
                evidence: ["gone", "gone", " "][usize::from(self.die(4) / 110)].to_owned(),
            },
            _ => Op::Resume {
                session,
                worker: self.worker(3).into(),
            },
        }
    }

    fn due(&self) -> Op {
        let limit = u32::from(self.of(2, 30));
        match self.of(1, 16) {
            0..=6 => Op::Reap { limit },
            7..=10 => Op::Sweep { limit },
            11..=14 => Op::Prune {
                keep_ms: [1_000, 10_000, 0, -1][usize::from(self.die(3) / 80)],
                limit,
            },
            _ => Op::Restored {
                incarnation: i64::from(self.of(3, 5)),
            },
        }
    }

    fn runtime(&self, known: &mut Known) -> Op {
        let build = self.build(3).into();
        let worker = self.worker(3).into();
        match self.of(1, 16) {
            0..=1 => Op::RegisterBuild {
                build,
                runtime: ["claude", "codex"][usize::from(self.of(2, 2))].to_owned(),
                class: ["claude/1", "codex/1"][usize::from(self.of(4, 2))].into(),
            },
            2..=5 => Op::SetCurrent { build },
            6..=7 => Op::AllowMove {
                from: ["claude/1", "codex/1"][usize::from(self.of(2, 2))].into(),
                to: ["claude/1", "codex/1"][usize::from(self.of(3, 2))].into(),
                converter: [Converter::DropToken, Converter::ReplayItems]
                    [usize::from(self.of(4, 2))]
                .clone(),
            },
            8 => Op::Drain { build },
            9 => match self.of(2, 2) {
                0 => Op::Retire { build },
                _ => Op::WorkerSeen { worker },
            },
            10 => Op::WorkerDrain { worker },
            11 => Op::WorkerGone { worker },
            12..=13 => Op::WorkerSeen { worker },
            _ => Op::RegisterWorker {
                worker: match self.die(4) {
                    0..=99 => worker,
                    _ => format!("w{}", known.fresh()).into(),
                },
                build,
                home: "h0".to_owned(),
            },
        }
    }

    fn chat(&self, known: &mut Known) -> Op {
        match self.of(1, 8) {
            0..=2 => Op::OpenOrGet {
                key: self.key(2),
                policy: [OpenPolicy::Adopt, OpenPolicy::Fail, OpenPolicy::Replace]
                    [usize::from(self.of(3, 3))],
                new: self.new_session(known),
            },
            3..=4 => Op::LinkKey {
                key: self.key(2),
                alias: self.key(3),
            },
            5 => Op::OrderedIds {
                tenant: "tenant".to_owned(),
                channel: "tg".to_owned(),
                account: "bot".to_owned(),
                idle_gap_ms: [100_000, 100_000, 0][usize::from(self.die(2) / 110)],
            },
            _ => Op::Retry {
                task: recent(&known.tasks, self.die(2)),
                again: match self.die(4) {
                    200.. => recent(&known.tasks, self.die(3)),
                    _ => {
                        let again = TaskId::new(format!("t{}", known.fresh()));
                        known.tasks.push(again.clone());
                        again
                    }
                },
            },
        }
    }

    fn look(&self, known: &Known) -> Op {
        let session: SessionId = recent(&known.sessions, self.die(2));
        match self.of(1, 8) {
            0 => Op::GetState { session },
            1 => Op::List {
                filter: Filter {
                    active: [None, Some(true), Some(false)][usize::from(self.of(3, 3))],
                    class: None,
                    conv: (self.of(4, 3) == 0).then(|| "c1".into()),
                },
                after: (self.of(5, 2) == 0).then_some(session),
                limit: u32::from(self.of(6, 4)),
            },
            2 => Op::History {
                session,
                after_seq: i64::from(self.of(3, 3)),
                after_note: i64::from(self.of(4, 2)),
                limit: u32::from(self.of(5, 3)),
            },
            3 => Op::Stats,
            4 => Op::Show { session },
            _ => Op::Explain { session },
        }
    }
}
