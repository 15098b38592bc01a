//! `lockstep replay`: one case, run twice on two stages; the same trace, or the harness is broken.

use std::path::Path;
use std::rc::Rc;

use lockstep_sim::case::{CaseFile, Decisions, Source, Violates};
use lockstep_sim::decide::{Counts, Replay};
use lockstep_sim::exit::Exit;
use lockstep_sim::report::{self, ReplayReport, ReplayVerdict};
use lockstep_sim::run::{Ran, Stage, World};
use lockstep_sim::scenario::{self, Scenario, Variant};
use lockstep_sim::{search, shrink};

use super::args::ReplayArgs;
use super::failure::Failure;
use super::workshop::{DEFAULT, STORE, store_world, world_of};
use super::{files, out};

/// What is run again.
struct Subject {
    title: String,
    world: Rc<dyn World>,
    how: How,
    /// What the case is said to violate.
    claim: Option<Violates>,
    /// Whether what is run judges that.
    judged: bool,
    /// A world that is swept, not searched.
    swept: bool,
}

/// Where the decisions come from.
enum How {
    Decisions(Decisions),
    Seed { seed: u64, run: u64 },
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<Exit, Failure> {
    let subject = subject(args)?;
    let (first, second) = (once(&subject)?, once(&subject)?);
    if let Some(words) = first.internal.as_ref().or(second.internal.as_ref()) {
        return Err(Failure::Internal(words.clone()));
    }
    if first.hash != second.hash {
        out::talk(&report::two_traces(&first.trace, &second.trace));
        return Ok(Exit::TwoTraces);
    }
    let undecided = first.undecided.clone();
    let report = told(args, &subject, first);
    if report.verdict == ReplayVerdict::Fixed && !subject.judged {
        let missing = subject.claim.map_or(String::new(), |claim| claim.invariant);
        return Err(Failure::usage(format!(
            "{}: no invariant is named {missing}, so nothing says whether the case is fixed",
            report.title
        )));
    }
    let text = match args.json {
        true => report::replay_json(&report).to_string(),
        false => report::replay_text(&report, out::style()),
    };
    out::result(&text)?;
    if let Some(words) = undecided.filter(|_| report.violated.is_empty()) {
        out::talk(&format!("undecided: {words}"));
        return Ok(Exit::Undecided);
    }
    Ok(match report.verdict {
        ReplayVerdict::Violated => Exit::Unexpected,
        ReplayVerdict::Drifted => Exit::Undecided,
        ReplayVerdict::Fixed | ReplayVerdict::Holds => Exit::AsExpected,
    })
}

fn subject(args: &ReplayArgs) -> Result<Subject, Failure> {
    match (&args.case, &args.scenario) {
        (Some(path), other) => of_case(path, other.as_deref(), args.variant.as_deref()),
        (None, Some(path)) => of_scenario(path, args),
        (None, None) => {
            let how = how(args)?;
            Ok(Subject {
                title: title(STORE, DEFAULT, &how),
                world: store_world(),
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
        how,
        claim: None,
        judged: true,
        swept: false,
    })
}

fn of_case(path: &Path, other: Option<&Path>, variant: Option<&str>) -> Result<Subject, Failure> {
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
    let variant = pick(&scenario, Some(name))?;
    let shown = match case.without.is_empty() {
        true => variant.name.clone(),
        false => format!("{} without {}", variant.name, case.without.join(", ")),
    };
    Ok(Subject {
        title: title(&scenario.name, &shown, &how),
        world: world_of(variant),
        how,
        judged: judges(variant, &case.violates.invariant),
        claim,
        swept: false,
    })
}

/// Why a file is no case. A scenario is told from other texts by its keys: it need not be sound.
fn no_case(path: &Path, text: &str, why: String) -> Failure {
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
    let rules = &variant.program.invariants;
    rules.iter().any(|rule| rule.name == invariant)
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

/// Runs it on a stage of its own.
fn once(subject: &Subject) -> Result<Ran, Failure> {
    let mut stage = Stage::new(Rc::clone(&subject.world)).map_err(Failure::Usage)?;
    let ran = match &subject.how {
        How::Decisions(decisions) => stage.run(&mut || Box::new(Replay::new(decisions))),
        How::Seed { seed, .. } if subject.swept => search::quiet(&mut stage, *seed)
            .and_then(|(profile, _)| stage.run(&mut || search::of_seed(*seed).strategy(&profile))),
        How::Seed { seed, run } => search::run_of(&mut stage, *seed, *run),
    };
    let ran = ran.map_err(Failure::Internal)?;
    match ran.endless {
        Some(words) => Err(Failure::Usage(words)),
        None => Ok(ran),
    }
}

fn told(args: &ReplayArgs, subject: &Subject, ran: Ran) -> ReplayReport {
    let counts = match subject.how {
        How::Decisions(_) => ran.counts,
        How::Seed { .. } => Counts {
            used: ran.decisions.0.len(),
            ..Counts::default()
        },
    };
    let verdict = match (
        ran.violations.is_empty(),
        counts.blocked + counts.absent,
        &subject.claim,
    ) {
        (false, ..) => ReplayVerdict::Violated,
        (true, 1.., _) => ReplayVerdict::Drifted,
        (true, 0, Some(_)) => ReplayVerdict::Fixed,
        (true, 0, None) => ReplayVerdict::Holds,
    };
    ReplayReport {
        title: subject.title.clone(),
        verdict,
        violated: ran.violated(),
        violations: ran
            .violations
            .iter()
            .map(|violation| format!("{} {}", violation.invariant, violation.row))
            .collect(),
        digest: ran.hash,
        events: shrink::events(&ran.trace),
        counts,
        human: report::human(&ran.trace),
        stuck: ran.stuck,
        replay: again(args),
    }
}

/// The command that was given, in full.
fn again(args: &ReplayArgs) -> String {
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
