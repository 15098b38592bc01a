//! The catalogue of SQL statements: each is a file of its own, named here once.

use crate::conformance::Pause;
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
    BuildDrain "build_drain",
    BuildGet "build_get",
    BuildLeased "build_leased",
    BuildPromote "build_promote",
    BuildPut "build_put",
    BuildRetire "build_retire",
    ClaimReady "claim_ready",
    ClaimSession "claim_session",
    ClaimTask "claim_task",
    ClockMark "clock_mark",
    ConvFind "conv_find",
    ConvKeyMove "conv_key_move",
    ConvKeyPut "conv_key_put",
    ConvPut "conv_put",
    DataBegin "data_begin",
    DataGet "data_get",
    DataReplace "data_replace",
    EdgeGet "edge_get",
    EdgePut "edge_put",
    ExplainAtWork "explain_at_work",
    ExplainHead "explain_head",
    ExplainSends "explain_sends",
    ExplainSession "explain_session",
    HistoryItems "history_items",
    HistoryNotes "history_notes",
    InboxPut "inbox_put",
    InboxSeen "inbox_seen",
    ItemAppend "item_append",
    ItemOfTurn "item_of_turn",
    LeaseDrop "lease_drop",
    LeaseExpired "lease_expired",
    LeasePut "lease_put",
    LeaseRelease "lease_release",
    LeaseRenew "lease_renew",
    ListSessions "list_sessions",
    ListSessionsOfConv "list_sessions_of_conv",
    MarkGet "mark_get",
    MarkMove "mark_move",
    MarkPut "mark_put",
    MarkRaise "mark_raise",
    MetaGet "meta_get",
    MetaRaise "meta_raise",
    NotePut "note_put",
    OpResultGet "op_result_get",
    OpResultPut "op_result_put",
    PromptByToken "prompt_by_token",
    PromptEnd "prompt_end",
    PromptGet "prompt_get",
    PromptOfChat "prompt_of_chat",
    PromptOfTask "prompt_of_task",
    PromptOptionPut "prompt_option_put",
    PromptPut "prompt_put",
    PromptsExpired "prompts_expired",
    PromptsRevoke "prompts_revoke",
    PromptsRevokeTask "prompts_revoke_task",
    PruneAudit "prune_audit",
    PruneGen "prune_gen",
    PruneInbox "prune_inbox",
    PruneItem "prune_item",
    PruneList "prune_list",
    PruneNote "prune_note",
    PruneOpResults "prune_op_results",
    PruneOption "prune_option",
    PruneOutbox "prune_outbox",
    PrunePrompt "prune_prompt",
    PruneSession "prune_session",
    PruneSessionData "prune_session_data",
    PruneTask "prune_task",
    RestoreData "restore_data",
    RestoreLeases "restore_leases",
    RestoreNumbers "restore_numbers",
    RestoreOutbox "restore_outbox",
    RestoreSessions "restore_sessions",
    RestoreTasks "restore_tasks",
    SendAgain "send_again",
    SendClaim "send_claim",
    SendFacts "send_facts",
    SendLapse "send_lapse",
    SendNext "send_next",
    SendOfTurn "send_of_turn",
    SendResolve "send_resolve",
    SendSettle "send_settle",
    SendUnknown "send_unknown",
    SendsLapsed "sends_lapsed",
    SendsReady "sends_ready",
    SessionActive "session_active",
    SessionClose "session_close",
    SessionExpire "session_expire",
    SessionFacts "session_facts",
    SessionMigrate "session_migrate",
    SessionNext "session_next",
    SessionOpen "session_open",
    SessionPoint "session_point",
    SessionQueue "session_queue",
    SessionReady "session_ready",
    SessionResume "session_resume",
    SessionTouch "session_touch",
    SessionTurnOver "session_turn_over",
    SessionUnpoint "session_unpoint",
    SessionWake "session_wake",
    SessionsExpired "sessions_expired",
    ShowSession "show_session",
    ShowTasks "show_tasks",
    StatsCounts "stats_counts",
    StatsReady "stats_ready",
    StatsSends "stats_sends",
    StatsWorkers "stats_workers",
    TaskAgain "task_again",
    TaskAskCancel "task_ask_cancel",
    TaskCancel "task_cancel",
    TaskFacts "task_facts",
    TaskFail "task_fail",
    TaskFinish "task_finish",
    TaskHome "task_home",
    TaskPut "task_put",
    TaskPutBack "task_put_back",
    TaskReap "task_reap",
    TaskResume "task_resume",
    TaskWait "task_wait",
    TasksCancel "tasks_cancel",
    TasksCancelHeld "tasks_cancel_held",
    TasksMove "tasks_move",
    WorkerDrain "worker_drain",
    WorkerGet "worker_get",
    WorkerGone "worker_gone",
    WorkerLeases "worker_leases",
    WorkerPut "worker_put",
    WorkerSeen "worker_seen",
}

/// The statements that a store runs, and what happens between them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Statements {
    texts: Arc<Vec<Arc<str>>>,
    pause: Pause,
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
            pause: Pause::default(),
        }
    }

    /// These statements with a hook before each: see [`crate::conformance`].
    pub fn pausing(self, pause: Pause) -> Self {
        Self { pause, ..self }
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
            pause: self.pause.clone(),
        })
    }

    /// The text of a statement that is about to run.
    pub(crate) fn get(&self, id: Sql) -> &str {
        self.pause.point();
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
