//! Facts about the reference store, told through its public face.

mod accept;
mod again;
mod alike;
mod alone;
mod answers;
mod beside;
mod broken;
mod chat;
mod docs;
mod ends;
mod kit;
mod limits;
mod look;
mod migrate;
mod model;
#[path = "../mutants/mutant.rs"]
mod mutant;
mod open;
mod outbox;
mod prompt;
mod prune;
mod reap;
mod restored;
mod rules;
mod runtime;
mod sabotage;
mod session;
mod soak;
mod sweep;
mod transfer;
mod turn;
mod writes;
