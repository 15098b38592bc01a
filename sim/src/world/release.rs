//! What is released: runtimes, their builds in the order of their release, their resume class.

use lockstep_store::{Converter, Error, Store};

/// A runtime and its builds.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) name: &'static str,
    /// All builds have one state format, so each may resume what the others made.
    pub(crate) class: &'static str,
    /// The one that is current at first, and the one that may be rolled out.
    pub(crate) builds: [&'static str; 2],
}

/// The two runtimes. Sessions may be moved from one to the other, either way.
pub(crate) const RUNTIMES: [Runtime; 2] = [
    Runtime {
        name: "claude",
        class: "claude/v1",
        builds: ["claude-1", "claude-2"],
    },
    Runtime {
        name: "codex",
        class: "codex/v1",
        builds: ["codex-1", "codex-2"],
    },
];

/// What was released before the first run: one current build for each runtime, and moves between the two, either way.
pub(crate) fn release(store: &mut impl Store) -> Result<(), Error> {
    for Runtime {
        name,
        class,
        builds,
    } in &RUNTIMES
    {
        for build in builds {
            let op_id = format!("register {build}");
            store.register_build(op_id.into(), (*build).into(), name, (*class).into())?;
        }
        store.set_current(format!("release {}", builds[0]).into(), builds[0].into())?;
    }
    let [here, there] = [&RUNTIMES[0], &RUNTIMES[1]];
    for (from, to) in [(here, there), (there, here)] {
        store.allow_move(
            format!("allow {} to {}", from.class, to.class).into(),
            from.class.into(),
            to.class.into(),
            Converter::DropToken,
        )?;
    }
    Ok(())
}
