//! `lockstep new` and `lockstep schema`: what somebody needs who writes a scenario.

use std::fs;
use std::io::Write;
use std::path::Path;

use lockstep_sim::exit::Exit;
use lockstep_sim::scenario;

use super::args::NewArgs;
use super::failure::Failure;
use super::{files, out};

pub(crate) fn new(args: &NewArgs) -> Result<Exit, Failure> {
    let text = scenario::skeleton(&args.name).map_err(Failure::Usage)?;
    let Some(path) = &args.file else {
        out::result(&text)?;
        return Ok(Exit::AsExpected);
    };
    write(path, &text)?;
    let shown = path.to_string_lossy();
    let words = format!(
        "written. Next: {}\n",
        files::command(&["check", shown.as_ref()])
    );
    out::result(&words)?;
    Ok(Exit::AsExpected)
}

/// Writes a file that was not there before: nobody's scenario is lost.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let file = fs::File::create_new(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::Output {
        path: path.to_owned(),
        error,
    })
}

pub(crate) fn schema() -> Result<Exit, Failure> {
    out::result(&format!("{:#}\n", scenario::schema()))?;
    Ok(Exit::AsExpected)
}
