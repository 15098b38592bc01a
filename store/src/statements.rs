//! The catalogue of SQL statements: each is a file of its own, named here once.

use crate::error::Error;
use std::sync::Arc;

macro_rules! catalogue {
    ($($id:ident $file:literal,)*) => {
        /// The names of the statements, for the operations.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Sql { $($id),* }

        const TEXTS: &[(&str, &str)] = &[
            $(($file, include_str!(concat!("../sql/", $file, ".sql")))),*
        ];
    };
}

catalogue! {
    AuditPut "audit_put",
    BuildDemote "build_demote",
    BuildGet "build_get",
    BuildPromote "build_promote",
    BuildPut "build_put",
    ClaimReady "claim_ready",
    ClaimSession "claim_session",
    ClaimTask "claim_task",
    ClockMark "clock_mark",
    ConvFind "conv_find",
    ConvKeyPut "conv_key_put",
    ConvPut "conv_put",
    EdgePut "edge_put",
    InboxPut "inbox_put",
    InboxSeen "inbox_seen",
    ItemAppend "item_append",
    ItemOfTurn "item_of_turn",
    LeaseDrop "lease_drop",
    LeaseExpired "lease_expired",
    LeasePut "lease_put",
    LeaseRelease "lease_release",
    LeaseRenew "lease_renew",
    OpResultGet "op_result_get",
    OpResultPut "op_result_put",
    PromptsRevoke "prompts_revoke",
    PromptsRevokeTask "prompts_revoke_task",
    SendOfTurn "send_of_turn",
    SessionActive "session_active",
    SessionClose "session_close",
    SessionFacts "session_facts",
    SessionMigrate "session_migrate",
    SessionNext "session_next",
    SessionOpen "session_open",
    SessionPoint "session_point",
    SessionReady "session_ready",
    SessionResume "session_resume",
    SessionTouch "session_touch",
    SessionTurnOver "session_turn_over",
    ShowSession "show_session",
    ShowTasks "show_tasks",
    TaskAskCancel "task_ask_cancel",
    TaskCancel "task_cancel",
    TaskFacts "task_facts",
    TaskFail "task_fail",
    TaskFinish "task_finish",
    TaskPut "task_put",
    TaskReap "task_reap",
    TasksCancel "tasks_cancel",
    TasksCancelHeld "tasks_cancel_held",
    TasksMove "tasks_move",
    WorkerGet "worker_get",
    WorkerPut "worker_put",
    WorkerSeen "worker_seen",
}

/// The statements that a store runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Statements {
    texts: Arc<Vec<Arc<str>>>,
}

impl Statements {
    /// The statements as released.
    pub fn reference() -> Self {
        Self {
            texts: Arc::new(
                TEXTS
                    .iter()
                    .map(|(_, text)| Arc::from(without_comments(text)))
                    .collect(),
            ),
        }
    }

    /// The names of all statements, sorted; each is a file `store/sql/<name>.sql`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TEXTS.iter().map(|(name, _)| *name)
    }

    /// The text of a statement, without comments; `None` for an unknown name.
    pub fn text(&self, name: &str) -> Option<&str> {
        position(name).map(|at| self.texts[at].as_ref())
    }

    /// These statements with one change: every `from` in the statement `name` becomes `to`.
    ///
    /// For tests that must see a defect found: a store with a missing guard is the reference store with one edit. Fails
    /// with [`Error::Invalid`] if there is no such statement, or if `from` does not stand in it, so that a defect that no
    /// longer applies is noticed.
    pub fn replace(&self, name: &str, from: &str, to: &str) -> Result<Self, Error> {
        let at = position(name).ok_or_else(|| invalid(name, "no such statement"))?;
        if !self.texts[at].contains(from) {
            return Err(invalid(name, &format!("does not contain {from:?}")));
        }
        let mut texts = self.texts.as_ref().clone();
        texts[at] = Arc::from(texts[at].replace(from, to));
        Ok(Self {
            texts: Arc::new(texts),
        })
    }

    pub(crate) fn get(&self, id: Sql) -> &str {
        &self.texts[id as usize]
    }
}

fn position(name: &str) -> Option<usize> {
    TEXTS.iter().position(|(known, _)| *known == name)
}

fn invalid(name: &str, why: &str) -> Error {
    Error::Invalid {
        field: "statement",
        why: format!("{name}: {why}"),
    }
}

/// The statement cache is keyed by the text, so the text is kept short.
fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How many prepared statements a connection keeps: all of them, and those of `verify` and the transaction.
pub(crate) const CACHE: usize = TEXTS.len() + 64;
