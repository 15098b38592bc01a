//! The sweep's part of `lockstep run`: its orders, what they add up to, and what that means.

use std::collections::BTreeMap;

use lockstep_sim::exit::Exit;
use lockstep_sim::fault::Fault;
use lockstep_sim::report::{self, SweepReport};
use lockstep_sim::search::{First, JUDGED_FROM, Swept};
use lockstep_sim::world::StoreWorld;

use super::failure::Failure;
use super::settings::Settings;
use super::work::Work;
use super::workshop::{Answer, DEFAULT, Order, STORE};

/// Seeds of one order of the sweep.
const BLOCK: u64 = 250;

impl Work {
    pub(super) fn sweep(&mut self, settings: &Settings) -> Result<(), Failure> {
        let started = self.control.seconds();
        let seeds = settings.sweep.clone();
        let mut orders = sweep_orders(seeds.clone());
        let mut swept = Swept::default();
        let (progress, digest) = (&mut self.progress, &mut self.digest);
        // The quiet run is one more.
        let total = (seeds.end - seeds.start).saturating_add(1);
        progress.begin("sweep", ("run", "runs"), total);
        self.pool
            .run(&mut orders, &self.control, &mut |n, answer| match answer {
                Answer::Swept(part) => {
                    progress.add(part.runs, part.runs, part.violations);
                    let run = u64::from(n > 0);
                    part.hashes.iter().for_each(|(seed, hash)| {
                        digest.add_runs(STORE, DEFAULT, *seed, run, &[*hash])
                    });
                    swept.absorb(Swept {
                        hashes: Vec::new(),
                        ..part
                    });
                    Ok(())
                }
                Answer::Internal(words) => Err(Failure::Internal(words)),
                _ => Err(Failure::Internal(
                    "a job answered another question".to_owned(),
                )),
            })?;
        let done = orders.next().is_none();
        drop(orders);
        if let Some(words) = &swept.internal {
            self.trouble(Exit::Internal, format!("bug in lockstep: {words}"));
        }
        let cases = self.shrink_sweep(swept.firsts.values().cloned().collect())?;
        let seconds = self.control.seconds() - started;
        let mut goals: BTreeMap<String, u64> = StoreWorld::goals()
            .iter()
            .map(|goal| ((*goal).to_owned(), 0))
            .collect();
        goals.extend(swept.goals.clone());
        let vacuous = self.judge_sweep(&swept, &goals);
        self.report.sweep = Some(SweepReport {
            seeds: (seeds.start, seeds.end),
            runs: swept.runs,
            statements: swept.statements,
            violations: swept.violations,
            undecided: swept.undecided.into_iter().collect(),
            faults: Fault::ALL
                .iter()
                .map(|fault| fault.name())
                .map(|fault| (fault, swept.faults.get(fault).copied().unwrap_or(0)))
                .collect(),
            adequacy: swept.adequacy,
            goals,
            vacuous,
            cut: swept.cut || !done,
            cases,
            seconds,
        });
        Ok(())
    }

    /// What the sweep means for the exit code. True when it was clean and means nothing.
    fn judge_sweep(&mut self, swept: &Swept, goals: &BTreeMap<String, u64>) -> bool {
        let missed = swept.runs >= JUDGED_FROM && goals.values().any(|runs| *runs == 0);
        let vacuous = swept.violations == 0 && (swept.runs == 0 || missed);
        if swept.violations > 0 {
            self.exit = self.exit.and(Exit::Unexpected);
        }
        if vacuous || !swept.undecided.is_empty() {
            self.exit = self.exit.and(Exit::Undecided);
        }
        vacuous
    }

    fn shrink_sweep(&mut self, firsts: Vec<First>) -> Result<Vec<report::CaseReport>, Failure> {
        let mut smalls = BTreeMap::new();
        let progress = &mut self.progress;
        if !firsts.is_empty() {
            progress.begin("shrink", ("case", "cases"), firsts.len() as u64);
        }
        let mut orders = firsts.into_iter().map(Order::Shrink);
        self.pool
            .run(&mut orders, &self.control, &mut |n, answer| match answer {
                Answer::Shrunk(small) => {
                    progress.add(1, 0, 1);
                    smalls.insert(n, small);
                    Ok(())
                }
                Answer::Internal(words) => Err(Failure::Internal(words)),
                _ => Err(Failure::Internal(
                    "a job answered another question".to_owned(),
                )),
            })?;
        let mut cases = Vec::new();
        for small in smalls.into_values() {
            if let Some(words) = &small.two_traces {
                self.trouble(Exit::TwoTraces, format!("two traces: sweep: {words}"));
            }
            let seed = small.seed.to_string();
            let as_it_was = ["replay", "--world", STORE, "--seed", &seed];
            cases.push(self.cases.write(STORE, &small, &as_it_was));
        }
        Ok(cases)
    }
}

/// The quiet run, then the seeds in blocks.
fn sweep_orders(seeds: std::ops::Range<u64>) -> impl Iterator<Item = Order> {
    let end = seeds.end;
    let blocks = seeds.clone().step_by(BLOCK as usize);
    let block = move |from: u64| Order::Sweep {
        from,
        to: from.saturating_add(BLOCK).min(end),
    };
    std::iter::once(Order::Quiet { seed: seeds.start }).chain(blocks.map(block))
}
