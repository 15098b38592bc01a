//! A folder to work in, and the program run there.

use std::collections::BTreeMap;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lockstep_sim::scenario;
use serde_json::Value;
use tempfile::TempDir;

use crate::root;

/// A scenario whose verdicts are known: bug is violated, unique_index undecided, reference holds.
const KNOWN: &str = "scenarios/001-c-two-first-messages.yaml";

/// The program: cargo puts it beside the folder of this test.
pub(super) fn lockstep() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a file");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("target/PROFILE");
    let program = profile.join(format!("lockstep{EXE_SUFFIX}"));
    assert!(
        program.exists(),
        "{} is missing: run `cargo build -p lockstep-sim` (with the profile of this test) and try again",
        program.display()
    );
    program
}

/// The text of the known scenario, which brings along the files that it imports.
pub(super) fn known() -> String {
    scenario::whole_text(&root().join(KNOWN)).expect("the known scenario")
}

/// The known scenario with one place changed.
pub(super) fn known_with(from: &str, to: &str) -> String {
    let text = known();
    assert!(text.contains(from), "{KNOWN} has no {from:?} any more");
    text.replacen(from, to, 1)
}

/// The known scenario, expecting that bug holds: what it finds is unexpected.
pub(super) fn surprised() -> String {
    known_with("bug: { violates: one_active_session }", "bug: holds")
}

/// What a command said and how it ended.
pub(super) struct Told {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Told {
    /// No command ever shows a panic, whatever else is wrong.
    pub(super) fn of(output: &Output) -> Self {
        let told = Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let all = format!("{}{}", told.stdout, told.stderr);
        for word in ["panicked", "this is a bug in lockstep"] {
            assert!(!all.contains(word), "{word}: {all}");
        }
        told
    }

    pub(super) fn ends_with(self, code: i32) -> Self {
        let (out, err) = (&self.stdout, &self.stderr);
        assert_eq!(self.code, Some(code), "stdout:\n{out}\nstderr:\n{err}");
        self
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("one JSON object, {error}: {}", self.stdout))
    }

    pub(super) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or("")
    }
}

/// A folder of its own for each test.
pub(super) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn put(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, contents).expect("written");
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program, which sees nothing of the environment of this test. Without `CARGO` it was called by its path.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOCKSTEP_") || name == "CARGO" {
                command.env_remove(name);
            }
        }
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Told {
        self.run_with(args, &[])
    }

    pub(super) fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Told {
        let mut command = self.command(&lockstep());
        command.args(args).envs(environment.iter().copied());
        Told::of(&command.output().expect("lockstep starts"))
    }

    /// The program, with this text on its stdin.
    pub(super) fn hears(&self, args: &[&str], text: &str) -> Told {
        let mut command = self.command(&lockstep());
        command.args(args).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("lockstep starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        Told::of(&child.wait_with_output().expect("it ends"))
    }

    /// Bad input: exit 2, the reason on stderr and nowhere else, and every file as it was.
    pub(super) fn refuses(&self, args: &[&str], reason: &str) -> Told {
        self.refuses_with(args, &[], reason)
    }

    pub(super) fn refuses_with(
        &self,
        args: &[&str],
        environment: &[(&str, &str)],
        reason: &str,
    ) -> Told {
        let before = self.files();
        let told = self.run_with(args, environment);
        let (code, out, err) = (told.code, &told.stdout, &told.stderr);
        let shown = format!("lockstep {args:?} {environment:?}\nstdout:\n{out}\nstderr:\n{err}");
        assert_eq!(code, Some(2), "{shown}");
        assert!(out.is_empty(), "stdout is for results: {shown}");
        assert!(err.contains(reason), "should say {reason:?}: {shown}");
        assert!(self.files() == before, "something was written: {shown}");
        told
    }

    /// Every file with its bytes, every folder with none.
    fn files(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        collect(self.folder.path(), &mut found);
        found
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
            found.insert(path, None);
        } else {
            let bytes = fs::read(&path).expect("a readable file");
            found.insert(path, Some(bytes));
        }
    }
}
