//! Real processes on one file, killed at any moment: nothing that was acknowledged is lost, nothing is half done.
//!
//! The test starts itself again as a child. A child writes each call before it makes it, and each answer as soon as it has
//! it, into a file of its own that survives it. `LOCKSTEP_KILLS=1000 cargo test -p lockstep-store --release --test processes`
//! is the long run.

#[path = "processes/child.rs"]
mod child;
#[path = "processes/judge.rs"]
mod judge;

use judge::Log;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const CHILDREN: usize = 8;
const KILLS: u32 = 60;

/// Says to a started test which child it is to be.
const ROLE: &str = "LOCKSTEP_CHILD";

/// Tells where a child's database, log and flag are.
struct Desk {
    folder: PathBuf,
}

impl Desk {
    fn database(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    fn log(&self, start: u32) -> PathBuf {
        self.folder.join(format!("log-{start}"))
    }

    /// One byte: 1 from the first row that a transaction writes until its commit begins.
    fn flag(&self, start: u32) -> PathBuf {
        self.folder.join(format!("flag-{start}"))
    }
}

struct Running {
    start: u32,
    child: Child,
}

impl Running {
    fn start(desk: &Desk, start: u32) -> Self {
        std::fs::write(desk.flag(start), [0]).expect("a flag");
        let child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "works_as_a_child", "--nocapture"])
            .env(ROLE, format!("{start} {}", desk.folder.display()))
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        Self { start, child }
    }

    /// Kills it; true when that was inside an open write transaction.
    fn kill(mut self, desk: &Desk, aimed: bool) -> bool {
        let flag = File::open(desk.flag(self.start)).expect("a flag");
        if aimed {
            // It may be over again when the signal arrives: what counts is read after the death.
            for _ in 0..20_000 {
                if inside(&flag) {
                    break;
                }
                std::thread::sleep(Duration::from_micros(20));
            }
        }
        self.child.kill().expect("killed");
        let status = self.child.wait().expect("dead");
        assert_eq!(status.code(), None, "a child ended by itself");
        inside(&flag)
    }
}

fn inside(flag: &File) -> bool {
    let mut byte = [0];
    flag.read_exact_at(&mut byte, 0).expect("one byte");
    byte == [1]
}

fn kills() -> u32 {
    std::env::var("LOCKSTEP_KILLS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(KILLS)
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_processes_are_killed() {
    let folder = TempDir::new().expect("a folder");
    let desk = Desk {
        folder: folder.path().to_owned(),
    };
    judge::found(&desk.database());
    let mut running: Vec<Running> = (0..CHILDREN as u32)
        .map(|start| Running::start(&desk, start))
        .collect();
    let (mut within, mut logs) = (0, Vec::new());
    for kill in 0..kills() {
        // They are killed in turn, so that each has lived for some time.
        let victim = running.remove(0);
        let pause_ms = u64::from((kill * 7) % 23);
        std::thread::sleep(Duration::from_millis(pause_ms));
        logs.push(victim.start);
        within += u32::from(victim.kill(&desk, kill % 2 == 0));
        running.push(Running::start(&desk, CHILDREN as u32 + kill));
    }
    for last in running {
        logs.push(last.start);
        last.kill(&desk, false);
    }
    let logs: Vec<Log> = logs
        .iter()
        .map(|start| Log::read(&desk.log(*start)))
        .collect();
    let told = judge::judge(&desk.database(), &logs);
    assert!(
        within * 10 >= kills() * 3,
        "{within} kills inside a transaction"
    );
    assert!(told.acknowledged > u64::from(kills()), "{told:?}");
    report(&format!(
        "{} kills, {within} inside a write transaction, {told:?}",
        kills()
    ));
}

/// Shown with `--nocapture`.
fn report(line: &str) {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}").expect("said");
}

#[test]
fn works_as_a_child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let (start, folder) = role.split_once(' ').expect("a number and a folder");
    let start: u32 = start.parse().expect("a number");
    let desk = Desk {
        folder: Path::new(folder).to_owned(),
    };
    child::work(&desk.database(), &desk.log(start), &desk.flag(start), start);
}
