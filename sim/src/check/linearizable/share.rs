//! What of each operation falls to each conversation, and what its answer says there.
//!
//! With one conversation that is all of it. With several, whatever can only be known with a view of all is left out, so that
//! nothing is called wrong that is right.

mod steps;

use std::collections::{BTreeMap, BTreeSet};

use lockstep_store::{Error, Op, OpId, Reaped, Reply, Restored, SessionId, TaskId};

use super::entry::{Does, Entry, Says, Variant, whole};
use super::names::{Name, Reach, names, reach};
use super::partition::Partition;
use super::{Moment, Operation};

/// The entries of each conversation, then of what belongs to none, each in the order of their calls.
pub(super) fn share<'t>(
    history: &[Operation<'t>],
    partition: &Partition<'t>,
    repeated: BTreeSet<&'t OpId>,
) -> Vec<Vec<Entry<'t>>> {
    let alone = partition.count() <= 1;
    let parts = if alone { 1 } else { partition.count() + 1 };
    let mut sharing = Sharing {
        partition,
        alone,
        parts: std::iter::repeat_with(Vec::new).take(parts).collect(),
        sessions: sessions(history, partition, alone),
        events: events(history, partition, parts),
        first_uses: BTreeMap::new(),
        repeated,
        shared_ids: shared_ids(history),
    };
    for (index, operation) in history.iter().enumerate() {
        sharing.take(index, operation);
    }
    sharing.parts
}

/// Under which op_ids conversations were asked for something that concerned several.
fn shared_ids<'t>(history: &[Operation<'t>]) -> BTreeSet<&'t OpId> {
    let shared = history
        .iter()
        .filter(|operation| reach(&operation.call.op) == Reach::Some);
    shared
        .filter_map(|operation| operation.call.op_id.as_ref())
        .collect()
}

/// The op_ids that were used more than once.
pub(super) fn repeated<'t>(history: &[Operation<'t>]) -> BTreeSet<&'t OpId> {
    let mut once = BTreeSet::new();
    let op_ids = history
        .iter()
        .filter_map(|operation| operation.call.op_id.as_ref());
    op_ids.filter(|op_id| !once.insert(*op_id)).collect()
}

/// The sessions that each part may have. Ids for sessions that were opened in the end under another are none.
fn sessions<'t>(
    history: &[Operation<'t>],
    partition: &Partition<'t>,
    alone: bool,
) -> Vec<BTreeSet<&'t SessionId>> {
    let mut sessions = vec![BTreeSet::new(); partition.count().max(1)];
    for operation in history {
        let opened = match (&operation.call.op, operation.answer) {
            (Op::Accept(_), Some(Ok(Reply::Accepted(accepted)))) => Some(&accepted.session),
            (Op::OpenOrGet { .. }, Some(Ok(Reply::Opened(opened)))) => Some(&opened.session),
            (Op::Accept(accept), None | Some(Err(Error::Unknown { .. }))) => {
                Some(&accept.new.session)
            }
            (Op::OpenOrGet { new, .. }, None | Some(Err(Error::Unknown { .. }))) => {
                Some(&new.session)
            }
            (Op::Reset(reset), _) => Some(&reset.next),
            _ => None,
        };
        let Some(opened) = opened else { continue };
        let part = match alone {
            true => Some(0),
            false => partition.part(Name::Session(opened.as_str())),
        };
        if let Some(part) = part {
            sessions[part].insert(opened);
        }
    }
    sessions
}

/// How many events each part may have.
fn events<'t>(history: &[Operation<'t>], partition: &Partition<'t>, parts: usize) -> Vec<u32> {
    let mut events = vec![0; parts];
    for operation in history {
        let key = match &operation.call.op {
            Op::Accept(accept) => &accept.key,
            Op::Answer(answer) => &answer.key,
            _ => continue,
        };
        let part = if parts == 1 {
            Some(0)
        } else {
            partition.part(Name::Key(key))
        };
        if let Some(part) = part {
            events[part] += 1;
        }
    }
    events
}

struct Sharing<'s, 't> {
    partition: &'s Partition<'t>,
    /// There is only one conversation: nothing is left out.
    alone: bool,
    parts: Vec<Vec<Entry<'t>>>,
    sessions: Vec<BTreeSet<&'t SessionId>>,
    /// How many events each part may have.
    events: Vec<u32>,
    first_uses: BTreeMap<&'t OpId, usize>,
    /// Those that were used more than once. Nobody comes back for the other answers, so the model need not keep them.
    repeated: BTreeSet<&'t OpId>,
    shared_ids: BTreeSet<&'t OpId>,
}

impl<'t> Sharing<'_, 't> {
    fn take(&mut self, index: usize, operation: &Operation<'t>) {
        let again = operation
            .call
            .op_id
            .as_ref()
            .is_some_and(|op_id| *self.first_uses.entry(op_id).or_insert(index) != index);
        match &operation.call.op {
            Op::Reap { .. } | Op::Sweep { .. } | Op::Prune { .. } => {
                self.take_steps(index, operation)
            }
            Op::Verify { .. } => {}
            op if operation.is_indefinite()
                && (op.only_reads() || operation.readings.is_empty()) => {}
            _ if operation.was_turned_away() => {}
            _ if self.alone => self.put(0, whole(index, operation)),
            op => match reach(op) {
                Reach::One => self.take_own(index, operation),
                Reach::All => self.take_common(index, operation),
                Reach::Some => self.take_shared(index, operation, again),
                Reach::None => self.put(self.registry(), whole(index, operation)),
            },
        }
    }

    fn put(&mut self, part: usize, mut entry: Entry<'t>) {
        let op_id = entry.call.op_id.as_ref();
        entry.repeated = op_id.is_some_and(|op_id| self.repeated.contains(op_id));
        self.parts[part].push(entry);
    }

    /// The part of what belongs to no conversation.
    fn registry(&self) -> usize {
        self.parts.len() - 1
    }

    /// The part of a name. What no call has named belongs nowhere, where no answer can rightly name it.
    fn part(&self, name: Name<'_>) -> usize {
        match self.alone {
            true => 0,
            false => self.partition.part(name).unwrap_or(self.registry()),
        }
    }

    fn take_own(&mut self, index: usize, operation: &Operation<'t>) {
        // Only a view of all tells whether the op_id was used elsewhere.
        let elsewhere = operation
            .call
            .op_id
            .as_ref()
            .is_some_and(|id| self.shared_ids.contains(id));
        if elsewhere && matches!(operation.answer, Some(Err(Error::OpIdReused { .. }))) {
            return;
        }
        let part = names(operation.call)
            .first()
            .map_or(self.registry(), |name| self.part(*name));
        self.put(part, whole(index, operation));
    }

    /// One effect on everybody, and each conversation sees its own share of it.
    fn take_common(&mut self, index: usize, operation: &Operation<'t>) {
        // Who used the op_id, or holds the lease, only a view of all can tell.
        if let Some(Err(Error::OpIdReused { .. } | Error::Leased { .. })) = operation.answer {
            return;
        }
        for part in 0..self.parts.len() {
            let mut entry = whole(index, operation);
            entry.says = match operation.answer {
                Some(Ok(Reply::Gone(reaped))) => {
                    Says::Part(Reply::Gone(self.of_part(reaped, part)))
                }
                Some(Ok(Reply::Restored(restored))) => Says::Part(Reply::Restored(Restored {
                    requeued: self.tasks_of_part(&restored.requeued, part),
                    ..*restored
                })),
                _ => entry.says,
            };
            self.put(part, entry);
        }
    }

    fn of_part(&self, reaped: &Reaped, part: usize) -> Reaped {
        Reaped {
            requeued: self.tasks_of_part(&reaped.requeued, part),
            ended: self.tasks_of_part(&reaped.ended, part),
            skipped: Vec::new(),
        }
    }

    fn tasks_of_part(&self, tasks: &[TaskId], part: usize) -> Vec<TaskId> {
        let tasks = tasks
            .iter()
            .filter(|task| self.part(Name::Task(task.as_str())) == part);
        tasks.cloned().collect()
    }

    /// Each conversation sees what was done in it. That nothing was done tells something only if there was room for more.
    fn take_shared(&mut self, index: usize, operation: &Operation<'t>, again: bool) {
        let limit = match &operation.call.op {
            Op::Claim { limit, .. } | Op::ClaimSend { limit, .. } | Op::List { limit, .. } => {
                *limit
            }
            // Numbers about all together.
            _ => return,
        };
        match operation.answer {
            None | Some(Err(Error::Unknown { .. })) => self.take_untold(index, operation, limit),
            Some(Err(Error::OpIdReused { .. })) => {}
            Some(Err(_)) => self.put(self.registry(), whole(index, operation)),
            Some(Ok(reply)) => self.take_told(index, operation, reply, limit, again),
        }
    }

    fn take_told(
        &mut self,
        index: usize,
        operation: &Operation<'t>,
        reply: &Reply,
        limit: u32,
        again: bool,
    ) {
        let total = sessions_in(reply).len();
        // An answer that was kept says nothing about the moment at which it was repeated.
        let complete = total < limit as usize && (total == 0 || !again);
        let named = |session: &&SessionId| self.part(Name::Session(session.as_str()));
        let named: BTreeSet<usize> = sessions_in(reply).iter().map(named).collect();
        let is_page = matches!(reply, Reply::Listed(_));
        let concerned = match complete || is_page {
            true => (0..self.parts.len()).collect(),
            false => named,
        };
        for part in concerned {
            let share = only(reply, |session| {
                self.part(Name::Session(session.as_str())) == part
            });
            let count = sessions_in(&share).len();
            let mut entry = whole(index, operation);
            if is_page {
                let upto = sessions_in(reply)
                    .last()
                    .filter(|_| !complete)
                    .map(|last| (*last).clone());
                entry.variants[0].does = limited(&operation.call.op, MOST);
                entry.says = Says::Page(share, upto);
            } else {
                if !complete {
                    entry.variants[0].does = limited(&operation.call.op, count as u32);
                }
                entry.says = Says::Part(share);
            }
            self.put(part, entry);
        }
    }

    /// Nobody knows how many of the limit fell to whom.
    fn take_untold(&mut self, index: usize, operation: &Operation<'t>, limit: u32) {
        for part in 0..self.sessions.len() {
            let most = self.sessions[part].len().min(limit as usize) as u32;
            if most == 0 {
                continue;
            }
            let mut entry = whole(index, operation);
            let at_ms = entry.variants[0].at_ms;
            let within = |count| Variant {
                at_ms,
                does: limited(&operation.call.op, count),
            };
            entry.variants = (1..=most).map(within).collect();
            let wrote = self.wrote_in(operation, part);
            entry.likely = wrote.is_some();
            entry.moment = wrote.unwrap_or_else(|| Moment::reading(operation.readings.last()));
            self.put(part, entry);
        }
    }

    fn wrote_in(&self, operation: &Operation<'t>, part: usize) -> Option<Moment> {
        let mut sessions = self.sessions[part].iter();
        sessions.find_map(|session| operation.wrote(session.as_str()))
    }
}

fn sessions_in(reply: &Reply) -> Vec<&SessionId> {
    match reply {
        Reply::Claimed(claimed) => claimed.iter().map(|one| &one.session).collect(),
        Reply::Sending(sending) => sending.iter().map(|one| &one.session).collect(),
        Reply::Listed(listed) => listed.iter().map(|one| &one.session).collect(),
        _ => Vec::new(),
    }
}

/// A reply without the sessions that are not wanted.
fn only(reply: &Reply, wanted: impl Fn(&SessionId) -> bool) -> Reply {
    let mut reply = reply.clone();
    match &mut reply {
        Reply::Claimed(claimed) => claimed.retain(|one| wanted(&one.session)),
        Reply::Sending(sending) => sending.retain(|one| wanted(&one.session)),
        Reply::Listed(listed) => listed.retain(|one| wanted(&one.session)),
        _ => {}
    }
    reply
}

fn limited<'t>(op: &Op, most: u32) -> Does<'t> {
    let mut op = op.clone();
    if let Op::Claim { limit, .. } | Op::ClaimSend { limit, .. } | Op::List { limit, .. } = &mut op
    {
        *limit = most;
    }
    Does::Limited(Box::new(op))
}

/// The highest limit of a list.
const MOST: u32 = 1_000;
