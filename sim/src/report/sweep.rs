//! What people read about a sweep: what came out, what the runs were made of, and what they would still show.

use std::fmt::Write as _;

use super::table::widest;
use super::{Style, SweepReport, count, grouped, share, spaced};
use crate::search::JUDGED_FROM;

/// What is in fewer runs than one in so many is rare.
const RARE: u64 = 100;

impl SweepReport {
    /// Faults, goals and roles that are in less than 1 % of the runs. A sweep that is too short to be judged has none.
    pub fn rare(&self) -> Vec<String> {
        if self.runs < JUDGED_FROM {
            return Vec::new();
        }
        let named =
            |what: &'static str| move |(name, runs): (&str, u64)| (format!("{what} {name}"), runs);
        let faults = self.faults.iter().map(|(name, runs)| (*name, *runs));
        let goals = self.goals.iter().map(|(name, runs)| (name.as_str(), *runs));
        let roles = self
            .adequacy
            .roles
            .iter()
            .map(|(name, runs)| (name.as_str(), *runs));
        faults
            .map(named("fault"))
            .chain(goals.map(named("goal")))
            .chain(roles.map(named("role")))
            .filter(|(_, runs)| runs.saturating_mul(RARE) < self.runs)
            .map(|(name, _)| name)
            .collect()
    }
}

/// The sweep's part of the table.
pub(super) fn sweep_text(out: &mut String, sweep: &SweepReport, style: Style) {
    let (from, to) = sweep.seeds;
    let _ = writeln!(out, "sweep of the reference store, seeds {from}..{to}");
    let violations = match sweep.violations {
        0 => style.green("no violation"),
        n => style.red(&format!("{} with a violation", count(n, "run"))),
    };
    let rate = if sweep.seconds > 0.0 {
        sweep.statements as f64 / sweep.seconds
    } else {
        0.0
    };
    let speed = format!(
        "{:.1} s, {} statements/s",
        sweep.seconds,
        grouped(rate as u64)
    );
    let statements = count(sweep.statements, "statement");
    let _ = writeln!(
        out,
        "  {}, {statements}   {violations}   {speed}",
        count(sweep.runs, "run")
    );
    if let Some(first) = sweep.undecided.first() {
        let runs = count(sweep.undecided.len() as u64, "run");
        let words = style.red(&format!("{runs} undecided:"));
        let _ = writeln!(
            out,
            "  {words} a search for an order of the operations was given up, first with seed {first}"
        );
    }
    if sweep.cut {
        let _ = writeln!(out, "  cut short before the last seed");
    }
    adequacy(out, sweep, style);
    if sweep.vacuous {
        let missed: Vec<String> = sweep
            .goals
            .iter()
            .filter(|(_, runs)| **runs == 0)
            .map(|(name, _)| spaced(name))
            .collect();
        let _ = writeln!(
            out,
            "  {} goals never reached: {}",
            style.red("vacuous:"),
            missed.join(", ")
        );
    }
    for case in &sweep.cases {
        let size = format!(
            "{}, {}",
            count(case.events as u64, "event"),
            count(case.deviations as u64, "deviation")
        );
        let _ = writeln!(
            out,
            "  violated {} (seed {}, {size})",
            style.red(&case.invariant),
            case.seed
        );
        let _ = writeln!(out, "    {}", case.replay);
    }
    out.push('\n');
}

/// Faults by the sites they struck, goals and roles by their share of the runs, and the chance of something new.
fn adequacy(out: &mut String, sweep: &SweepReport, style: Style) {
    faults(out, sweep);
    let shares = |counts: Vec<(&String, &u64)>| {
        let mut counts = counts;
        counts.sort_by_key(|(_, runs)| **runs);
        let share = |(name, runs): (&String, &u64)| {
            format!("{} {}", spaced(name), share(*runs, sweep.runs))
        };
        counts.into_iter().map(share).collect::<Vec<_>>()
    };
    wrapped(
        out,
        "goals, the rarest first",
        &shares(sweep.goals.iter().collect()),
    );
    wrapped(
        out,
        "roles at work",
        &shares(sweep.adequacy.roles.iter().collect()),
    );
    let rare: Vec<String> = sweep.rare().iter().map(|name| spaced(name)).collect();
    if !rare.is_empty() {
        let _ = writeln!(
            out,
            "  {} {}",
            style.red("in less than 1 % of the runs:"),
            rare.join(", ")
        );
    }
    let chance = |orders: &crate::search::Orders| percent(orders.next_is_new(sweep.runs));
    let _ = writeln!(
        out,
        "  next run shows a new order of events: {} (pairs), {} (whole runs)",
        chance(&sweep.adequacy.pairs),
        chance(&sweep.adequacy.whole_runs)
    );
}

fn faults(out: &mut String, sweep: &SweepReport) {
    let names: Vec<String> = sweep.faults.iter().map(|(name, _)| spaced(name)).collect();
    let width = widest(names.iter()).max("fault".len());
    let _ = writeln!(out, "  {:width$}   in runs   sites   rarest site", "fault");
    for ((key, runs), name) in sweep.faults.iter().zip(&names) {
        let sites = sweep.adequacy.sites.get(*key);
        let rarest = sites.and_then(|sites| sites.iter().min_by_key(|(_, runs)| **runs));
        let rarest = rarest.map_or("-".to_owned(), |(site, runs)| {
            format!("{site}, in {}", count(*runs, "run"))
        });
        let known = sites.map_or(0, |sites| sites.len());
        let _ = writeln!(
            out,
            "  {name:width$}   {:>7}   {known:>5}   {rarest}",
            share(*runs, sweep.runs)
        );
    }
}

fn percent(chance: f64) -> String {
    const PARTS: f64 = 1e9;
    share((chance * PARTS) as u64, PARTS as u64)
}

/// A list in lines of at most about a hundred characters.
fn wrapped(out: &mut String, title: &str, items: &[String]) {
    const WIDTH: usize = 100;
    let mut line = format!("  {title}:");
    for (i, item) in items.iter().enumerate() {
        let comma = if i + 1 < items.len() { "," } else { "" };
        if line.chars().count() + item.chars().count() + 2 > WIDTH {
            let _ = writeln!(out, "{line}");
            line = "   ".to_owned();
        }
        let _ = write!(line, " {item}{comma}");
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::SweepReport;

    fn report(runs: u64) -> SweepReport {
        let mut report = SweepReport {
            runs,
            faults: vec![("crash", runs), ("pause", runs / 100 - 1)],
            ..SweepReport::default()
        };
        report.goals.insert("takeover".to_owned(), runs / 100);
        report.goals.insert("moved".to_owned(), 0);
        report.adequacy.roles.insert("api".to_owned(), 1);
        report
    }

    #[test]
    fn what_is_rare_is_named_when_there_are_runs_enough() {
        assert_eq!(
            report(1000).rare(),
            ["fault pause", "goal moved", "role api"]
        );
        assert_eq!(report(900).rare(), Vec::<String>::new());
    }
}
