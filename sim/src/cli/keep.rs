//! `lockstep keep`: a case becomes one that every `run` replays first.

use std::fs;
use std::path::{Path, PathBuf};

use lockstep_sim::exit::Exit;
use lockstep_sim::report;

use super::args::KeepArgs;
use super::failure::Failure;
use super::{files, kept, out, subject};

pub(crate) fn keep(args: &KeepArgs) -> Result<Exit, Failure> {
    let case = kept::read(&args.case)?;
    let ran = subject::of_case(&args.case, None, None)?.once()?;
    let target = subject::target(&case.violates);
    if !target.is_in(&ran) {
        let why = format!(
            "does not violate {} any more: nothing to keep",
            target.invariant
        );
        return Err(Failure::input(&args.case, why));
    }
    let path = place(args)?;
    if path.exists() {
        return Err(Failure::input(
            &path,
            "is there already: choose another --name",
        ));
    }
    files::write(&path, &case.to_text())?;
    let decisions = report::count(case.decisions.len() as u64, "decision");
    let shown = path.to_string_lossy();
    let run = files::command(&["run", &shown]);
    out::result(&format!(
        "{shown}: kept, {decisions}. `{run}` replays it, and so does each `run`\n"
    ))?;
    Ok(Exit::AsExpected)
}

/// Where the case is to stand: in the folder of kept cases, which is made.
fn place(args: &KeepArgs) -> Result<PathBuf, Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => args
            .case
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Failure::usage(format!(
            "--name {name:?}: a name is letters, digits, `-`, `_` and `.`, and does not begin with a `.`"
        )));
    }
    let folder = Path::new(files::REGRESSION);
    if !folder.parent().is_some_and(Path::is_dir) {
        return Err(Failure::usage(
            "there is no folder scenarios: run this in the project's folder",
        ));
    }
    fs::create_dir_all(folder).map_err(|error| Failure::Output {
        path: folder.to_owned(),
        error,
    })?;
    Ok(folder.join(format!("{name}.case")))
}
