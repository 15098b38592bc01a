//! What `compare` prints: variants against invariants.

use std::fmt::Write as _;

use super::ablate::ablation_text;
use super::table::{ending, expected, notes, widest};
use super::{CompareReport, ScenarioReport, Style, VariantReport, printable};

/// A wider matrix has numbers over its columns, which stand for the names above it.
const WIDEST: usize = 100;
/// What stands in a cell that nothing violated.
const CLEAN: &str = "-";

/// The matrix, with what each verdict covers. Its last line is the command that replays the first unexpected violation.
pub fn compare_text(report: &CompareReport, style: Style) -> String {
    let mut out = String::new();
    for scenario in &report.run.scenarios {
        let _ = writeln!(
            out,
            "{}   seed {}; a cell is the first run that violates",
            printable(&scenario.name),
            report.seed
        );
        let common = scenario.common();
        let _ = writeln!(out, "  {}", printable(&common.join("; ")));
        Matrix::of(report, scenario).text(&mut out, scenario, &common, style);
        out.push('\n');
    }
    for ablation in &report.ablations {
        ablation_text(&mut out, ablation, style);
        out.push('\n');
    }
    ending(&mut out, &report.run, style);
    out
}

/// Columns and their widths.
struct Matrix {
    invariants: Vec<String>,
    heads: Vec<String>,
    widths: Vec<usize>,
    name: usize,
}

impl Matrix {
    fn of(report: &CompareReport, scenario: &ScenarioReport) -> Self {
        let invariants = report.columns(scenario);
        let total: usize = invariants.iter().map(|name| name.len() + 3).sum();
        let heads: Vec<String> = if total > WIDEST {
            (1..=invariants.len()).map(|n| format!("[{n}]")).collect()
        } else {
            invariants.clone()
        };
        let width = |(invariant, head): (&String, &String)| {
            let cells = scenario.variants.iter().map(|v| cell(v, invariant));
            widest(cells.chain([head.clone()]))
        };
        Self {
            widths: invariants.iter().zip(&heads).map(width).collect(),
            name: widest(scenario.variants.iter().map(|variant| &variant.name)),
            invariants,
            heads,
        }
    }

    fn text(&self, out: &mut String, scenario: &ScenarioReport, common: &[String], style: Style) {
        if self.heads != self.invariants {
            for (head, invariant) in self.heads.iter().zip(&self.invariants) {
                let _ = writeln!(out, "  {head} {}", printable(invariant));
            }
        }
        let head = self.row(self.heads.iter().map(String::as_str));
        let _ = writeln!(out, "  {:name$}{}", "", head.trim_end(), name = self.name);
        for variant in &scenario.variants {
            let cells: Vec<String> = self.invariants.iter().map(|i| cell(variant, i)).collect();
            let _ = writeln!(
                out,
                "  {:name$}{}   {:<9}   {}",
                printable(&variant.name),
                self.row(cells.iter().map(String::as_str)),
                variant.verdict.name(),
                expected(variant, style),
                name = self.name
            );
            for note in notes(variant, common, style) {
                let _ = writeln!(out, "  {:name$}   {note}", "", name = self.name);
            }
        }
        for invariant in &self.invariants {
            let clean = |variant: &VariantReport| !variant.firsts.contains_key(invariant);
            if scenario.variants.iter().all(clean) {
                let _ = writeln!(
                    out,
                    "  {}: no variant violates it: nothing here shows that it can fail",
                    printable(invariant)
                );
            }
        }
    }

    fn row<'t>(&self, cells: impl Iterator<Item = &'t str>) -> String {
        let padded = cells.zip(&self.widths);
        padded
            .map(|(cell, width)| format!("   {:<width$}", printable(cell)))
            .collect()
    }
}

fn cell(variant: &VariantReport, invariant: &str) -> String {
    let first = variant.firsts.get(invariant);
    first.map_or_else(|| CLEAN.to_owned(), |run| format!("run {run}"))
}
