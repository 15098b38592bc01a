//! Every invariant of the default world can fail: each has a saboteur that the sweep finds and that no other invariant catches.
//! What catches what stands in `docs/invariants.md`, as this test found it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::rc::Rc;

use lockstep_sim::decide::{Profile, Quiet};
use lockstep_sim::run::{Stage, World};
use lockstep_sim::search::of_seed;
use lockstep_sim::world::{SABOTEURS, Saboteur, StoreWorld};

use super::root;

/// Seeds within which a sweep must find each of them.
const SEEDS: u64 = 300;

/// Judged only where nothing else is violated.
const GENERAL: &str = "linearizable";

/// Set to anything, the table in the manual is written anew instead of compared.
const WRITE: &str = "LOCKSTEP_WRITE_DOCS";

fn stage(world: Rc<dyn World>) -> (Stage, Rc<Profile>) {
    let mut stage = Stage::new(world).expect("the world is set up");
    let quiet = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("the quiet run");
    assert_eq!(
        quiet.violated(),
        Vec::<String>::new(),
        "the quiet run meets no defect"
    );
    (stage, Rc::new(quiet.profile))
}

/// What was seen of one invariant.
struct Seen {
    runs: u64,
    first: u64,
    last: Option<u64>,
    row: String,
}

/// What a saboteur violates in the seeds.
fn violated(saboteur: &Saboteur) -> BTreeMap<String, Seen> {
    let (mut stage, profile) = stage(StoreWorld::defective(saboteur.defect));
    let mut violated: BTreeMap<String, Seen> = BTreeMap::new();
    for seed in 0..SEEDS {
        let ran = stage
            .run(&mut || of_seed(seed).strategy(&profile))
            .expect("a run");
        let name = saboteur.defect.name;
        assert_eq!(ran.internal, None, "{name} at seed {seed}");
        for violation in &ran.violations {
            let seen = violated.entry(violation.invariant.clone());
            let first = seen.or_insert_with(|| Seen {
                runs: 0,
                first: seed,
                last: None,
                row: violation.row.clone(),
            });
            first.runs += u64::from(first.last != Some(seed));
            first.last = Some(seed);
        }
    }
    violated
}

#[test]
fn each_invariant_has_a_saboteur_that_only_it_catches() {
    let mut table = String::from(
        "| saboteur | is caught by | in runs of 300 | first at seed |\n|---|---|---|---|\n",
    );
    let mut wrong = Vec::new();
    for saboteur in SABOTEURS {
        let violated = violated(saboteur);
        // The general law sees most of what is wrong with answers; what it adds is what nobody else sees.
        let specific = |name: &&String| *name == saboteur.breaks || *name != GENERAL;
        if !violated.keys().filter(specific).eq([saboteur.breaks]) {
            let found = violated.iter().map(|(name, seen)| {
                format!("{name} ({} at {}: {})", seen.runs, seen.first, seen.row)
            });
            let found = found.collect::<Vec<_>>().join("; ");
            wrong.push(format!(
                "{}: wanted {}, found {found}",
                saboteur.defect.name, saboteur.breaks
            ));
        }
        for (name, seen) in &violated {
            let saboteur = saboteur.defect.name;
            let _ = writeln!(
                table,
                "| `{saboteur}` | `{name}` | {} | {} |",
                seen.runs, seen.first
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compare_with_the_manual(&table);
}

fn compare_with_the_manual(table: &str) {
    let path = root().join("docs/invariants.md");
    let manual = fs::read_to_string(&path).expect("the manual");
    let (before, rest) = manual.split_once(BEGIN).expect("where the table begins");
    let (known, after) = rest.split_once(END).expect("where the table ends");
    if std::env::var_os(WRITE).is_some() {
        let manual = format!("{before}{BEGIN}\n{table}{END}{after}");
        fs::write(&path, manual).expect("the manual is written");
    } else {
        assert_eq!(known.trim(), table.trim(), "set {WRITE}=1 to write it anew");
    }
}

const BEGIN: &str = "<!-- found by tests/it/sabotage.rs -->";
const END: &str = "<!-- end -->";

#[test]
fn no_invariant_is_without_a_saboteur() {
    let broken: Vec<&str> = SABOTEURS.iter().map(|saboteur| saboteur.breaks).collect();
    assert_eq!(broken, StoreWorld::invariants());
}

#[test]
fn the_world_without_a_saboteur_holds_over_the_same_seeds() {
    let (mut stage, profile) = stage(StoreWorld::new());
    for seed in 0..SEEDS {
        let ran = stage
            .run(&mut || of_seed(seed).strategy(&profile))
            .expect("a run");
        assert_eq!(
            (ran.violations, ran.internal),
            (Vec::new(), None),
            "seed {seed}"
        );
    }
}
