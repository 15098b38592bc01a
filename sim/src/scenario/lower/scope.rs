//! The variables that a flow sees, and what a walk over its steps finds out about it.

use super::super::names;
use super::super::program::{Builtin, Var};

/// Variables that the harness gives; they can be read and not assigned.
pub(super) const BUILTINS: [(&str, Builtin); 11] = [
    ("event", Builtin::Event),
    ("delivery", Builtin::Delivery),
    ("home", Builtin::Home),
    ("process", Builtin::Process),
    ("incarnation", Builtin::Incarnation),
    ("now", Builtin::Now),
    ("connection", Builtin::Connection),
    ("attempt", Builtin::Attempt),
    ("local", Builtin::Local),
    ("code", Builtin::Code),
    ("error", Builtin::Error),
];

/// The builtin of this name.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    let found = BUILTINS.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

/// One call of a flow, for the walk over the call graph.
pub(super) struct Call {
    pub(super) flow: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) in_transaction: bool,
}

/// One flow that a step sets going without waiting for it in the same task.
pub(super) struct Start {
    pub(super) flow: usize,
    /// The process that it is sent to; none for the same one.
    pub(super) process: Option<usize>,
}

/// One use of a name of memory.
pub(super) struct MemoryUse {
    pub(super) slot: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A text that a process cannot run whose database is this file.
pub(super) struct Unfit {
    pub(super) file: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// What SQLite says, or Lockstep.
    pub(super) message: String,
}

/// Variables of one flow, in the order in which they are first assigned.
pub(super) struct Scope<'w> {
    /// Parameters first.
    pub(super) locals: Vec<String>,
    /// All names of memory in the scenario.
    memory: &'w [String],
    pub(super) uses: Vec<MemoryUse>,
    pub(super) calls: Vec<Call>,
    pub(super) starts: Vec<Start>,
    pub(super) labels: Vec<String>,
    /// The step stands inside a `transaction`.
    pub(super) in_transaction: bool,
    /// The database file that texts are for; none is that of whatever process runs them.
    pub(super) db: Option<usize>,
    /// Texts that do not fit the file of some process.
    pub(super) unfit: Vec<Unfit>,
    /// A step that may have bound a variable is wrong: an unbound one is no news any more.
    pub(super) broken: bool,
    /// The flow opens transactions, by `transaction` or by an operation of the store.
    pub(super) opens: bool,
}

impl<'w> Scope<'w> {
    pub(super) fn new(params: &[String], memory: &'w [String]) -> Self {
        Self {
            locals: params.to_vec(),
            memory,
            uses: Vec::new(),
            calls: Vec::new(),
            starts: Vec::new(),
            labels: Vec::new(),
            in_transaction: false,
            db: None,
            unfit: Vec::new(),
            broken: false,
            opens: false,
        }
    }

    /// Where the variable `name` lives, if something has assigned it before.
    pub(super) fn find(&self, name: &str) -> Option<Var> {
        if let Some(name) = name.strip_prefix("memory.") {
            return self
                .memory
                .iter()
                .position(|known| known == name)
                .map(Var::Memory);
        }
        if let Some(slot) = self.locals.iter().position(|known| known == name) {
            return Some(Var::Local(slot));
        }
        builtin(name).map(Var::Builtin)
    }

    /// Notes that the text between these bytes uses memory.
    pub(super) fn used(&mut self, var: Var, start: usize, end: usize) {
        if let Var::Memory(slot) = var {
            self.uses.push(MemoryUse { slot, start, end });
        }
    }

    /// The variable `name` for an assignment, made if it is new; or why it cannot be assigned.
    pub(super) fn assign(&mut self, name: &str) -> Result<Var, (String, String)> {
        if let Some(memory) = name.strip_prefix("memory.") {
            let known: Vec<&str> = self.memory.iter().map(String::as_str).collect();
            let help = names::help(memory, "name of memory", &known);
            let help = format!("{help}; a process declares it as memory: {{ {memory}: null }}");
            return self
                .find(name)
                .ok_or((format!("no process has `{memory}` in its memory"), help));
        }
        if builtin(name).is_some() {
            let help = format!("`:{name}` is given by the harness; choose another name");
            return Err((format!("`{name}` cannot be assigned"), help));
        }
        if !names::is_name(name) || name.starts_with("memory_") {
            let help = "a variable is a letter, then letters, digits and _, and does not begin with memory_; \
                        name a column with AS";
            return Err((
                format!("`{name}` is no name for a variable"),
                help.to_owned(),
            ));
        }
        if let Some(slot) = self.locals.iter().position(|known| known == name) {
            return Ok(Var::Local(slot));
        }
        self.locals.push(name.to_owned());
        Ok(Var::Local(self.locals.len() - 1))
    }

    /// All names that a text may use here.
    pub(super) fn known(&self) -> Vec<String> {
        let memory = self.memory.iter().map(|name| format!("memory.{name}"));
        let builtins = BUILTINS.iter().map(|(name, _)| (*name).to_owned());
        self.locals
            .iter()
            .cloned()
            .chain(memory)
            .chain(builtins)
            .collect()
    }
}
