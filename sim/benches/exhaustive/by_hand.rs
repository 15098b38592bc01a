//! The three problems as small models, with what each step touches written by hand, and a textbook search through their orders.
//!
//! `cargo bench -p lockstep-sim --bench exhaustive`. The search is source-DPOR with sleep sets (Abdulla, Aronis, Jonsson, Sagonas,
//! POPL 2014). It knows what nobody can tell of SQL from outside: the very rows that a statement looks at. That makes it the
//! yardstick for a search that has to find out by itself.

use std::collections::{BTreeMap, BTreeSet};

/// A row, a key by which rows are looked for, a key that an invariant judges, or the life of a process: a kind and a name.
type Object = (&'static str, &'static str);

/// What a step looks at, and what it changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Touched {
    reads: Vec<Object>,
    writes: Vec<Object>,
}

impl Touched {
    fn reads(object: Object) -> Self {
        Self {
            reads: vec![object],
            writes: Vec::new(),
        }
    }

    /// Whoever changes something looks at it as well, as far as orders are concerned.
    fn writes(object: Object) -> Self {
        Self {
            reads: Vec::new(),
            writes: vec![object],
        }
    }

    /// Two commits that an invariant judges by the same key: between them may stand what it forbids.
    fn judged(mut self, key: Object) -> Self {
        self.writes.push(key);
        self
    }

    /// The process has to be up for this.
    fn lives(mut self, process: Object) -> Self {
        self.reads.push(process);
        self
    }

    fn meets(&self, other: &Self) -> bool {
        let changes = |one: &Self, other: &Self| {
            let mut written = one.writes.iter();
            written.any(|object| other.writes.contains(object) || other.reads.contains(object))
        };
        changes(self, other) || changes(other, self)
    }

    fn objects(&self) -> impl Iterator<Item = Object> {
        self.reads.iter().chain(&self.writes).copied()
    }
}

/// What an actor does next: its number, and which of its choices it takes.
type Move = (usize, usize);

/// A problem, in the state that it has come to.
pub(crate) trait Problem: Clone + Ord {
    const ACTORS: usize;
    /// From this actor on they touch nothing that anybody else does.
    const LONERS: usize = Self::ACTORS;

    fn start() -> Self;
    /// In how many ways an actor may go on; none once it has ended. Nobody but the actor itself changes that.
    fn choices(&self, actor: usize) -> usize;
    fn step(&mut self, step: Move) -> Touched;
    /// Whether the invariant is violated, or was on the way here. Asked at the end.
    fn is_violated(&self) -> bool;

    fn moves(&self) -> impl Iterator<Item = Move> {
        (0..Self::ACTORS)
            .flat_map(|actor| (0..self.choices(actor)).map(move |choice| (actor, choice)))
    }
}

/// What the search by hand needed.
pub(crate) struct Counted {
    /// Runs, those that were blocked among them.
    pub(crate) runs: u64,
    /// Runs that ended where everything that could follow is asleep.
    pub(crate) blocked: u64,
    /// Some run violates the invariant.
    pub(crate) violated: bool,
}

/// Searches, and makes sure that the search has left nothing out.
pub(crate) fn count<P: Problem>() -> Counted {
    let mut search = Search::<P>::new();
    search.explore(P::start(), Sleep::new());
    assert!(
        search.ends == every_end::<P>(),
        "the search by hand ends where a plain one does"
    );
    Counted {
        runs: search.complete + search.blocked,
        blocked: search.blocked,
        violated: search.ends.iter().any(P::is_violated),
    }
}

/// Moves that need not be tried, with what they touch.
type Sleep = BTreeMap<Move, Touched>;

/// One step of the run that goes on.
struct Event {
    actor: usize,
    choice: usize,
    touched: Touched,
    /// How many steps of each actor happen before it, itself among them.
    clock: Vec<usize>,
}

impl Event {
    /// Whether `self` happens before the other, or is it.
    fn is_before(&self, clock: &[usize]) -> bool {
        self.clock[self.actor] <= clock[self.actor]
    }
}

/// A state on the way, and what is tried from there.
struct Level<P> {
    state: P,
    sleep: Sleep,
    backtrack: BTreeSet<usize>,
    /// The step that goes on from here.
    event: Option<Event>,
}

impl<P: Problem> Level<P> {
    /// All choices of an actor are tried, or none.
    fn next(&self) -> Option<Move> {
        let mut moves = self.state.moves();
        moves.find(|next| self.backtrack.contains(&next.0) && !self.sleep.contains_key(next))
    }
}

/// Source-DPOR.
struct Search<P> {
    levels: Vec<Level<P>>,
    complete: u64,
    blocked: u64,
    ends: BTreeSet<P>,
}

impl<P: Problem> Search<P> {
    fn new() -> Self {
        Self {
            levels: Vec::new(),
            complete: 0,
            blocked: 0,
            ends: BTreeSet::new(),
        }
    }

    fn explore(&mut self, state: P, sleep: Sleep) {
        if state.moves().next().is_none() {
            self.complete += 1;
            self.ends.insert(state);
            return;
        }
        let awake = state.moves().find(|next| !sleep.contains_key(next));
        let Some((first, _)) = awake else {
            self.blocked += 1;
            return;
        };
        let depth = self.levels.len();
        self.levels.push(Level {
            state,
            sleep,
            backtrack: BTreeSet::from([first]),
            event: None,
        });
        while let Some(next) = self.levels[depth].next() {
            self.go(depth, next);
        }
        self.levels.pop();
    }

    /// Everything that begins with this move.
    fn go(&mut self, depth: usize, next: Move) {
        let mut state = self.levels[depth].state.clone();
        let touched = state.step(next);
        let (clock, races) = self.order(depth, next.0, &touched);
        self.levels[depth].event = Some(Event {
            actor: next.0,
            choice: next.1,
            touched: touched.clone(),
            clock,
        });
        races.iter().for_each(|race| self.reverse(*race, depth));
        let mut sleep = self.levels[depth].sleep.clone();
        sleep.retain(|other, theirs| other.0 != next.0 && !theirs.meets(&touched));
        self.explore(state, sleep);
        self.levels[depth].sleep.insert(next, touched);
    }

    /// What happens before the next step, and the steps that it races with: those that happen before it, and not because they
    /// happen before something else that does.
    fn order(&self, depth: usize, actor: usize, touched: &Touched) -> (Vec<usize>, Vec<usize>) {
        let mut clock = vec![0; P::ACTORS];
        let mut races = Vec::new();
        if let Some(own) = (0..depth).rev().find(|at| self.event(*at).actor == actor) {
            clock.clone_from(&self.event(own).clock);
        }
        for at in (0..depth).rev() {
            let event = self.event(at);
            if !event.is_before(&clock) && event.touched.meets(touched) {
                races.push(at);
                join(&mut clock, &event.clock);
            }
        }
        clock[actor] += 1;
        (clock, races)
    }

    /// What happens last is to happen without what it races with: whoever can begin that is tried there, unless somebody is.
    fn reverse(&mut self, race: usize, last: usize) {
        let first = self.event(race);
        let without = (race + 1..last).filter(|at| !first.is_before(&self.event(*at).clock));
        let initials = self.initials(without.chain([last]));
        let level = &mut self.levels[race];
        let is_tried =
            |next: &Move| level.backtrack.contains(&next.0) || level.sleep.contains_key(next);
        if !initials.iter().any(is_tried) {
            level.backtrack.insert(initials[0].0);
        }
    }

    /// The steps of these before which none of them happens.
    fn initials(&self, steps: impl Iterator<Item = usize>) -> Vec<Move> {
        let mut earlier: Vec<&Event> = Vec::new();
        let mut initials = Vec::new();
        for event in steps.map(|at| self.event(at)) {
            if !earlier.iter().any(|other| other.is_before(&event.clock)) {
                initials.push((event.actor, event.choice));
            }
            earlier.push(event);
        }
        initials
    }

    fn event(&self, at: usize) -> &Event {
        let event = self.levels[at].event.as_ref();
        event.expect("every level below goes on from here")
    }
}

fn join(clock: &mut [usize], other: &[usize]) {
    for (own, theirs) in clock.iter_mut().zip(other) {
        *own = (*own).max(*theirs);
    }
}

/// Every state in which a run can end: a search through all states, without orders. It makes sure of what was written by hand, too:
/// steps that do not meet do the same in both orders. The loners go first, as it makes sure that nobody meets them.
fn every_end<P: Problem>() -> BTreeSet<P> {
    let mut start = P::start();
    let (mut theirs, mut others) = (BTreeSet::new(), BTreeSet::new());
    let alone = |state: &P| state.moves().find(|next| next.0 >= P::LONERS);
    while let Some(next) = alone(&start) {
        theirs.extend(start.step(next).objects());
    }
    let mut ends = BTreeSet::new();
    let mut seen = BTreeSet::from([start.clone()]);
    let mut left = vec![start];
    while let Some(state) = left.pop() {
        let moves: Vec<Move> = state.moves().collect();
        if moves.is_empty() {
            ends.insert(state);
            continue;
        }
        for next in &moves {
            let (then, touched) = after(&state, *next);
            others.extend(touched.objects());
            for other in moves.iter().filter(|other| other.0 > next.0) {
                assert_commute(&state, *next, *other);
            }
            if seen.insert(then.clone()) {
                left.push(then);
            }
        }
    }
    assert!(theirs.is_disjoint(&others), "loners meet nobody");
    ends
}

fn after<P: Problem>(state: &P, next: Move) -> (P, Touched) {
    let mut state = state.clone();
    let touched = state.step(next);
    (state, touched)
}

fn assert_commute<P: Problem>(state: &P, one: Move, other: Move) {
    let (after_one, first) = after(state, one);
    let (after_other, second) = after(state, other);
    if first.meets(&second) {
        return;
    }
    let (here, then_second) = after(&after_one, other);
    let (there, then_first) = after(&after_other, one);
    assert!(here == there, "steps that do not meet commute");
    assert_eq!((first, second), (then_first, then_second));
}

const EVENTS: [&str; 10] = ["a", "b", "c", "d", "1", "2", "3", "4", "5", "6"];

/// Which step an actor takes next: each is a function for one statement.
type Step<P> = fn(&mut P, usize) -> Touched;

/// `p1.yaml`: both events are of the same user.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Race {
    at: [usize; 2],
    /// The variable `s` of each.
    found: [Option<&'static str>; 2],
    sessions: BTreeSet<&'static str>,
    messages: BTreeMap<&'static str, &'static str>,
    tasks: BTreeMap<&'static str, (&'static str, &'static str)>,
    violated: bool,
}

impl Race {
    const INBOUND: [Step<Self>; 5] = [
        Self::look,
        Self::open,
        Self::write,
        Self::queue,
        Self::finish,
    ];

    fn look(&mut self, me: usize) -> Touched {
        self.found[me] = self.sessions.first().copied();
        if self.found[me].is_some() {
            self.at[me] += 1;
        }
        Touched::reads(("session", "u"))
    }

    /// Its key is new. The row is the one that others look for by their user.
    fn open(&mut self, me: usize) -> Touched {
        self.found[me] = Some(EVENTS[me]);
        self.sessions.insert(EVENTS[me]);
        self.violated |= self.sessions.len() > 1;
        Touched::writes(("session", "u")).judged(("one_session", "u"))
    }

    fn write(&mut self, me: usize) -> Touched {
        self.messages.insert(EVENTS[me], self.session(me));
        Touched::writes(("message", EVENTS[me]))
    }

    fn queue(&mut self, me: usize) -> Touched {
        self.tasks.insert(EVENTS[me], (self.session(me), "queued"));
        Touched::writes(("task", EVENTS[me]))
    }

    fn finish(&mut self, me: usize) -> Touched {
        self.tasks.insert(EVENTS[me], (self.session(me), "done"));
        Touched::writes(("task", EVENTS[me]))
    }

    fn session(&self, me: usize) -> &'static str {
        self.found[me].expect("it was found, or made")
    }
}

impl Problem for Race {
    const ACTORS: usize = 2;

    fn start() -> Self {
        Self {
            at: [0; 2],
            found: [None; 2],
            sessions: BTreeSet::new(),
            messages: BTreeMap::new(),
            tasks: BTreeMap::new(),
            violated: false,
        }
    }

    fn choices(&self, actor: usize) -> usize {
        usize::from(self.at[actor] < Self::INBOUND.len())
    }

    fn step(&mut self, (actor, _): Move) -> Touched {
        let step = Self::INBOUND[self.at[actor]];
        self.at[actor] += 1;
        step(self, actor)
    }

    fn is_violated(&self) -> bool {
        self.violated
    }
}

/// `p2.yaml`: two workers, two clocks, and six who are alone, each with a job of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lease {
    at: [usize; 10],
    /// How often each job was counted up.
    jobs: [u8; 10],
    /// What each has last read there.
    read: [u8; 10],
    holder: Option<&'static str>,
    expired: bool,
    fence: u8,
    /// The variable `mine` of each worker.
    mine: [u8; 2],
    /// The fence of the document.
    written: u8,
    low: bool,
    violated: bool,
}

impl Lease {
    const WORK: &[Step<Self>] = &[
        Self::acquire,
        Self::look,
        Self::count,
        Self::write,
        Self::count,
        Self::release,
        Self::count,
    ];
    const EXPIRE: &[Step<Self>] = &[Self::count, Self::expire, Self::count];
    const ALONE: &[Step<Self>] = &[
        Self::count,
        Self::look,
        Self::count,
        Self::look,
        Self::count,
    ];
    const ROW: Object = ("lease", "l");

    fn flow(actor: usize) -> &'static [Step<Self>] {
        match actor {
            0 | 1 => Self::WORK,
            2 | 3 => Self::EXPIRE,
            _ => Self::ALONE,
        }
    }

    /// Where somebody else holds the lease this finds no row, and the flow returns.
    fn acquire(&mut self, me: usize) -> Touched {
        if self.holder.is_some() && !self.expired {
            self.at[me] = Self::WORK.len();
            return Touched::reads(Self::ROW);
        }
        self.holder = Some(EVENTS[me]);
        self.expired = false;
        self.fence += 1;
        self.mine[me] = self.fence;
        Touched::writes(Self::ROW)
    }

    fn look(&mut self, me: usize) -> Touched {
        self.read[me] = self.jobs[me];
        Touched::reads(("job", EVENTS[me]))
    }

    fn count(&mut self, me: usize) -> Touched {
        self.jobs[me] += 1;
        Touched::writes(("job", EVENTS[me]))
    }

    fn write(&mut self, me: usize) -> Touched {
        self.low |= self.written > self.mine[me];
        self.written = self.mine[me];
        self.violated |= self.low;
        Touched::writes(("doc", "d")).judged(("never_goes_back", "d"))
    }

    fn release(&mut self, me: usize) -> Touched {
        if self.fence != self.mine[me] {
            return Touched::reads(Self::ROW);
        }
        self.holder = None;
        Touched::writes(Self::ROW)
    }

    /// A row that stays as it was has only been looked at.
    fn expire(&mut self, _: usize) -> Touched {
        if self.holder.is_none() || self.expired {
            return Touched::reads(Self::ROW);
        }
        self.expired = true;
        Touched::writes(Self::ROW)
    }
}

impl Problem for Lease {
    const ACTORS: usize = 10;
    const LONERS: usize = 4;

    fn start() -> Self {
        Self {
            at: [0; 10],
            jobs: [0; 10],
            read: [0; 10],
            holder: None,
            expired: false,
            fence: 0,
            mine: [0; 2],
            written: 0,
            low: false,
            violated: false,
        }
    }

    fn choices(&self, actor: usize) -> usize {
        usize::from(self.at[actor] < Self::flow(actor).len())
    }

    fn step(&mut self, (actor, _): Move) -> Touched {
        let step = Self::flow(actor)[self.at[actor]];
        self.at[actor] += 1;
        step(self, actor)
    }

    fn is_violated(&self) -> bool {
        self.violated
    }
}

/// `p3.yaml`: two processes with a message each, which is lost when its process crashes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crash {
    at: [usize; 2],
    /// How long the process stays down, once it has crashed.
    down_ms: [Option<u64>; 2],
    sessions: BTreeMap<&'static str, &'static str>,
    tasks: BTreeMap<&'static str, &'static str>,
}

impl Crash {
    const BEGIN: [Step<Self>; 3] = [Self::look, Self::open, Self::write];
    const DOWN_MS: [u64; 3] = [1_000, 15_500, 30_000];
    const SESSIONS: [&str; 2] = ["s", "t"];
    const PROCESSES: [Object; 2] = [("life", "api.1"), ("life", "api.2")];

    /// Both sessions are new, but this is what the flow says.
    fn look(&mut self, me: usize) -> Touched {
        let session = Self::SESSIONS[me];
        if self.sessions.contains_key(session) {
            self.at[me] += 1;
        }
        Touched::reads(("session", session))
    }

    fn open(&mut self, me: usize) -> Touched {
        self.sessions.insert(Self::SESSIONS[me], EVENTS[me]);
        Touched::writes(("session", Self::SESSIONS[me]))
    }

    fn write(&mut self, me: usize) -> Touched {
        self.tasks.insert(EVENTS[me], Self::SESSIONS[me]);
        Touched::writes(("task", EVENTS[me]))
    }
}

impl Problem for Crash {
    const ACTORS: usize = 2;

    fn start() -> Self {
        Self {
            at: [0; 2],
            down_ms: [None; 2],
            sessions: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }

    /// The next statement, or a crash in front of it with one of the times until the restart. Nothing is left to do after that.
    fn choices(&self, actor: usize) -> usize {
        let goes_on = self.at[actor] < Self::BEGIN.len() && self.down_ms[actor].is_none();
        usize::from(goes_on) * (1 + Self::DOWN_MS.len())
    }

    fn step(&mut self, (actor, choice): Move) -> Touched {
        let process = Self::PROCESSES[actor];
        if choice > 0 {
            self.down_ms[actor] = Some(Self::DOWN_MS[choice - 1]);
            return Touched::writes(process);
        }
        let step = Self::BEGIN[self.at[actor]];
        self.at[actor] += 1;
        step(self, actor).lives(process)
    }

    /// The invariant is judged at the end only, so that it puts no two commits in order.
    fn is_violated(&self) -> bool {
        let mut tasks = self.sessions.values();
        tasks.any(|task| !self.tasks.contains_key(task))
    }
}
