//! The command line as people and CI meet it. Good input gives the documented result; bad input gives one clear message,
//! exit 2, and not a single file. Everything runs the real program, in a folder of its own.

mod bench;
mod compare;
mod desk;
mod explain;
mod good;
mod input;
mod keep;
mod replay;
mod scenarios;
mod suggest;
mod uncaught;
mod verify;
mod victims;
mod write;

use desk::{Desk, Told};
