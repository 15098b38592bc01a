//! What must hold, what must be reached, and what is expected.

/// One invariant of a scenario.
#[derive(Debug, Clone)]
pub struct Invariant {
    /// Name, the same word in YAML, report and case.
    pub name: String,
    /// Column of the query that is the key; the violation is about one key.
    pub per: Option<String>,
    /// When it is judged.
    pub kind: RuleKind,
    /// A query that returns the offending rows; `builtin` names stand in `RuleKind`.
    pub sql: String,
    /// File and line where it stands; empty for one that nobody has written.
    pub place: String,
}

/// When an invariant is judged, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// After every commit, on that snapshot.
    Never,
    /// At the end, over the recorded tables `event`, `effect`, `change`.
    History,
    /// After faults have stopped and the world has run on, on the last snapshot and the recorded tables.
    Finally,
    /// `resource.home`: a homed resource was used away from its home.
    ResourceHome,
}

impl Invariant {
    /// When it is judged, and its query, as in the file; nothing for one without a query.
    pub fn text(&self) -> String {
        let word = match self.kind {
            RuleKind::Never => "never",
            RuleKind::History => "history",
            RuleKind::Finally => "finally",
            RuleKind::ResourceHome => return String::new(),
        };
        format!("{word}: {}", self.sql)
    }
}

/// A goal: pressure that some run must have reached, or the set of runs is vacuous.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Name.
    pub name: String,
    /// A query over `event`, `effect`, `change` and the database at the end; a row means reached.
    pub sql: String,
    /// File and line where it stands; empty for one that nobody has written.
    pub place: String,
}

/// What a variant is expected to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// No invariant is violated by any run, and every goal was reached.
    Holds,
    /// The engine cannot show it.
    Undecided,
    /// Each of these is violated by some run and no other by any.
    Violates(Vec<String>),
}
