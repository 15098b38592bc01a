//! What a world of flows keeps beside the database, for the state of the run.

use super::volatile::Volatile;
use super::{FlowWorld, Shared};
use crate::fold::Fold;
use crate::run::Remembered;
use crate::scenario::RuleKind;

impl Shared {
    pub(super) fn fold(&self, fold: &mut Fold) {
        for process in self.processes.borrow().iter().flatten() {
            let memory = process.memory.borrow().clone();
            let memory = memory.and_then(|memory| memory.downcast::<Volatile>().ok());
            fold.option(memory, |fold, memory| memory.fold(fold));
        }
        self.locks.borrow().fold(fold);
        for ((resource, key), used) in self.resources.borrow().iter() {
            fold.number(*resource as u64);
            fold.text(key);
            used.fold(fold);
        }
        for ((effect, key), at_ms) in self.seen.borrow().iter() {
            fold.text(effect);
            fold.text(key);
            fold.number(*at_ms);
        }
        self.fold_events(fold);
    }

    fn fold_events(&self, fold: &mut Fold) {
        self.ended.iter().for_each(|ended| fold.flag(ended.get()));
        for answer in self.answers.borrow().iter() {
            fold.option(answer.as_ref(), |fold, answer| fold.text(answer));
        }
        for (name, queue) in self.queues.borrow().iter() {
            fold.text(name);
            fold.number(queue.len() as u64);
            for (event, nth) in queue {
                fold.number(*event as u64);
                fold.number(u64::from(*nth));
            }
        }
        self.turns
            .iter()
            .for_each(|turn| fold.number(turn.get() as u64));
        for ((kind, connection), instance) in self.connected.borrow().iter() {
            fold.number(*kind as u64);
            fold.number(u64::from(*connection));
            fold.number(*instance as u64);
        }
    }
}

impl FlowWorld {
    /// What of the history the invariants look at. What is judged on a snapshot sees none of it.
    pub(super) fn history(&self) -> Remembered {
        let rules = self.program.invariants.iter();
        let judged =
            rules.filter(|rule| matches!(rule.kind, RuleKind::History | RuleKind::Finally));
        let mut remembered = Remembered::default();
        for rule in judged {
            let sql = rule.sql.to_lowercase();
            let mut words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.by_ref().for_each(|word| match word {
                "effect" => remembered.effects = true,
                "change" => remembered.changes = true,
                "event" => remembered.events = true,
                _ => {}
            });
        }
        remembered
    }
}
