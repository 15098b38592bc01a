//! Suggested repairs: what the folder's bugs need is found, and what is found withstands searches that it was not chosen by.

use std::rc::Rc;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report::{Style, SuggestReport, suggest_text};
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Expect, Program};
use lockstep_sim::search::{Plan, search};
use lockstep_sim::suggest::{Repair, Rows, Suggested, repaired, repairs, suggest};

use super::root;

/// Files, and what one of the answers for their first failing variant says. Where the folder has a fix of that kind, it is that.
const NEEDED: [(&str, &str); 24] = [
    ("000-b-ghost-task", "save: one transaction"),
    ("000-d-stale-save", "nobody but its holder frees it"),
    ("000-e-popped-not-started", "waits as long as it takes"),
    ("000-f-local-time-read-as-utc", "times are :now"),
    ("000-g-failed-then-completed", "AND status <> 'failed'"),
    (
        "000-i-recovery-eats-the-approval",
        "AND status <> 'diff_ready'",
    ),
    ("000-j-double-click", "click: a lock, on :chat"),
    ("000-k-redelivery", "CREATE UNIQUE INDEX ON task (input)"),
    ("000-n-rejection-clears-the-queue", "AND id IS :pending"),
    (
        "001-c-two-first-messages",
        "WHERE status = 'active'; a flow",
    ),
    ("001-d-loser-ends-the-winner", "inbound: a lock, on :user"),
    ("001-e-failed-call", "`resolve` (line 20) catches no error"),
    (
        "001-g-slow-click",
        "first INSERT INTO handled VALUES (:event)",
    ),
    ("003-b-topic-in-memory", "also `call update_state`"),
    ("003-c-state-without-history", "its writes together"),
    (
        "003-d-shadow-session",
        "`create` (line 17) catches no error",
    ),
    (
        "003-f-late-finally",
        "`leave` (line 23) also asks AND active = :memory.me",
    ),
    (
        "004-a-moved-agent",
        "turn_of_issue: `prior` (line 19) also asks AND runtime = :home",
    ),
    ("004-e-queued-before-move", "also asks AND runtime = :home"),
    (
        "004-g-lost-dispatch",
        "`claim` (line 19) also asks AND runtime = :home",
    ),
    ("after-double-charge", "CREATE UNIQUE INDEX ON charge (buy)"),
    (
        "field/agentscope-2226-read-before-lock",
        "AND msgs IS :msgs",
    ),
    (
        "field/novu-12119-delayed-for-ever",
        "delay: one transaction",
    ),
    ("field/tower-sessions-52-busy-snapshot", "BEGIN IMMEDIATE"),
];

/// The first variant of a file that is expected to fail, and what is suggested for it.
struct Asked {
    program: Program,
    repairs: Vec<Repair>,
    suggested: Suggested,
}

impl Asked {
    fn of(file: &str) -> Self {
        let scenario = scenario::load(&root().join(format!("scenarios/{file}.yaml")));
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let mut variants = scenario.variants.into_iter();
        let fails = variants.find(|variant| matches!(variant.expect, Expect::Violates(_)));
        let program = fails
            .unwrap_or_else(|| panic!("{file}: nothing fails"))
            .program;
        let repairs = repairs(&program);
        let suggested = suggest(&program, &repairs, &mut |_, _| {}, &mut || false);
        Self {
            suggested: suggested.unwrap_or_else(|why| panic!("{file}: {why}")),
            repairs,
            program,
        }
    }

    fn told(self) -> String {
        let report = SuggestReport {
            title: String::new(),
            program: self.program,
            repairs: self.repairs,
            suggested: self.suggested,
            victims: None,
        };
        suggest_text(&report, Style { colour: false })
    }
}

#[test]
fn what_is_needed_is_among_the_answers_and_every_answer_stands() {
    for (file, needed) in NEEDED {
        let asked = Asked::of(file);
        for stands in &asked.suggested.stand {
            let chosen: Vec<&Repair> = stands.repairs.iter().map(|n| &asked.repairs[*n]).collect();
            let program = repaired(&asked.program, &chosen).expect("it fits");
            assert_eq!(violated(&program), None, "{file}: {chosen:?}");
        }
        let told = asked.told();
        assert!(told.contains(needed), "{file}: {told}");
    }
}

/// What a search with another seed violates: an incomplete fix would not survive each of them.
fn violated(program: &Program) -> Option<String> {
    let mut stage = Stage::new(FlowWorld::new(Rc::new(program.clone()))).expect("the stage is set");
    let plan = Plan {
        seed: OTHER_SEED,
        runs: program.runs,
        expect: None,
    };
    let found = search(&mut stage, &plan, &mut || false).expect("a search");
    found.firsts.into_keys().next()
}

/// No answer was chosen by it.
const OTHER_SEED: u64 = 7;

/// A database in which users have two sessions each, and messages in both: the messages come first.
#[test]
fn rows_that_are_there_already_are_cured_without_losing_what_refers_to_them() {
    let asked = Asked::of("dirty/001-c-after-two-sessions");
    let rows: Vec<&Rows> = asked
        .suggested
        .stand
        .iter()
        .map(|stands| &stands.rows)
        .collect();
    assert_eq!(rows.len(), 3);
    for rows in rows {
        let Rows::Cured(statements) = rows else {
            panic!("{rows:?}");
        };
        let [move_messages, end_sessions] = &statements[..] else {
            panic!("{statements:?}");
        };
        assert!(
            move_messages.starts_with("UPDATE message SET session ="),
            "{move_messages}"
        );
        assert!(
            end_sessions.starts_with("DELETE FROM session"),
            "{end_sessions}"
        );
    }
}
