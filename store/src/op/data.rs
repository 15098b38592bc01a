//! What operations take: keys, events, ends of turns, policies.

use crate::id::{BuildId, ConvId, Fence, PromptId, ResumeClass, SessionId, TaskId};
use serde::{Deserialize, Serialize};

/// The structured key of a chat. Empty texts stand for parts that a platform does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConvKey {
    /// Whose bot it is.
    pub tenant: String,
    /// The platform.
    pub channel: String,
    /// The bot's account on the platform.
    pub account: String,
    /// The chat.
    pub chat: String,
    /// The thread or topic inside the chat.
    pub thread: String,
    /// The person, where each has a session of their own.
    pub participant: String,
}

impl ConvKey {
    /// The key of a whole chat, without thread and participant.
    pub fn chat(tenant: &str, channel: &str, account: &str, chat: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            channel: channel.to_owned(),
            account: account.to_owned(),
            chat: chat.to_owned(),
            thread: String::new(),
            participant: String::new(),
        }
    }
}

/// Ids and runtime for a session, used only if one has to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewSession {
    /// The conversation, if the key is new.
    pub conv: ConvId,
    /// The session.
    pub session: SessionId,
    /// The runtime whose current build it is bound to.
    pub runtime: String,
    /// After how long without work the session may be closed by [`crate::Store::sweep`]; never if `None`.
    #[serde(default)]
    pub idle_ms: Option<i64>,
}

/// What `open_or_get` does when the conversation has an active session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenPolicy {
    /// Answer with it.
    Adopt,
    /// Refuse.
    Fail,
    /// Close it (never under a lease) and open the next generation.
    Replace,
}

/// An event from a platform, to become work exactly once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Accept {
    /// The chat it came from.
    pub key: ConvKey,
    /// The platform's id of the event, the same in each redelivery.
    pub ext_id: String,
    /// The kind of task.
    pub kind: String,
    /// The task's input. Another body under the same `ext_id` is reported, not executed.
    pub body: String,
    /// The task's id, if the event is new.
    pub task: TaskId,
    /// After how many failed or expired attempts the task is dead.
    pub max_failures: u32,
    /// What to open if the chat has no active session.
    pub new: NewSession,
    /// What to do if the session waits for an answer.
    #[serde(default)]
    pub when_waiting: WhenWaiting,
}

/// What an event does to a session whose task waits for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenWaiting {
    /// It is queued behind the question.
    #[default]
    Queue,
    /// It answers the question if that may be answered by text; otherwise it is queued.
    Answer,
    /// It revokes the question; the task that asked goes on first, then this one.
    Interrupt,
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Item {
    /// Its kind: message, tool call, …
    pub kind: String,
    /// Its contents.
    pub body: String,
}

/// One message to be sent, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Send {
    /// Unique in the session: the provider's idempotency key is made of it.
    pub dedup_key: String,
    /// What to send.
    pub body: String,
    /// Which sender it is for: a platform's account, for example. A [`crate::Store::claim_send`] takes one route.
    #[serde(default)]
    pub route: String,
}

/// One button.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Choice {
    /// What the platform gives back when it is pressed: 8 to 64 characters, never used again.
    pub token: String,
    /// What it says.
    pub label: String,
}

/// A question that ends a turn; its task waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// The task that asks.
    pub task: TaskId,
    /// The fence it was claimed with.
    pub fence: Fence,
    /// The id of the question.
    pub prompt: PromptId,
    /// The buttons, numbered from 1. May be empty if a text may answer.
    pub choices: Vec<Choice>,
    /// Whether the next text in the chat may answer, see [`WhenWaiting::Answer`].
    pub text_ok: bool,
    /// After how long the question expires.
    pub expires_in_ms: i64,
    /// History to append.
    #[serde(default)]
    pub items: Vec<Item>,
    /// Messages for the outbox: the question itself.
    #[serde(default)]
    pub sends: Vec<Send>,
    /// The native token, if the turn made or rotated one.
    #[serde(default)]
    pub resume_token: Option<String>,
}

/// A button that was pressed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answer {
    /// The chat it was pressed in: a token that was copied to another chat answers nothing.
    pub key: ConvKey,
    /// The platform's id of the event, the same in each redelivery.
    pub ext_id: String,
    /// The button's token.
    pub token: String,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// It may succeed later: a rate limit, a refused connection.
    Again {
        /// How long it rests first. It holds back the session's later messages while it rests.
        delay_ms: i64,
    },
    /// It never will: the chat is gone.
    Drop,
}

/// What is found out, or decided, about a message that may have been sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolve {
    /// It was sent.
    Sent {
        /// The provider's id of it.
        provider_id: String,
    },
    /// It goes out again, marked as a possible repeat.
    Resend,
    /// Better never than twice.
    Drop,
}

/// A token of the old class made into one of the new, by the converter that the edge names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Converted {
    /// The converter.
    pub converter: String,
    /// The new token.
    pub token: String,
    /// Where it lives.
    pub home: String,
}

/// Which sessions to list. What is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    /// Active or closed.
    #[serde(default)]
    pub active: Option<bool>,
    /// Bound to this class.
    #[serde(default)]
    pub class: Option<ResumeClass>,
    /// Of this conversation.
    #[serde(default)]
    pub conv: Option<ConvId>,
}

/// Everything a finished turn leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Complete {
    /// The task.
    pub task: TaskId,
    /// The fence it was claimed with.
    pub fence: Fence,
    /// Its outcome.
    pub outcome: String,
    /// History to append.
    pub items: Vec<Item>,
    /// Messages for the outbox.
    pub sends: Vec<Send>,
    /// The native token, if the turn made or rotated one.
    pub resume_token: Option<String>,
}

/// What happens to a task whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It has failed for good.
    Never,
    /// It is queued again at its old place, or dead when its failures are used up.
    After {
        /// How long it rests first. It holds back the session's queue while it rests.
        delay_ms: i64,
    },
}

/// Who cancels a task, and how firmly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelHow {
    /// At once if it does not run; otherwise its worker is told at the next renewal.
    Ask,
    /// At once; a worker that runs it is fenced.
    Force,
    /// By the worker that runs it.
    Own {
        /// The fence it was claimed with.
        fence: Fence,
    },
}

/// What becomes of a closed session's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueFate {
    /// Cancelled with the session.
    Cancel,
    /// Queued in the next generation, in the same order. What runs or waits is cancelled all the same.
    Move,
}

/// Close a session and open the next generation, in one commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reset {
    /// The session to close.
    pub session: SessionId,
    /// The id of the next one.
    pub next: SessionId,
    /// The build of the next one; the same as before if `None`.
    pub build: Option<BuildId>,
    /// Why.
    pub reason: String,
    /// What becomes of the queue.
    pub queued: QueueFate,
    /// Take the session from a worker that holds it.
    pub force: bool,
}

/// How a token passes along a resume edge.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Converter {
    /// It does not: the session goes on without one.
    DropToken,
    /// It does not; the first worker of the new class tells its native session the history.
    ReplayItems,
    /// The application makes a new one of it, see [`Converted`]. The name is not one of the others.
    Named(String),
}

impl Converter {
    /// The name in the schema.
    pub fn name(&self) -> &str {
        match self {
            Self::DropToken => "drop-token",
            Self::ReplayItems => "replay-items",
            Self::Named(name) => name,
        }
    }
}
