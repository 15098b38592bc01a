//! Every scenario and variant is a test of its own: `cargo test --test scenarios -- 001` runs those whose names contain it.
//!
//! Each is searched as `lockstep run` does and must get its expected verdict; each violation is shrunk, and the shrunk trace is
//! a snapshot to review in `tests/scenarios/snapshots`. Dropping a YAML file into `scenarios/` adds its tests.
//!
//! SQLite's random state is global to a process, so the simulations of one process take turns. Each test is therefore a
//! process of its own: this program again, told what to judge. As many run at once as the harness has threads.

mod folder;
mod judge;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use lockstep_sim::scenario;

/// Tells a process which file to judge, and which of its variants.
const FILE: &str = "LOCKSTEP_JUDGE_FILE";
const VARIANT: &str = "LOCKSTEP_JUDGE_VARIANT";

fn main() -> ExitCode {
    std::env::set_current_dir(root()).expect("the root of the checkout");
    if let (Ok(file), Ok(variant)) = (std::env::var(FILE), std::env::var(VARIANT)) {
        return alone(&file, &variant);
    }
    let arguments = Arguments::from_args();
    let files = folder::files();
    let mut trials: Vec<Trial> = files.iter().flat_map(|file| trials(file)).collect();
    trials.extend(folder::trials(&files));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The root of the checkout: replay lines are pasted there.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn trials(file: &Path) -> Vec<Trial> {
    let stem = folder::stem(file);
    match scenario::load(file) {
        Err(problems) => vec![Trial::test(stem, move || Err(problems.to_string().into()))],
        Ok(scenario) => {
            let trial = |variant: String| {
                let file = file.to_owned();
                Trial::test(format!("{stem}::{variant}"), move || {
                    judge_beside(&file, &variant)
                })
            };
            let names = scenario.variants.into_iter().map(|variant| variant.name);
            names.map(trial).collect()
        }
    }
}

/// Judges in a process of its own. What it says is only shown when it fails.
fn judge_beside(file: &Path, variant: &str) -> Result<(), Failed> {
    let program = std::env::current_exe()?;
    let told = Command::new(program)
        .env(FILE, file)
        .env(VARIANT, variant)
        .env("INSTA_WORKSPACE_ROOT", root())
        .env("RUST_BACKTRACE", "0")
        .env_remove("INSTA_FORCE_PASS")
        .output()?;
    if told.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&told.stdout), text(&told.stderr));
    Err(format!("{}\n{err}{out}", told.status).into())
}

fn alone(file: &str, variant: &str) -> ExitCode {
    let mut said = Vec::new();
    let judged = judge::judge(Path::new(file), variant, &mut said);
    let mut stdout = std::io::stdout().lock();
    let told = said.join("\n");
    // A parent that is gone reads nothing.
    let _ = writeln!(stdout, "{told}").and_then(|()| stdout.flush());
    match judged {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
