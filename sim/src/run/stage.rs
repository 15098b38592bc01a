//! The stage: what outlives a run. Connections, stacks and the template of the database are made once and put back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use corosensei::stack::DefaultStack;
use madsim::runtime::Runtime;
use xxhash_rust::xxh3::Xxh3;

use super::clock::SimClock;
use super::gate::{Keeper, disk_sites};
use super::handle::Handle;
use super::legs::Legs;
use super::state::Kept;
use super::{Kernel, Phase, Ran, World};
use crate::check::{Checker, Judging, Reads};
use crate::decide::{Quiet, Strategy};
use crate::disk::capture::Capture;
use crate::disk::externs::{self, Observer};
use crate::disk::{Conn, Disk, Image};
use crate::label::Label;
use crate::trace::Trace;

/// The connection of the checker; its file operations pass no gates.
pub(super) const CHECKER: Conn = 0;

/// What outlives a run.
pub struct Stage {
    world: Rc<dyn World>,
    pub(super) disk: Rc<Disk>,
    image: Image,
    pub(super) pool: Vec<Handle>,
    graveyard: Vec<Handle>,
    captures: Vec<Option<(usize, Rc<Capture>)>>,
    /// Names of the database files on the disk, the main one first.
    files: Rc<[String]>,
    pub(super) observer: Rc<Observer>,
    stacks: Vec<DefaultStack>,
    pub(super) checker: Rc<Checker>,
    now_us: Rc<Cell<u64>>,
    /// What the clocks of the connections are made of.
    clock: SimClock,
    disk_sites: Rc<[Label]>,
    keep_steps: bool,
    keep_state: bool,
    judging: Judging,
    /// Runs so far.
    runs: u64,
    /// Connections that a run of this world needs, as far as runs have shown.
    wanted: usize,
}

impl Stage {
    /// Opens the database, fills it, and takes the template.
    ///
    /// # Errors
    /// In words, when the world's schema or set-up fails.
    pub fn new(world: Rc<dyn World>) -> Result<Self, String> {
        crate::tame_allocator();
        let _turn = turn();
        let disk = Disk::new();
        externs::seed_random(SQLITE_SEED);
        let now_us = Rc::new(Cell::new(0));
        let observer = Observer::new();
        let clock = SimClock::new(world.start_ms(), Rc::clone(&now_us));
        let further = world.databases().iter().map(|name| format!("{name}.db"));
        let files: Rc<[String]> = [MAIN.to_owned()].into_iter().chain(further).collect();
        let (mut pool, mut captures) = (Vec::new(), vec![None]);
        for (file, conn) in (0..files.len()).zip(1..) {
            let mut first = open(&*world, &disk, &files, &clock, &observer, (file, conn))?;
            world.set_up(&mut first)?;
            captures.push(Some((file, Rc::clone(&first.capture))));
            pool.push(first);
        }
        let checker = Rc::new(checker(&*world, &disk, &files)?);
        let mut stage = Self {
            captures,
            image: disk.image(),
            world,
            disk,
            pool,
            files,
            graveyard: Vec::new(),
            wanted: FEWEST,
            stacks: Vec::new(),
            checker,
            observer,
            now_us,
            clock,
            disk_sites: disk_sites(),
            keep_steps: false,
            keep_state: false,
            judging: Judging::default(),
            runs: 0,
        };
        for file in 0..stage.files.len() {
            stage.grow(file, FEWEST)?;
        }
        Ok(stage)
    }

    /// Opens more pooled connections to a file, each warmed up on the template, under the lowest free numbers.
    fn grow(&mut self, file: usize, by: usize) -> Result<(), String> {
        for _ in 0..by {
            let taken = |conn: &Conn| self.pool.iter().any(|handle| handle.conn == *conn);
            let conn = (1..).find(|conn| !taken(conn)).unwrap_or(1);
            let (world, disk, as_file) = (&*self.world, &self.disk, (file, conn));
            let handle = open(
                world,
                disk,
                &self.files,
                &self.clock,
                &self.observer,
                as_file,
            )?;
            self.captures
                .resize((conn as usize + 1).max(self.captures.len()), None);
            self.captures[conn as usize] = Some((file, Rc::clone(&handle.capture)));
            self.pool.push(handle);
        }
        self.pool
            .iter()
            .for_each(|handle| externs::drop_cache(handle.connection()));
        Ok(())
    }

    /// Runs the world once. `strategy` is called again for a fresh one when the run needs more connections than the
    /// pool has; that changes nothing in the run.
    ///
    /// # Errors
    /// In words, when connections cannot be opened.
    pub fn run(&mut self, strategy: &mut dyn FnMut() -> Box<dyn Strategy>) -> Result<Ran, String> {
        let _turn = turn();
        loop {
            self.put_back()?;
            let had = (0..self.files.len()).map(|file| self.has(file)).max();
            let (ran, short) = self.run_once(strategy());
            if !short {
                self.runs += 1;
                return Ok(ran);
            }
            // Counted from what this run had at its start: crashes have lost some of those. Later runs start with as
            // many, because a run that has to be begun again costs more than a connection that is not used.
            self.wanted = had.unwrap_or(0) + 2;
        }
    }

    /// How many connections to a file there are.
    fn has(&self, file: usize) -> usize {
        let of_file = |handle: &&Handle| handle.file == file;
        self.pool.iter().filter(of_file).count()
    }

    pub(super) fn put_back(&mut self) -> Result<(), String> {
        let altered = self.disk.schema_changed();
        if self.disk.pool_stale() {
            // Connections remember a checkpoint or a restart of the WAL: they would not behave as fresh ones.
            self.pool.clear();
            self.graveyard.clear();
        }
        self.disk.restore(&self.image);
        self.revive_the_dead();
        // Somebody edited by hand and did not set it back: what comes next must not work on such a connection.
        self.pool.retain(Handle::is_as_opened);
        for handle in &self.pool {
            externs::drop_cache(handle.connection());
            handle.capture.forget();
        }
        self.checker.reset();
        if altered {
            self.checker.forget_schema()?;
        }
        self.now_us.set(0);
        self.clock.rewind();
        for file in 0..self.files.len() {
            let missing = self.wanted.saturating_sub(self.has(file));
            if missing > 0 {
                self.grow(file, missing)?;
                self.disk.restore(&self.image);
            }
        }
        self.pool.sort_by_key(|handle| handle.conn);
        externs::seed_random(SQLITE_SEED);
        Ok(())
    }

    /// Opening a connection parses the schema and prepares every statement again, which costs more than a whole run: the
    /// connections of dead processes are cleaned instead. One that SQLite cannot clean is dropped.
    fn revive_the_dead(&mut self) {
        let dead = std::mem::take(&mut self.graveyard);
        if dead.is_empty() {
            return;
        }
        let revived = |handle: &Handle| self.disk.revive(handle.connection(), handle.conn).is_ok();
        self.pool.extend(dead.into_iter().filter(revived));
        self.disk.restore(&self.image);
    }

    fn run_once(&mut self, strategy: Box<dyn Strategy>) -> (Ran, bool) {
        let runtime = Runtime::with_seed_and_config(MADSIM_SEED, madsim::Config::default());
        let kernel = self.kernel(strategy);
        self.disk
            .set_gatekeeper(Some(Rc::new(Keeper(Rc::downgrade(&kernel)))));
        let before = self.observer.count();
        runtime.block_on(async {
            kernel.run_legs(&*self.world).await;
            kernel.end_everybody();
        });
        self.disk.set_gatekeeper(None);
        let short = kernel.short.get();
        kernel.statements.set(self.observer.count() - before);
        let over = short || kernel.is_broken() || kernel.is_abandoned();
        if !over && kernel.was_deployed() {
            kernel.ended_n.set(kernel.trace.borrow().last());
            kernel.resolve_last_doubts();
            if self.judging != Judging::Off {
                self.world.judge(&kernel);
            }
            self.checker.finish(&kernel);
        }
        let ran = self.harvest(&kernel);
        self.pool = kernel.pool.take();
        self.graveyard.append(&mut kernel.graveyard.borrow_mut());
        self.stacks = kernel.stacks.take();
        (ran, short)
    }

    fn kernel(&mut self, strategy: Box<dyn Strategy>) -> Rc<Kernel> {
        Rc::new_cyclic(|me| Kernel {
            me: me.clone(),
            now_us: Rc::clone(&self.now_us),
            start_ms: self.world.start_ms(),
            limits: self.world.limits(),
            phase: Cell::new(Phase::Faults),
            legs: Legs::of(self.world.legs()),
            causes: RefCell::default(),
            live: RefCell::default(),
            current: RefCell::default(),
            next: RefCell::default(),
            stopped: RefCell::default(),
            dying: RefCell::default(),
            processes: RefCell::default(),
            strategy: RefCell::new(strategy),
            budget: RefCell::new(self.world.budget()),
            strikes: RefCell::default(),
            partitions: RefCell::default(),
            profile: RefCell::default(),
            deviations: RefCell::default(),
            disk_sites: Rc::clone(&self.disk_sites),
            muted: Cell::new(false),
            over: Cell::new(false),
            disk: Rc::clone(&self.disk),
            pool: RefCell::new(std::mem::take(&mut self.pool)),
            graveyard: RefCell::default(),
            captures: self.captures.clone(),
            files: Rc::clone(&self.files),
            short: Cell::new(false),
            stacks: RefCell::new(std::mem::take(&mut self.stacks)),
            judge: RefCell::new(Some(Rc::clone(&self.checker) as Rc<dyn super::Judge>)),
            goals: RefCell::default(),
            violations: RefCell::default(),
            judged: Cell::new(false),
            endings: RefCell::default(),
            cut: Cell::new(false),
            undone: RefCell::default(),
            in_doubt: RefCell::default(),
            restoring: RefCell::default(),
            world: Rc::clone(&self.world),
            second_conns: Cell::new(0),
            full_until: Cell::new(0),
            steps: RefCell::new(self.keep_steps.then(Vec::new)),
            internal: RefCell::default(),
            endless: RefCell::default(),
            undecided: RefCell::default(),
            statements: Cell::new(0),
            turns: self.clock.turns(),
            ended_n: Cell::new(0),
            kept: self.keep_state.then(|| Kept::new(&*self.world)).flatten(),
            trace: RefCell::default(),
            ledger: RefCell::default(),
        })
    }

    /// Hash of the quiet run with all bits of one byte of a file flipped at its end: for the test that this is noticed.
    ///
    /// # Errors
    /// As [`Stage::run`], and when the file has no such byte.
    pub fn run_altered(&mut self, file: &str, offset: usize) -> Result<u128, String> {
        let ran = self.run(&mut || Box::<Quiet>::default())?;
        let flipped = self.disk.flip_byte(file, offset);
        let hash = self.hash(&ran.trace);
        flipped
            .then_some(hash)
            .ok_or_else(|| format!("{file} has no byte {offset}"))
    }

    /// Hash of a trace and of the bytes on the disk.
    pub(super) fn hash(&self, trace: &Trace) -> u128 {
        let mut hash = Xxh3::new();
        trace.hash_into(&mut hash);
        self.disk.hash_into(&mut hash);
        hash.digest128()
    }

    /// Whether runs tell which gates between steps they passed: the shrinker moves decisions there.
    pub fn keep_steps(&mut self, keep: bool) {
        self.keep_steps = keep;
    }

    /// Whether the world can tell the state of a run.
    pub fn tells_state(&self) -> bool {
        self.world.remembered().is_some()
    }

    /// How many runs there were on it.
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// Whether strategies may ask for the state of the run ([`crate::decide::View::state`]).
    pub fn keep_state(&mut self, keep: bool) {
        self.keep_state = keep;
    }

    /// The statements that have made the main database, in their order.
    ///
    /// # Errors
    /// In words, when they cannot be read.
    pub fn schema(&mut self) -> Result<Vec<String>, String> {
        self.put_back()?;
        let words = |error: rusqlite::Error| error.to_string();
        let handle = self.pool.iter().find(|handle| handle.file == 0);
        let connection = handle.ok_or("there is no connection")?.connection();
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY rowid";
        let mut prepared = connection.prepare(sql).map_err(words)?;
        let rows = prepared.query_map([], |row| row.get(0)).map_err(words)?;
        rows.collect::<rusqlite::Result<_>>().map_err(words)
    }

    /// What each invariant looks at.
    pub fn reads(&self) -> Vec<Reads> {
        self.checker.reads()
    }

    /// From now on runs are judged so much. What happens in them is the same.
    pub fn judge(&mut self, judging: Judging) {
        self.judging = judging;
        self.checker.judge(judging);
    }

    /// A new search begins: every goal has to be reached again.
    pub fn forget_goals(&self) {
        self.checker.forget_goals();
    }

    /// The simulated disk, as the last run left it.
    pub fn disk(&self) -> &Rc<Disk> {
        &self.disk
    }
}

/// SQLite's random state is global to the process: threads that run simulations take turns, so that each run starts
/// from its seed.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(
    world: &dyn World,
    disk: &Rc<Disk>,
    files: &[String],
    clock: &SimClock,
    observer: &Rc<Observer>,
    (file, conn): (usize, Conn),
) -> Result<Handle, String> {
    let connection = disk.open(&files[file], conn);
    let connection = connection.map_err(|error| error.to_string())?;
    let clock = clock.sibling();
    let further = file.checked_sub(1).map(|at| &world.databases()[at]);
    let before = further.map_or(String::new(), |name| format!("{name}."));
    let capture = Rc::new(Capture::install_before(&connection, &before));
    observer.watch(&connection, conn);
    let db = match further {
        None => world.open(connection, clock.clone())?,
        Some(_) => world.open_further(connection)?,
    };
    Ok(Handle::new(conn, file, db, capture, clock))
}

/// The checker, whose rules see all files.
fn checker(world: &dyn World, disk: &Rc<Disk>, files: &[String]) -> Result<Checker, String> {
    let words = |error: rusqlite::Error| error.to_string();
    let connection = disk.open(MAIN, CHECKER).map_err(words)?;
    for (name, file) in world.databases().iter().zip(&files[1..]) {
        disk.attach(&connection, file, name).map_err(words)?;
    }
    Checker::new(connection, world.rules(), world.databases())
}

/// Connections that the pool has at first.
const FEWEST: usize = 3;

/// Name of the world's database on the simulated disk.
pub const MAIN: &str = "main.db";

/// Every run starts SQLite's and madsim's generators from here: neither decides anything, both must repeat.
const SQLITE_SEED: u32 = 7;
const MADSIM_SEED: u64 = 7;
