//! What `verify` prints: findings by rule.

use std::fmt::Write as _;

use lockstep_store::Report;

use super::{count, printable};

/// Findings by rule, each offending row in one line. At most `per_rule` of each rule were looked for.
pub fn verify_text(file: &str, report: &Report, per_rule: u32) -> String {
    let mut out = String::new();
    let mut last = "";
    for finding in &report.findings {
        if finding.rule != last {
            let of_rule = report
                .findings
                .iter()
                .filter(|other| other.rule == finding.rule)
                .count() as u64;
            let more = if of_rule >= u64::from(per_rule) {
                " or more"
            } else {
                ""
            };
            let _ = writeln!(out, "{}: {}{more}", finding.rule, count(of_rule, "row"));
            last = &finding.rule;
        }
        let columns: Vec<String> = finding
            .row
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let _ = writeln!(out, "  {}", printable(&columns.join(" ")));
    }
    for rule in &report.unfinished {
        let _ = writeln!(
            out,
            "{rule}: not finished, the database is too large for its budget"
        );
    }
    let rules = count(lockstep_store::verify::RULES.len() as u64, "rule");
    let word = if report.findings.is_empty() {
        "ok"
    } else {
        "violated"
    };
    let findings = count(report.findings.len() as u64, "finding");
    let _ = writeln!(out, "{word}   {}: {rules}, {findings}", printable(file));
    out
}
