//! An operation as one conversation sees it, and what its answer says there.

use lockstep_store::model::Step;
use lockstep_store::{Call, Error, Op, Reply, SessionId};

use super::{Answer, Moment, Operation};

/// An operation as one conversation sees it, or one step of it.
pub(super) struct Entry<'t> {
    /// Index in the history.
    pub(super) operation: usize,
    pub(super) call: &'t Call,
    /// Its op_id is used more than once.
    pub(super) repeated: bool,
    pub(super) from: u64,
    pub(super) to: u64,
    /// It took effect for certain; otherwise it may never have.
    pub(super) must: bool,
    /// Whether it seems to have taken effect, and when: where to search first.
    pub(super) likely: bool,
    pub(super) moment: Moment,
    /// What it may have done; one of these.
    pub(super) variants: Vec<Variant<'t>>,
    pub(super) says: Says<'t>,
}

/// What an entry does, and at what time by its own clock.
pub(super) struct Variant<'t> {
    pub(super) at_ms: i64,
    pub(super) does: Does<'t>,
}

pub(super) enum Does<'t> {
    /// What was called for.
    Call(&'t Op),
    /// The same within a limit of its own.
    Limited(Box<Op>),
    /// One transaction of it.
    Step(Step),
}

/// What an answer says about one conversation.
pub(super) enum Says<'t> {
    /// Nobody got it.
    Nothing,
    /// All that the model says.
    Exactly(&'t Answer),
    /// The part about this conversation.
    Part(Reply),
    /// A page of a list: what stands in it up to this session.
    Page(Reply, Option<SessionId>),
    /// A number that others have a share in.
    AtMost(u64),
}

impl Says<'_> {
    /// Whether the model's answer agrees.
    pub(super) fn agrees(&self, model: &Answer) -> bool {
        match (self, model) {
            (Says::Nothing, Ok(reply)) => !is_nothing(reply),
            (Says::Exactly(answer), model) => *answer == model,
            (Says::Part(Reply::Restored(said)), Ok(Reply::Restored(is))) => {
                said.requeued == is.requeued
            }
            (Says::Part(said), Ok(is)) => said == is,
            (Says::Page(Reply::Listed(said), upto), Ok(Reply::Listed(is))) => {
                let on_page = is
                    .iter()
                    .filter(|one| upto.as_ref().is_none_or(|upto| one.session <= *upto));
                on_page.eq(said)
            }
            (Says::AtMost(count), Ok(Reply::Pruned(is))) => is.op_results.max(is.inbox) <= *count,
            _ => false,
        }
    }
}

/// Replies of operations that found nothing to do: they may as well not have been.
pub(super) fn is_nothing(reply: &Reply) -> bool {
    match reply {
        Reply::Claimed(claimed) => claimed.is_empty(),
        Reply::Sending(sending) => sending.is_empty(),
        Reply::Reaped(reaped) => reaped.requeued.is_empty() && reaped.ended.is_empty(),
        Reply::Swept(swept) => {
            swept.expired.is_empty() && swept.unknown.is_empty() && swept.closed.is_empty()
        }
        _ => false,
    }
}

/// The whole operation, as whoever has a view of all sees it.
pub(super) fn whole<'t>(index: usize, operation: &Operation<'t>) -> Entry<'t> {
    let read = operation.readings.last();
    let last = operation.commits.last();
    let indefinite = operation.is_indefinite();
    Entry {
        operation: index,
        call: operation.call,
        repeated: false,
        from: operation.from,
        to: last_moment(operation),
        must: !indefinite,
        likely: !indefinite || !operation.commits.is_empty(),
        moment: last.map_or_else(|| Moment::reading(read), Moment::commit),
        variants: vec![Variant {
            at_ms: read.map_or(0, |reading| reading.at_ms),
            does: Does::Call(&operation.call.op),
        }],
        says: match operation.answer {
            Some(answer) if !indefinite => Says::Exactly(answer),
            _ => Says::Nothing,
        },
    }
}

/// Until when an operation can have taken effect. A commit of unknown outcome may still be recovered later.
pub(super) fn last_moment(operation: &Operation<'_>) -> u64 {
    match operation.answer {
        Some(Err(Error::Unknown { .. })) => u64::MAX,
        _ => operation.to.unwrap_or(u64::MAX),
    }
}
