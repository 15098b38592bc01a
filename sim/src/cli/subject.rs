//! What a case or a run of a search is: the world, the decisions, and what is claimed of it. Read from the arguments of `replay`
//! and `explain`.

use std::path::Path;
use std::rc::Rc;

use lockstep_sim::case::{CaseFile, Decisions, Source, Violates};
use lockstep_sim::decide::Replay;
use lockstep_sim::run::{Ran, Stage, World};
use lockstep_sim::scenario::{self, Expect, Program, Scenario, Variant};
use lockstep_sim::shrink::Target;
use lockstep_sim::{report, search};

use super::args::ReplayArgs;
use super::failure::Failure;
use super::files;
use super::workshop::{DEFAULT, STORE, store_world, world_of};

/// What is run again.
pub(crate) struct Subject {
    pub(crate) title: String,
    pub(crate) world: Rc<dyn World>,
    /// What the world was made of, if it is a scenario's.
    pub(crate) program: Option<Program>,
    /// What is expected of it, if it is a variant as it stands.
    pub(crate) expect: Option<Expect>,
    pub(crate) how: How,
    /// What the case is said to violate.
    pub(crate) claim: Option<Violates>,
    /// Whether what is run judges that.
    pub(crate) judged: bool,
    /// A world that is swept, not searched.
    pub(crate) swept: bool,
}

/// Where the decisions come from.
pub(crate) enum How {
    Decisions(Decisions),
    Seed { seed: u64, run: u64 },
}

/// What a case violates, as what must still fail.
pub(crate) fn target(claim: &Violates) -> Target {
    Target {
        invariant: claim.invariant.clone(),
        key: claim.key.clone(),
    }
}

impl Subject {
    /// Runs it on a stage of its own.
    pub(crate) fn once(&self) -> Result<Ran, Failure> {
        let mut stage = self.stage()?;
        let ran = match &self.how {
            How::Decisions(decisions) => stage.run(&mut || Box::new(Replay::new(decisions))),
            How::Seed { seed, .. } if self.swept => {
                search::quiet(&mut stage, *seed).and_then(|(profile, _)| {
                    stage.run(&mut || search::of_seed(*seed).strategy(&profile))
                })
            }
            How::Seed { seed, run } => search::run_of(&mut stage, *seed, *run),
        };
        let ran = ran.map_err(Failure::Internal)?;
        match ran.endless {
            Some(words) => Err(Failure::Usage(words)),
            None => Ok(ran),
        }
    }

    /// A stage for it.
    pub(crate) fn stage(&self) -> Result<Stage, Failure> {
        Stage::new(Rc::clone(&self.world)).map_err(Failure::Usage)
    }
}

pub(crate) fn subject(args: &ReplayArgs) -> Result<Subject, Failure> {
    match (&args.case, &args.scenario) {
        (Some(path), other) => of_case(path, other.as_deref(), args.variant.as_deref()),
        (None, Some(path)) => of_scenario(path, args),
        (None, None) => {
            let how = how(args)?;
            Ok(Subject {
                title: title(STORE, DEFAULT, &how),
                world: store_world(),
                program: None,
                expect: None,
                how,
                claim: None,
                judged: true,
                swept: true,
            })
        }
    }
}

fn how(args: &ReplayArgs) -> Result<How, Failure> {
    if let Some(seed) = args.seed {
        return Ok(How::Seed {
            seed,
            run: args.run,
        });
    }
    let text = args.decisions.as_deref().unwrap_or("");
    text.parse()
        .map(How::Decisions)
        .map_err(|why| Failure::usage(format!("--decisions: {why}")))
}

fn title(scenario: &str, variant: &str, how: &How) -> String {
    match how {
        How::Seed { seed, run } => {
            format!("{scenario}, variant {variant}, run {run} of seed {seed}")
        }
        How::Decisions(decisions) => {
            let decisions = report::count(decisions.0.len() as u64, "decision");
            format!("{scenario}, variant {variant}, {decisions}")
        }
    }
}

fn of_scenario(path: &Path, args: &ReplayArgs) -> Result<Subject, Failure> {
    let scenario = load(path)?;
    let variant = pick(&scenario, args.variant.as_deref())?;
    let how = how(args)?;
    Ok(Subject {
        title: title(&scenario.name, &variant.name, &how),
        world: world_of(variant),
        program: Some(variant.program.clone()),
        expect: Some(variant.expect.clone()),
        how,
        claim: None,
        judged: true,
        swept: false,
    })
}

pub(crate) fn of_case(
    path: &Path,
    other: Option<&Path>,
    variant: Option<&str>,
) -> Result<Subject, Failure> {
    let text = files::read_text(path)?;
    let case = CaseFile::parse(&text).map_err(|why| no_case(path, &text, why))?;
    let how = How::Decisions(case.decisions().map_err(|why| Failure::input(path, why))?);
    let claim = Some(case.violates.clone());
    let name = variant.unwrap_or(&case.variant);
    let scenario = match (&case.scenario, other) {
        (_, Some(other)) if case.without.is_empty() => load(other)?,
        (_, Some(other)) => {
            let Scenario { file, text, .. } = load(other)?;
            scenario::ablate::without(&file, &text, name, &case.without)
                .map_err(|problems| Failure::usage(problems.to_string()))?
        }
        (Source::Scenario { file, text, .. }, None) => {
            scenario::ablate::without(file, text, name, &case.without)
                .map_err(|problems| Failure::input(path, format!("its scenario:\n{problems}")))?
        }
        (Source::World { world }, None) if world == STORE => {
            return Ok(Subject {
                title: title(STORE, DEFAULT, &how),
                world: store_world(),
                program: None,
                expect: None,
                how,
                claim,
                judged: true,
                swept: true,
            });
        }
        (Source::World { world }, None) => {
            return Err(Failure::input(
                path,
                format!("there is no world named {world}; known is {STORE}"),
            ));
        }
    };
    let mut variant = pick(&scenario, Some(name))?.clone();
    let own = other.is_none().then_some(&case.absent[..]);
    if let Some(gone) = own.and_then(|own| unknown(&variant.program, own)) {
        let why = format!("does without the event {gone}, which its scenario does not have");
        return Err(Failure::input(path, why));
    }
    variant.program.leave_out(&case.absent);
    let dropped: Vec<&str> = case
        .without
        .iter()
        .chain(&case.absent)
        .map(String::as_str)
        .collect();
    let shown = match dropped.is_empty() {
        true => variant.name.clone(),
        false => format!("{} without {}", variant.name, dropped.join(", ")),
    };
    Ok(Subject {
        title: title(&scenario.name, &shown, &how),
        world: world_of(&variant),
        program: Some(variant.program.clone()),
        expect: Some(variant.expect.clone()),
        how,
        judged: judges(&variant, &case.violates.invariant),
        claim,
        swept: false,
    })
}

/// The first of these that is no event of the program.
fn unknown<'l>(program: &Program, labels: &'l [String]) -> Option<&'l String> {
    let is_event = |label: &&String| program.events.iter().any(|event| event.label == **label);
    labels.iter().find(|label| !is_event(label))
}

/// Why a file is no case. A scenario is told from other texts by its keys: it need not be sound.
pub(crate) fn no_case(path: &Path, text: &str, why: String) -> Failure {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    if !has("version:") || !has("variants:") {
        return Failure::input(path, why);
    }
    let shown = path.to_string_lossy();
    let search = files::command(&["run", &shown]);
    let show = files::command(&[
        "replay",
        "--scenario",
        &shown,
        "--variant",
        "NAME",
        "--seed",
        "0",
        "--run",
        "0",
    ]);
    let why = format!(
        "this is a scenario, not a case: `{search}` searches it, `{show}` shows one of its runs"
    );
    Failure::input(path, why)
}

/// Without the invariant, a clean run says nothing about it.
fn judges(variant: &Variant, invariant: &str) -> bool {
    variant.program.judged().any(|name| name == invariant)
}

fn load(path: &Path) -> Result<Scenario, Failure> {
    files::scenario(path).map_err(|problems| Failure::usage(problems.to_string()))
}

fn pick<'a>(scenario: &'a Scenario, name: Option<&str>) -> Result<&'a Variant, Failure> {
    let known = || {
        scenario
            .variants
            .iter()
            .map(|variant| variant.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match name {
        None if scenario.variants.len() == 1 => Ok(&scenario.variants[0]),
        None => Err(Failure::usage(format!(
            "{}: say which variant: --variant {}",
            scenario.file,
            known()
        ))),
        Some(name) => {
            let found = scenario
                .variants
                .iter()
                .find(|variant| variant.name == name);
            found.ok_or_else(|| {
                Failure::usage(format!(
                    "{}: no variant is named {name}; known are {}",
                    scenario.file,
                    known()
                ))
            })
        }
    }
}

/// The command that was given, in full.
pub(crate) fn again(args: &ReplayArgs) -> String {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut words = vec!["replay".to_owned()];
    let mut flag = |name: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]))
    };
    flag("--world", args.world.clone());
    flag("--scenario", args.scenario.as_deref().map(text));
    flag("--variant", args.variant.clone());
    flag("--decisions", args.decisions.clone());
    flag("--seed", args.seed.map(|seed| seed.to_string()));
    flag(
        "--run",
        args.seed
            .filter(|_| args.run != 1)
            .map(|_| args.run.to_string()),
    );
    words.extend(args.case.as_deref().map(text));
    files::command(&words.iter().map(String::as_str).collect::<Vec<_>>())
}
