//! The names of things. Ids come in with the operation and are never made by the store, so a call can be repeated and a
//! simulated run can be replayed byte for byte.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id with this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid.to_string())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// One generation of a conversation: the unit that is leased, resumed and closed.
    SessionId
    /// One piece of accepted work.
    TaskId
    /// One question with its buttons.
    PromptId
    /// One attempt of a caller to change something; repeated unchanged when the answer was lost.
    OpId
    /// One start of a worker process. Never used again after that process has ended.
    WorkerId
    /// One released build of a runtime.
    BuildId
    /// One conversation with a chat, over all its sessions.
    ConvId
    /// Who may resume whose token: a runtime together with the format of its state.
    ResumeClass
}

/// The number of a lease inside its session. A later lease has a higher one; what carries a lower one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub i64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
