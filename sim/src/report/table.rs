//! The tables that people read at the end of `run` and `replay`.

use std::fmt::Write as _;

use super::kept::kept_text;
use super::sweep::sweep_text;
use super::{
    CaseReport, ReplayReport, ReplayVerdict, RunReport, ScenarioReport, VariantReport, count,
    expect_words, grouped, printable,
};
use crate::scenario::Expect;
use crate::search::{UncaughtError, Verdict, hex};

/// How much of a table is shown.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Words may be coloured.
    pub colour: bool,
}

/// The table of a whole `run`. Its last line is the command that replays the first failure; if no case was
/// found that could be replayed, the one that does all of it again.
pub fn run_text(report: &RunReport, style: Style) -> String {
    let mut out = String::new();
    kept_text(&mut out, &report.kept, style);
    for scenario in &report.scenarios {
        scenario_text(&mut out, scenario, style);
    }
    if let Some(sweep) = &report.sweep {
        sweep_text(&mut out, sweep, style);
    }
    ending(&mut out, report, style);
    out
}

/// Troubles, summary, digest, and the command that shows why something was not as expected.
pub(super) fn ending(out: &mut String, report: &RunReport, style: Style) {
    for trouble in &report.troubles {
        let _ = writeln!(out, "{}", style.red(&printable(trouble)));
    }
    let _ = writeln!(out, "{}", summary(report, style));
    let _ = writeln!(out, "digest {}", hex(report.digest));
    let kept = report.kept.iter().find(|kept| !kept.as_expected);
    if let Some(kept) = kept {
        let _ = writeln!(out, "replay: {}", kept.replay);
    } else if let Some(case) = first_unexpected(report) {
        let _ = writeln!(out, "replay: {}", case.replay);
    } else if !report.as_expected {
        let _ = writeln!(out, "again: {}", report.again);
    }
}

/// The case that a reader should look at first.
fn first_unexpected(report: &RunReport) -> Option<&CaseReport> {
    let variants = report
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.variants);
    let of_variants = variants
        .filter(|variant| !variant.as_expected)
        .find_map(|variant| variant.cases.first());
    of_variants.or_else(|| report.sweep.as_ref().and_then(|sweep| sweep.cases.first()))
}

fn scenario_text(out: &mut String, scenario: &ScenarioReport, style: Style) {
    let _ = writeln!(out, "{}", printable(&scenario.name));
    let common = scenario.common();
    let _ = writeln!(out, "  {}", printable(&common.join("; ")));
    let name = widest(
        scenario
            .variants
            .iter()
            .map(|variant| variant.name.as_str()),
    );
    let result = widest(
        scenario
            .variants
            .iter()
            .map(result)
            .collect::<Vec<_>>()
            .iter(),
    );
    for variant in &scenario.variants {
        variant_text(out, variant, &common, (name, result), style);
    }
    out.push('\n');
}

pub(super) fn widest<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> usize {
    texts
        .map(|text| text.as_ref().chars().count())
        .max()
        .unwrap_or(0)
}

/// What came out, in one cell.
fn result(variant: &VariantReport) -> String {
    let verdict = variant.verdict.name();
    if variant.violated.is_empty() {
        verdict.to_owned()
    } else {
        format!("{verdict:<9}  {}", printable(&variant.violated.join(", ")))
    }
}

fn variant_text(
    out: &mut String,
    variant: &VariantReport,
    common: &[String],
    (name, width): (usize, usize),
    style: Style,
) {
    let expected = expected(variant, style);
    let cell = result(variant);
    let line = format!(
        "  {:<name$}  {cell:<width$}   {expected}",
        printable(&variant.name)
    );
    let found = variant
        .runs_to_find
        .map_or(String::new(), |runs| format!("   {}", found(variant, runs)));
    let _ = writeln!(out, "{line}{found}");
    for note in notes(variant, common, style) {
        let _ = writeln!(out, "  {:name$}  {note}", "");
    }
}

pub(super) fn expected(variant: &VariantReport, style: Style) -> String {
    if variant.as_expected {
        style.green("as expected")
    } else {
        style.red("UNEXPECTED ")
    }
}

fn found(variant: &VariantReport, runs: u64) -> String {
    let size = variant.cases.first().map_or(String::new(), |case| {
        format!(
            ", {}, {}",
            count(case.events as u64, "event"),
            count(case.deviations as u64, "deviation")
        )
    });
    format!("found in {}{size}", count(runs, "run"))
}

/// Lines under a variant: why it is unexpected, what a fix does not do, what a verdict covers.
pub(super) fn notes(variant: &VariantReport, common: &[String], style: Style) -> Vec<String> {
    let mut notes = Vec::new();
    if !variant.as_expected {
        notes.push(format!(
            "expected: {}",
            printable(&expect_words(&variant.expect))
        ));
    }
    if variant.as_expected && variant.verdict == Verdict::Violated && variant.name.contains("fix") {
        notes.push("the published fix does not hold".to_owned());
    }
    if let Expect::Violates(names) = &variant.expect {
        let missed: Vec<&str> = names
            .iter()
            .filter(|name| !variant.violated.contains(name))
            .map(String::as_str)
            .collect();
        if !missed.is_empty() {
            notes.push(format!(
                "not found in {}: {}",
                count(variant.runs, "run"),
                printable(&missed.join(", "))
            ));
        }
    }
    if variant.searches > 1 {
        notes.push(format!(
            "as expected in {} of {}",
            grouped(variant.expected),
            searches(variant.searches)
        ));
    }
    if variant.cut {
        notes.push("cut short before the search was over".to_owned());
    }
    if variant.verdict == Verdict::Vacuous {
        notes.push(vacuity(variant));
    }
    if variant.verdict != Verdict::Violated {
        notes.extend(variant.waiting.iter().map(|(waits, runs)| {
            format!(
                "{} still {} at the end of {} of {} runs: what comes after it did not happen there",
                printable(waits.split_once('/').map_or(waits, |(event, _)| event)),
                printable(waits.split_once(' ').map_or("waits", |(_, how)| how)),
                grouped(*runs),
                grouped(variant.runs)
            )
        }));
    }
    notes.push(printable(&variant.own_coverage(common)));
    notes.extend(uncaught(variant));
    let hopeless = variant.uncaught.hopeless();
    notes.extend(hopeless.iter().map(|(flow, error)| {
        let words = format!(
            "EVERY time flow `{flow}` ran, it ended in an error that nobody caught: most likely a mistake in the scenario; {}",
            located(error)
        );
        style.red(&printable(&words))
    }));
    if !variant.as_expected {
        notes.extend(
            variant
                .cases
                .iter()
                .map(|case| format!("{}: {}", printable(&case.invariant), case.replay)),
        );
    }
    notes
}

/// In how many runs flows ended in errors, and in which one most often.
fn uncaught(variant: &VariantReport) -> Option<String> {
    let errors = variant.uncaught.errors();
    let words = format!(
        "uncaught errors in {} of {}, most often {}",
        grouped(variant.uncaught.runs),
        count(variant.runs, "run"),
        located(errors.first()?)
    );
    Some(printable(&words))
}

fn located(error: &UncaughtError) -> String {
    if error.place.is_empty() {
        error.words.clone()
    } else {
        format!("{}: {}", error.place, error.words)
    }
}

fn searches(n: u64) -> String {
    format!("{} search{}", grouped(n), if n == 1 { "" } else { "es" })
}

fn vacuity(variant: &VariantReport) -> String {
    let missed: Vec<&str> = variant.missed().collect();
    let never = |runs: &u64| *runs == variant.runs;
    if missed.is_empty() && variant.waiting.values().any(never) {
        "something that was to happen never did, in no run: the runs prove nothing".to_owned()
    } else if missed.is_empty() {
        "no invariant ever read a row: the runs prove nothing".to_owned()
    } else {
        format!(
            "goals never reached: {}; clean runs without them prove nothing",
            printable(&missed.join(", "))
        )
    }
}

fn summary(report: &RunReport, style: Style) -> String {
    let variants: Vec<&VariantReport> = report
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.variants)
        .collect();
    let good = variants
        .iter()
        .filter(|variant| variant.as_expected)
        .count();
    let mut parts = Vec::new();
    if !report.kept.is_empty() {
        let good = report.kept.iter().filter(|kept| kept.as_expected).count();
        let kept = count(report.kept.len() as u64, "kept case");
        parts.push(format!("{kept}: {good} as expected"));
    }
    if !variants.is_empty() {
        let scenarios = count(report.scenarios.len() as u64, "scenario");
        parts.push(format!(
            "{scenarios}: {good} of {} as expected",
            count(variants.len() as u64, "variant")
        ));
    }
    if let Some(sweep) = &report.sweep {
        parts.push(format!(
            "sweep: {} in {}",
            count(sweep.violations, "violation"),
            count(sweep.runs, "run")
        ));
    }
    let word = match (report.interrupted, report.as_expected) {
        (true, _) => style.red("interrupted"),
        (false, true) => style.green("ok"),
        (false, false) => style.red("NOT AS EXPECTED"),
    };
    format!("{word}   {}   {:.1} s", parts.join("; "), report.seconds)
}

/// What `replay` prints: the interleaving, the verdict, and the command that does it again.
pub fn replay_text(report: &ReplayReport, style: Style) -> String {
    let mut out = format!("{}\n\n{}\n", printable(&report.title), report.human);
    for violation in &report.violations {
        let _ = writeln!(out, "{} {}", style.red("violated"), printable(violation));
    }
    for stuck in &report.stuck {
        let _ = writeln!(out, "stuck    {}", printable(stuck));
    }
    let counts = report.counts;
    let all = counts.used + counts.blocked + counts.absent;
    let gone = counts.blocked + counts.absent;
    let verdict = match report.verdict {
        ReplayVerdict::Violated => style.red("violated"),
        ReplayVerdict::Fixed => style.green("fixed"),
        ReplayVerdict::Holds => style.green("holds"),
        ReplayVerdict::Drifted => style.red(&format!(
            "drifted ({gone} of {} gone)",
            count(all as u64, "decision")
        )),
    };
    let used = format!(
        "{} of {} carried out",
        counts.used,
        count(all as u64, "decision")
    );
    let _ = writeln!(
        out,
        "{verdict}   {}, {used}   trace {}",
        count(report.events as u64, "event"),
        hex(report.digest)
    );
    if matches!(
        report.verdict,
        ReplayVerdict::Violated | ReplayVerdict::Drifted
    ) {
        let _ = writeln!(out, "replay: {}", report.replay);
    }
    out
}

impl Style {
    pub(super) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
