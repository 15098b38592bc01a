//! What `compare --ablate` prints: the parts of a fix, and which of them it needs.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::json::case_json;
use super::{CaseReport, Style, printable, traces};
use crate::scenario::ablate::Part;
use crate::search::Verdict;

/// A fix taken apart.
#[derive(Debug, Clone)]
pub struct Ablation {
    /// The variant.
    pub variant: String,
    /// Its parts that were dropped alone, each with what came of it.
    pub parts: Vec<(Part, Fate)>,
    /// As few parts as were found to be enough, if any was not needed.
    pub smallest: Option<Smallest>,
    /// Why it was not taken apart.
    pub skipped: Option<String>,
}

/// What comes of a variant without some of its parts.
#[derive(Debug, Clone)]
pub enum Fate {
    /// An invariant is violated.
    Needed {
        /// The first run that violates it.
        run: u64,
        /// The shrunk case.
        case: CaseReport,
    },
    /// Nothing is violated.
    NotNeeded(Clean),
    /// What is left does not check, or its setup fails: in words.
    Bound(String),
    /// Nothing is violated, and that means nothing: in words.
    Vacuous(String),
    /// There was no time to tell.
    Cut,
}

/// A clean search.
#[derive(Debug, Clone, Copy)]
pub struct Clean {
    /// Holds, or undecided because of the engine.
    pub verdict: Verdict,
    /// Runs.
    pub runs: u64,
    /// Traces that differ.
    pub distinct: u64,
    /// Nothing new came at its end.
    pub saturated: bool,
}

/// The smallest fix that was found, by dropping what is not needed.
#[derive(Debug, Clone)]
pub struct Smallest {
    /// Parts without which it was tried at the end, in the order of the file.
    pub dropped: Vec<String>,
    /// Parts that are left, those of which a larger part stands for them left out.
    pub kept: Vec<String>,
    /// What the search without them gave.
    pub clean: Clean,
}

impl Fate {
    /// The word in JSON.
    const fn name(&self) -> &'static str {
        match self {
            Self::Needed { .. } => "needed",
            Self::NotNeeded(_) => "not_needed",
            Self::Bound(_) => "cannot_be_dropped_alone",
            Self::Vacuous(_) => "vacuous",
            Self::Cut => "cut",
        }
    }

    fn words(&self, style: Style) -> String {
        match self {
            Self::Needed { run, case } => {
                let invariant = printable(&case.invariant);
                format!("{}: violates {invariant} at run {run}", style.red("needed"))
            }
            Self::NotNeeded(clean) => format!(
                "{} within {}",
                style.green("not needed"),
                traces(clean.runs, clean.distinct, clean.saturated)
            ),
            Self::Bound(why) => format!("cannot be dropped alone: {}", printable(why)),
            Self::Vacuous(why) => format!("says nothing: {}", printable(why)),
            Self::Cut => "cut short before the search was over".to_owned(),
        }
    }
}

pub(super) fn ablation_text(out: &mut String, ablation: &Ablation, style: Style) {
    let variant = printable(&ablation.variant);
    if let Some(why) = &ablation.skipped {
        let _ = writeln!(out, "{variant} was not taken apart: {}", printable(why));
        return;
    }
    let _ = writeln!(out, "{variant} without one of its parts");
    for (part, fate) in &ablation.parts {
        let depth = if part.of.is_some() { "    " } else { "  " };
        let (name, line) = (printable(&part.name), part.at.line);
        let _ = writeln!(
            out,
            "{depth}{name}   line {line}: {}",
            printable(&part.text)
        );
        let _ = writeln!(out, "{depth}  {}", fate.words(style));
        if let Fate::Needed { case, .. } = fate {
            let _ = writeln!(out, "{depth}  replay: {}", case.replay);
        }
    }
    let _ = writeln!(out, "  {}", printable(&smallest_words(ablation)));
}

fn smallest_words(ablation: &Ablation) -> String {
    let Some(smallest) = &ablation.smallest else {
        let spare = |(_, fate): &(Part, Fate)| matches!(fate, Fate::NotNeeded(_));
        return match ablation.parts.iter().any(spare) {
            true => "smallest fix: there was no time to look for it".to_owned(),
            false => "smallest fix: all of it".to_owned(),
        };
    };
    let clean = smallest.clean;
    let kept = match smallest.kept.is_empty() {
        true => "nothing of it".to_owned(),
        false => smallest.kept.join(", "),
    };
    format!(
        "smallest fix: {kept}; {} without {} ({})",
        clean.verdict.name(),
        smallest.dropped.join(", "),
        traces(clean.runs, clean.distinct, clean.saturated)
    )
}

pub(super) fn ablation_json(ablation: &Ablation) -> Json {
    json!({
        "variant": ablation.variant,
        "skipped": ablation.skipped,
        "parts": ablation.parts.iter().map(part_json).collect::<Vec<_>>(),
        "smallest": ablation.smallest.as_ref().map(|smallest| json!({
            "kept": smallest.kept,
            "dropped": smallest.dropped,
            "verdict": smallest.clean.verdict.name(),
            "runs": smallest.clean.runs,
            "distinct": smallest.clean.distinct,
            "saturated": smallest.clean.saturated,
        })),
    })
}

fn part_json((part, fate): &(Part, Fate)) -> Json {
    let clean = match fate {
        Fate::NotNeeded(clean) => Some(*clean),
        _ => None,
    };
    let (run, case) = match fate {
        Fate::Needed { run, case } => (Some(*run), Some(case_json(case))),
        _ => (None, None),
    };
    let why = match fate {
        Fate::Bound(why) | Fate::Vacuous(why) => Some(why),
        _ => None,
    };
    json!({
        "name": part.name,
        "of": part.of,
        "line": part.at.line,
        "text": part.text,
        "fate": fate.name(),
        "run": run,
        "case": case,
        "runs": clean.map(|clean| clean.runs),
        "distinct": clean.map(|clean| clean.distinct),
        "why": why,
    })
}
