//! Facts about the reference store, told through its public face.

mod accept;
mod kit;
mod session;
mod turn;
