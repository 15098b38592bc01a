//! What a process loses when it dies: variables of memory, and tasks that have not begun.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rusqlite::types::Value;

use crate::fold::Fold;
use crate::run::Ctx;
use crate::scenario::Program;

/// Values of the names of memory, in slots.
pub(super) type Memory = Rc<RefCell<Vec<Value>>>;

/// Volatile memory of one incarnation of a process.
#[derive(Default)]
pub(super) struct Volatile {
    /// By connection if the program says so, else under 0.
    memories: RefCell<BTreeMap<u32, Memory>>,
    /// Named tasks that have not begun, with the ticket of the last one.
    tasks: RefCell<BTreeMap<String, u64>>,
    tickets: RefCell<u64>,
}

impl Volatile {
    /// Its variables, and what is still to begin.
    pub(super) fn fold(&self, fold: &mut Fold) {
        for (connection, memory) in self.memories.borrow().iter() {
            fold.number(u64::from(*connection));
            memory.borrow().iter().for_each(|value| fold.value(value));
        }
        for (name, ticket) in self.tasks.borrow().iter() {
            fold.text(name);
            fold.number(*ticket);
        }
        fold.number(*self.tickets.borrow());
    }

    /// A task of this name takes the place of one that has not begun.
    pub(super) fn arm(&self, name: &str) -> u64 {
        let mut tickets = self.tickets.borrow_mut();
        *tickets += 1;
        self.tasks.borrow_mut().insert(name.to_owned(), *tickets);
        *tickets
    }

    /// Whether the task with this ticket may begin: nobody has cancelled or replaced it.
    pub(super) fn begin(&self, name: &str, ticket: u64) -> bool {
        let mut tasks = self.tasks.borrow_mut();
        let begins = tasks.get(name) == Some(&ticket);
        if begins {
            tasks.remove(name);
        }
        begins
    }

    pub(super) fn disarm(&self, name: &str) {
        self.tasks.borrow_mut().remove(name);
    }
}

/// The volatile memory of this actor's process, made anew by each incarnation.
pub(super) fn volatile(ctx: &Ctx) -> Rc<Volatile> {
    let held = ctx.process().memory.borrow().clone();
    if let Some(known) = held.and_then(|memory| memory.downcast::<Volatile>().ok()) {
        return known;
    }
    let fresh: Rc<Volatile> = Rc::default();
    *ctx.process().memory.borrow_mut() = Some(Rc::clone(&fresh) as Rc<dyn std::any::Any>);
    fresh
}

/// The variables of memory that this actor sees: those of its process, or of one of its connections.
pub(super) fn memory(ctx: &Ctx, program: &Program, connection: Option<u32>) -> Memory {
    let spec = &program.processes[ctx.process().kind_index];
    let key = if spec.memory_per_connection {
        connection.unwrap_or(1)
    } else {
        0
    };
    let first = || {
        let values = spec.memory.iter().map(|(_, value)| value.clone());
        Rc::new(RefCell::new(values.collect()))
    };
    let volatile = volatile(ctx);
    let mut memories = volatile.memories.borrow_mut();
    Rc::clone(memories.entry(key).or_insert_with(first))
}
