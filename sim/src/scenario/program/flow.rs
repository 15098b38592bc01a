//! Flows and their versions, and the values in them.

use rusqlite::types::Value;

use super::Step;

/// A flow: parameters, variables and steps.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Name.
    pub name: String,
    /// The first `params` locals are the parameters.
    pub params: usize,
    /// Names of all local variables; index = slot. Unset is NULL.
    pub locals: Vec<String>,
    /// Steps.
    pub steps: Vec<Step>,
}

/// One version of the code.
#[derive(Debug, Clone)]
pub struct Version {
    /// Name.
    pub name: String,
    /// Flows in file order, those that only a variant or another version has come last: the same index is the same name in every
    /// version, with the same parameters.
    pub flows: Vec<Flow>,
}

/// Where a value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Var {
    /// Slot of the running flow.
    Local(usize),
    /// Slot of the memory of the process (or of its connection).
    Memory(usize),
    /// Given by the harness; read only.
    Builtin(Builtin),
}

/// Read-only variables that every flow sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// `:event` label of the event being handled; the same for a redelivery.
    Event,
    /// `:delivery` cause label of this delivery; differs for a redelivery.
    Delivery,
    /// `:home` home of the process, or NULL.
    Home,
    /// `:process` name of the process instance, such as `api.1`.
    Process,
    /// `:incarnation` number of the process's incarnation, from 1.
    Incarnation,
    /// `:now` the process's clock, milliseconds since the Unix epoch.
    Now,
    /// `:connection` number of the connection on which the delivery came, or NULL.
    Connection,
    /// `:attempt` which delivery of its event it is, from 1.
    Attempt,
    /// `:local` the process's clock in its zone.
    Local,
    /// `:code` name of the version that runs.
    Code,
    /// `:error` text of the error that the running `catch` or `else` handles, or NULL.
    Error,
}

/// One SQL text, prepared once at load.
#[derive(Debug, Clone)]
pub struct Sql {
    /// The text that SQLite gets. `:memory.x` has become `:memory_x`.
    pub text: String,
    /// Variables in the order of SQLite's parameter numbers: index 0 is parameter 1.
    pub params: Vec<Var>,
    /// The file that it is for, as in [`super::Process::database`]; none is that of the process.
    pub db: Option<usize>,
}

/// A value to compute.
#[derive(Debug, Clone)]
pub enum Expr {
    /// Known at load.
    Const(Value),
    /// A plain variable.
    Var(Var),
    /// `SELECT <expr>`: first column of the only row.
    Sql(Sql),
    /// A field of the answer to another event (index into `Program::events`), NULL without one; only in arguments of events.
    Answer(usize, String),
}
