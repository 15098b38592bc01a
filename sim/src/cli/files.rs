//! What is read and written: scenario files, cases and traces. Outputs are whole or not there.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use lockstep_sim::report::CaseReport;
use lockstep_sim::scenario::{self, Problems, Scenario};

use super::failure::Failure;
use super::workshop::Small;

/// Where scenarios are looked for when none is named.
const SCENARIOS: &str = "scenarios";

/// Where kept cases are.
pub(crate) const REGRESSION: &str = "scenarios/regression";

/// Stands for stdin where a file is read.
const STDIN: &str = "-";

/// Endings of scenarios and of cases.
const YAML: &str = "yaml";
const CASE: &str = "case";

/// A case is a scenario and some lines; what is larger is something else, and may be endless.
const LARGEST: u64 = 4 << 20;

/// Folders of files that are imported by scenarios, not run by themselves.
const IMPORTED: [&str; 2] = ["platforms", "shared"];

/// All scenario files of the project, in the order of their paths.
pub(crate) fn all_scenarios() -> Result<Vec<PathBuf>, Failure> {
    below(
        Path::new(SCENARIOS),
        "run this in the project's folder, or name scenario files",
    )
}

/// Cases that are kept: among these files and below these folders, or the project's where nothing is named.
pub(crate) fn kept(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let project = [PathBuf::from(REGRESSION)];
    let paths = if paths.is_empty() { &project } else { paths };
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, CASE, &mut found)
                .map_err(|error| Failure::input(path, error.to_string()))?;
        } else if is_case(path) {
            found.push(path.clone());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn is_case(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(CASE))
}

/// What of these are not cases, nor folders that hold cases only.
pub(crate) fn not_kept(paths: &[PathBuf]) -> Vec<PathBuf> {
    let other = |path: &&PathBuf| !is_case(path) && !holds_cases_only(path);
    paths.iter().filter(other).cloned().collect()
}

/// Named files as they are, and in the place of a folder all scenario files below it.
pub(crate) fn named_scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(below(path, "name a scenario file or a folder of them")?);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn below(root: &Path, help: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    collect(root, YAML, &mut found)
        .map_err(|error| Failure::input(root, format!("{error}: {help}")))?;
    found.sort();
    if found.is_empty() {
        return Err(Failure::input(root, "holds no scenario (*.yaml)"));
    }
    Ok(found)
}

/// A folder of cases holds no scenario, and need not.
fn holds_cases_only(folder: &Path) -> bool {
    let (mut cases, mut scenarios) = (Vec::new(), Vec::new());
    let read = collect(folder, CASE, &mut cases).and(collect(folder, YAML, &mut scenarios));
    read.is_ok() && !cases.is_empty() && scenarios.is_empty()
}

/// Files with this ending, of the folder and those below it.
fn collect(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let is = |name: &&str| path.file_name() == Some(OsStr::new(name));
            if !IMPORTED.iter().any(is) {
                collect(&path, ending, into)?;
            }
        } else if path.extension() == Some(OsStr::new(ending)) {
            into.push(path);
        }
    }
    Ok(())
}

/// Reads a scenario; `-` is stdin.
pub(crate) fn scenario(path: &Path) -> Result<Scenario, Problems> {
    if path == Path::new(STDIN) {
        scenario::load_from("<stdin>", io::stdin().lock())
    } else {
        scenario::load(path)
    }
}

/// Reads a small text file, such as a case; `-` is stdin.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    if path.is_dir() {
        return Err(Failure::input(path, "is a directory"));
    }
    let mut bytes = Vec::new();
    let mut read = |from: &mut dyn Read| from.take(LARGEST + 1).read_to_end(&mut bytes);
    let read = if path == Path::new(STDIN) {
        read(&mut io::stdin().lock())
    } else {
        fs::File::open(path).and_then(|mut file| read(&mut file))
    };
    read.map_err(|error| Failure::input(path, error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        let why = format!("is larger than {LARGEST} bytes, which no case is");
        return Err(Failure::input(path, why));
    }
    String::from_utf8(bytes).map_err(|_| Failure::input(path, "is not a text file"))
}

/// Makes sure that results can be written, before minutes are spent on them. Answers the folders that it made.
pub(crate) fn prepare(out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<PathBuf> = out
        .ancestors()
        .take_while(missing)
        .map(Path::to_owned)
        .collect();
    let probe = out.join(format!(".probe-{}", std::process::id()));
    let tried = fs::create_dir_all(out).and_then(|()| fs::write(&probe, "probe"));
    let removed = fs::remove_file(&probe);
    match tried.and(removed) {
        Ok(()) => Ok(made),
        Err(error) => {
            withdraw(&made);
            let path = out.to_owned();
            Err(Failure::Output { path, error })
        }
    }
}

/// Removes what `prepare` made, the deepest first. A folder that holds something stays.
pub(crate) fn withdraw(made: &[PathBuf]) {
    for folder in made {
        let _ = fs::remove_dir(folder);
    }
}

/// A name that every file system takes. A long one is cut and stays different from others by a hash of all of it.
fn short(name: &str) -> String {
    let plain: String = name.chars().map(plain).collect();
    if plain.len() <= LONGEST_NAME {
        return plain;
    }
    let hash = lockstep_sim::label::Label::new(name).hash();
    let kept: String = plain.chars().take(LONGEST_NAME).collect();
    format!("{kept}-{hash:016x}")
}

/// Characters of a name before its ending.
const LONGEST_NAME: usize = 150;

/// Where cases go, and what could not be written there: that must not take the verdict with it.
pub(crate) struct Cases {
    out: PathBuf,
    pub(crate) lost: Vec<Failure>,
}

impl Cases {
    pub(crate) fn new(out: &Path) -> Self {
        let out = out.to_owned();
        let lost = Vec::new();
        Self { out, lost }
    }

    /// Writes a case with its two traces, and says how to replay it. `instead` does so when there is no case.
    pub(crate) fn write(&mut self, name: &str, small: &Small, instead: &[&str]) -> CaseReport {
        let written = self.put(name, small);
        let path = written.map_err(|failure| self.lost.push(failure)).ok();
        let replay = path.as_ref().map(|path| command(&["replay", path]));
        CaseReport {
            invariant: small.invariant.clone(),
            key: small.key.clone(),
            seed: small.seed,
            events: small.events,
            deviations: small.deviations,
            replay: replay.unwrap_or_else(|| command(instead)),
            path,
        }
    }

    fn put(&self, name: &str, small: &Small) -> Result<String, Failure> {
        let name = short(&format!("{name}-{}", small.invariant));
        let case = self.out.join(format!("{name}.case"));
        write(&self.out.join(format!("{name}.trace.jsonl")), &small.trace)?;
        write(&self.out.join(format!("{name}.txt")), &small.human)?;
        write(&case, &small.case)?;
        Ok(shown(&case))
    }
}

/// A path as reports show it. Only where `\` separates folders it becomes `/`; elsewhere it is part of a name.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '\\' {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    }
}

fn plain(c: char) -> char {
    if c.is_alphanumeric() || c == '_' || c == '-' {
        c
    } else {
        '_'
    }
}

/// Writes a file beside its place and moves it there.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension(format!("tmp-{}", std::process::id()));
    let put = || -> io::Result<()> {
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)
    };
    put().map_err(|error| {
        let _ = fs::remove_file(&beside);
        Failure::Output {
            path: path.to_owned(),
            error,
        }
    })
}

/// A command line of this program that can be pasted where this one was typed.
pub(crate) fn command(args: &[&str]) -> String {
    let mut words = program();
    words.extend(args.iter().map(|arg| quoted(arg)));
    words.join(" ")
}

/// Through cargo if we were started through cargo, else as we were called.
fn program() -> Vec<String> {
    if std::env::var_os("CARGO").is_some() {
        let release = if cfg!(debug_assertions) {
            ""
        } else {
            "--release "
        };
        return format!("cargo run {release}-q --")
            .split_whitespace()
            .map(str::to_owned)
            .collect();
    }
    vec![quoted(
        &std::env::args()
            .next()
            .unwrap_or_else(|| "lockstep".to_owned()),
    )]
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        assert_eq!(quoted("target/lockstep/x.case"), "target/lockstep/x.case");
        assert_eq!(quoted("my case"), "'my case'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
