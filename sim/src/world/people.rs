//! The people and their chats: who they are, what they were shown, what they know.

use lockstep_store::ConvKey;

/// A person with one chat.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    /// Whose bot they talk to.
    pub(crate) tenant: &'static str,
}

/// The bots of the two tenants have the same account, their chats have the same id, and their platforms number events
/// alike: nothing but the tenant tells them apart.
pub(crate) const USERS: [Person; 2] = [
    Person {
        name: "alice",
        tenant: "acme",
    },
    Person {
        name: "bob",
        tenant: "globex",
    },
];

impl Person {
    /// The key of the chat.
    pub(crate) fn key(&self) -> ConvKey {
        ConvKey::chat(self.tenant, "telegram", "bot", "7")
    }
}

/// What a user writes, and so what the bot is to make of it. Part of the message: each delivery of it says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Something to be done.
    Work,
    /// Something that needs a question to be answered first.
    Question,
    /// Something that the provider refuses, however often it is asked.
    Impossible,
    /// A text that no database takes.
    Garbage,
    /// A keep-alive of the client: it asks for nothing.
    Ping,
    /// Something to be done at once, whatever was asked before.
    Interrupt,
    /// An answer in words instead of a button.
    Fallback,
}

impl Wish {
    /// The text of a message that is known as `event`: what the store keeps as the task's input.
    pub(crate) fn text(self, event: &str) -> String {
        match self {
            Self::Question => format!("{event} ?"),
            Self::Impossible => format!("{event} !"),
            Self::Garbage => format!("{event} \0"),
            _ => event.to_owned(),
        }
    }

    /// What the text of a message asks for.
    pub(crate) fn of(text: &str) -> Self {
        if text.ends_with(" ?") {
            Self::Question
        } else if text.ends_with(" !") {
            Self::Impossible
        } else {
            Self::Work
        }
    }
}

/// The event that a text was sent as.
pub(crate) fn event_of(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Whose event it is, by its name: an index into [`USERS`].
pub(crate) fn author_of(event: &str) -> Option<usize> {
    let name = event.split('.').next()?;
    USERS.iter().position(|person| person.name == name)
}

/// A message of the bot, as it stands in a chat.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Position in the trace, when it was handed over.
    pub(crate) given: u64,
    /// Which message of the outbox it is: session and number.
    pub(crate) of: (String, i64),
    /// The attempt that showed it was marked as a possible repeat.
    pub(crate) repeat: bool,
    /// What it says.
    pub(crate) body: String,
}

/// An edit of a tab that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    /// Position in the trace.
    pub(crate) n: u64,
    pub(crate) session: String,
    pub(crate) edit: String,
}

/// What a user knows from the last acknowledged message.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) task: String,
    pub(crate) session: String,
}
