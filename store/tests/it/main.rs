//! Facts about the reference store, told through its public face.

mod accept;
mod answers;
mod ends;
mod kit;
mod open;
mod reap;
mod rules;
mod sabotage;
mod session;
mod soak;
mod turn;
