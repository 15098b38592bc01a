//! Defects: what makes this world wrong on purpose. Saboteurs and planted bugs are made of them.
//!
//! A defect edits statements of the store, or gives a role a bad habit (a [`Quirk`]); it may drop a trigger or an index that
//! would mask it, and it never writes a row itself.

use lockstep_store::{Error, Statements};

/// One defect.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// Its name in reports.
    pub name: &'static str,
    /// What it changes in the store's statements.
    pub edits: &'static [Edit],
    /// The constraints that would mask it, as SQL that drops them.
    pub drops: &'static str,
    /// The bad habits of roles.
    pub quirks: &'static [Quirk],
}

/// Statement, what stands in it, what stands there instead.
pub type Edit = (&'static str, &'static str, &'static str);

/// A bad habit of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// The API answers before it has asked the store.
    AnswersEarly,
    /// The API knows an event by its delivery.
    KnowsDeliveries,
    /// The API marks an event in its own memory before it asks the store, and takes the next delivery for a repeat.
    MarksInMemory,
    /// The API tells the platform that all is well when the store has failed.
    CallsErrorsDone,
    /// The API tells the platform that a press is done when the store has failed.
    CallsPressesDone,
    /// An API process with the wrong file sets up there what it misses.
    SetsUpWhatIsMissing,
    /// The API takes a keep-alive for a message.
    PingsAreMessages,
    /// The API takes an error for absence, and opens a session of its own.
    ErrorMeansAbsent,
    /// The API looks a button up by its position, in the newest list.
    PressesByPosition,
    /// The API answers a conflict by writing what it has over what is there.
    OverwritesState,
    /// The API serves a cached state whatever the tab was shown before.
    ServesStaleCache,
    /// The API serves an empty state when it cannot read the one that there is.
    ErrorMeansEmpty,
    /// The API says that an edit is saved without looking whether it is.
    SaysSavedAlways,
    /// A worker process goes by the same id, and counts from one, each time it starts.
    SameWorkerAfterRestart,
    /// A worker goes on with its old build whatever is deployed.
    StaysOnItsBuild,
    /// A worker keeps the first token of a session although the provider has given it another.
    KeepsFirstToken,
    /// A worker takes any error of the provider's for the loss of the native session.
    AnyFailureDropsTheToken,
    /// A worker's idempotency key is that of its attempt.
    KeysByAttempt,
    /// A worker takes a provider's error for an answer.
    CompletesFailures,
    /// A worker records what it used once for each attempt.
    CountsTwice,
    /// A worker takes a locked native session for a failure of the task's.
    BusyIsAFailure,
    /// A worker goes on with the token of its last turn where a session has none.
    LeaksToken,
    /// A worker ends a turn that was begun before without telling its user.
    TellsNobody,
    /// A worker takes the message itself for the answer to the question about it.
    AnswersItself,
    /// A worker replies to the chat that it served first.
    RepliesToFirstChat,
    /// The sender takes silence for success.
    SilenceMeansSent,
    /// The sender asks again at once when nobody answers, as if nothing could have happened.
    ResendsUnmarked,
    /// The sender takes silence for a message that was not sent.
    UnknownIsNotSent,
    /// The sender reports a message as sent and sends it when it has time.
    SendsLater,
    /// Nobody looks into messages that may have been sent.
    ForgetsUnknown,
    /// The sweeper forgets within a minute what is over.
    PrunesTooSoon,
    /// The operator puts a backup back and tells nobody.
    RestoresInSilence,
    /// The sweeper repairs queues that nobody would find, by hand.
    RepairsQueues,
}

impl Defect {
    /// A defect of the store's statements alone.
    pub const fn of_statements(
        name: &'static str,
        edits: &'static [Edit],
        drops: &'static str,
    ) -> Self {
        Self {
            name,
            edits,
            drops,
            quirks: &[],
        }
    }

    /// A defect of roles alone.
    pub const fn of_roles(name: &'static str, quirks: &'static [Quirk]) -> Self {
        Self {
            name,
            edits: &[],
            drops: "",
            quirks,
        }
    }

    /// The store's statements with the defect in them. Fails when the defect no longer applies.
    pub(super) fn statements(&self) -> Result<Statements, Error> {
        let edit =
            |statements: Statements, (name, from, to): &Edit| statements.replace(name, from, to);
        self.edits.iter().try_fold(Statements::reference(), edit)
    }
}
