//! What stands in a message of the bot: whom it is for, and what it says. The store keeps it as it is.

use super::people::USERS;

/// A message of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Index into [`USERS`].
    pub(crate) to: usize,
    pub(crate) text: String,
}

impl Letter {
    /// As it is handed to the outbox.
    pub(crate) fn write(&self) -> String {
        format!("to {}: {}", USERS[self.to].name, self.text)
    }

    /// Reads what was written.
    pub(crate) fn read(body: &str) -> Option<Self> {
        let (name, text) = body.strip_prefix("to ")?.split_once(": ")?;
        Some(Self {
            to: USERS.iter().position(|person| person.name == name)?,
            text: text.to_owned(),
        })
    }
}

/// A question with two buttons, as it stands in a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) prompt: String,
}

impl Question {
    /// As it is written into a letter.
    pub(crate) fn write(&self) -> String {
        format!("question {}", self.prompt)
    }

    /// Reads a letter's text; `None` when it asks nothing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let prompt = text.strip_prefix("question ")?.to_owned();
        Some(Self { prompt })
    }

    /// What the platform gives back when a button is pressed. Buttons are numbered from 1.
    pub(crate) fn token(&self, button: usize) -> String {
        format!("{}/{button}", self.prompt)
    }

    /// The question and the button that a token belongs to.
    pub(crate) fn of_token(token: &str) -> Option<(Self, i64)> {
        let (prompt, button) = token.rsplit_once('/')?;
        let prompt = prompt.to_owned();
        Some((Self { prompt }, button.parse().ok()?))
    }
}
