//! No text makes `lockstep check` panic, hang or grow: scenarios of the project and of the manual, changed at random.
//!
//! A case is a number, so it can be run again. `cargo test` runs a thousand; `LOCKSTEP_FUZZ=600` goes on for so many
//! seconds, `LOCKSTEP_FUZZ_FROM=N` begins at case N. What fails is kept in a folder that the message names.
//! A process of its own, because it measures the memory of the process.

mod corpus;
mod mutate;

use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use corpus::{Corpus, File};
use lockstep_sim::scenario::{self, ablate};

/// Cases of `cargo test`.
const CASES: u64 = 1_000;
/// Longest time for one case. The slowest ones take tenths of a second.
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory of the whole process, in KiB.
const MEMORY: u64 = 1 << 20;

/// What a case said: the wrong ones stop the search.
type Told = Result<bool, String>;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a hang is only seen by a clock and another thread"
)]
fn no_text_makes_check_panic_hang_or_grow() {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", std::process::id()));
    let corpus = Corpus::laid_out(&folder);
    let from = number("LOCKSTEP_FUZZ_FROM").unwrap_or(0);
    let seconds = number("LOCKSTEP_FUZZ").map(Duration::from_secs);
    let (sender, told) = mpsc::channel();
    let (started, place) = (Instant::now(), folder.clone());
    thread::spawn(move || work(&corpus, from, &place, &sender));
    let (mut cases, mut sound) = (0, 0);
    loop {
        let case = from + cases;
        match told.recv_timeout(PATIENCE) {
            Ok(Ok(loads)) => sound += u64::from(loads),
            Ok(Err(words)) => panic!("case {case}: {words}\n{}", again(&folder, case)),
            Err(RecvTimeoutError::Timeout) => panic!("case {case} hangs\n{}", again(&folder, case)),
            Err(RecvTimeoutError::Disconnected) => panic!("the worker is gone at case {case}"),
        }
        let memory = peak();
        assert!(
            memory < MEMORY,
            "case {case}: {memory} KiB\n{}",
            again(&folder, case)
        );
        cases += 1;
        if seconds.map_or(cases >= CASES, |seconds| started.elapsed() >= seconds) {
            break;
        }
    }
    let (memory, lasted) = (peak(), started.elapsed().as_secs());
    let words = format!("{cases} cases, {sound} still load, {memory} KiB, {lasted} s");
    let _ = writeln!(std::io::stderr(), "{words}");
    // Texts that are always refused at once would say little.
    assert!(
        sound * 50 > cases && sound * 2 < cases,
        "{sound} of {cases} still load"
    );
    drop(told);
    let _ = fs::remove_dir_all(&folder);
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value}: a whole number is wanted")),
    )
}

fn again(folder: &Path, case: u64) -> String {
    format!(
        "the texts are in {}; LOCKSTEP_FUZZ_FROM={case} begins with it",
        folder.display()
    )
}

/// One case after the other, until nobody listens any more.
fn work(corpus: &Corpus, from: u64, folder: &Path, sender: &Sender<Told>) {
    for case in from.. {
        let (file, bytes) = mutate::case(corpus, case);
        let changed = folder.join(&file.path);
        if fs::write(&changed, &bytes).is_err() {
            return;
        }
        let result = catch_unwind(AssertUnwindSafe(|| check(file, folder)));
        let told = result.unwrap_or_else(|_| Err("it panics".to_owned()));
        // The text of a wrong case stays.
        let goes_on = told.is_ok() && fs::write(&changed, &file.text).is_ok();
        if sender.send(told).is_err() || !goes_on {
            return;
        }
    }
}

/// Whether it loads. Whatever is said about it has places, and can be shown; what loads can be taken apart.
fn check(file: &File, folder: &Path) -> Told {
    let scenario = match scenario::load(&folder.join(&file.loads)) {
        Ok(scenario) => scenario,
        Err(problems) => {
            let shown = problems.to_string();
            let placed = problems
                .list
                .iter()
                .all(|p| p.place.line > 0 && p.place.column > 0);
            return match placed && !shown.is_empty() && !problems.list.is_empty() {
                true => Ok(false),
                false => Err(format!("no place or no words: {problems:?}")),
            };
        }
    };
    for variant in &scenario.variants {
        let parts = ablate::parts(&scenario.file, &scenario.text, &variant.name);
        let parts = parts.map_err(|told| format!("it loads, its parts do not:\n{told}"))?;
        let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
        // Without some of its parts it may well be wrong; that is an answer, too.
        let _ = ablate::without(&scenario.file, &scenario.text, &variant.name, &names);
    }
    Ok(true)
}

/// Most memory that the process ever had, in KiB; 0 where nobody tells.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
