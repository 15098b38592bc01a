//! `lockstep suggest`: small repairs, tried on a variant that fails.

use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, SuggestReport};
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{Expect, Scenario, Variant};
use lockstep_sim::suggest;

use super::args::SuggestArgs;
use super::failure::Failure;
use super::workshop::world_of;
use super::{files, interrupt, out};

pub(crate) fn suggest(args: &SuggestArgs) -> Result<Exit, Failure> {
    let scenario =
        files::scenario(&args.file).map_err(|problems| Failure::usage(problems.to_string()))?;
    let variant = failing(&scenario, args)?;
    let program = &variant.program;
    if program.store {
        let why = format!(
            "variant {} runs the reference store, which is not repaired here",
            variant.name
        );
        return Err(Failure::input(&args.file, why));
    }
    let begins = Stage::new(world_of(variant));
    begins.map_err(|why| Failure::input(&args.file, why))?;
    interrupt::install()?;
    let repairs = suggest::repairs(program);
    let shows = out::shows_progress() && !args.json;
    let mut told = |tried: usize, of: usize| {
        if shows {
            out::progress(&format!("suggest   {tried} of at most {of} sets"));
        }
    };
    let suggested = suggest::suggest(program, &repairs, &mut told, &mut interrupt::requested);
    if shows {
        out::progress("");
    }
    let shown = args.file.to_string_lossy();
    let report = SuggestReport {
        title: format!("{}, variant {}", scenario.name, variant.name),
        program: program.clone(),
        repairs,
        suggested: suggested.map_err(Failure::Internal)?,
        victims: Some(files::command(&["victims", &shown])),
    };
    out::result(&match args.json {
        true => report::suggest_json(&report).to_string(),
        false => report::suggest_text(&report, out::style()),
    })?;
    Ok(
        match (interrupt::requested(), report.suggested.stand.is_empty()) {
            (true, _) => Exit::Interrupted,
            (false, true) => Exit::Unexpected,
            (false, false) => Exit::AsExpected,
        },
    )
}

/// The variant that is named, or the first that is expected to fail.
fn failing<'a>(scenario: &'a Scenario, args: &SuggestArgs) -> Result<&'a Variant, Failure> {
    let variants = &scenario.variants;
    let fails = |variant: &&Variant| matches!(variant.expect, Expect::Violates(_));
    let found = match &args.variant {
        Some(name) => variants.iter().find(|variant| variant.name == *name),
        None => variants.iter().find(fails),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = variants
            .iter()
            .map(|variant| variant.name.as_str())
            .collect();
        let why = match &args.variant {
            Some(name) => format!("no variant is named {name}; known are {}", known.join(", ")),
            None => "no variant is expected to fail: name one with --variant".to_owned(),
        };
        Failure::input(&args.file, why)
    })
}
