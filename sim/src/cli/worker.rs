//! A process that takes orders from its parent: one JSON line each way. It ends when its parent does.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use lockstep_sim::exit::Exit;

use super::failure::Failure;
use super::interrupt;
use super::workshop::{Answer, Order, Workshop};

/// Tells a worker to end what it does early. It still answers.
pub(crate) const STOP: &str = "stop";

pub(crate) fn work() -> Result<Exit, Failure> {
    interrupt::install()?;
    let (orders, inbox) = mpsc::channel();
    // The only thread beside the working one. It never touches SQLite or the simulation.
    thread::spawn(move || listen(&orders));
    answer_all(&inbox)?;
    Ok(Exit::AsExpected)
}

/// Reads orders until the parent closes the pipe, by intent or by dying; then nobody wants the answers.
fn listen(orders: &Sender<String>) {
    for line in io::stdin().lock().lines() {
        match line {
            Ok(line) if line == STOP => interrupt::request(),
            Ok(line) => {
                let _ = orders.send(line);
            }
            Err(_) => break,
        }
    }
    std::process::exit(Exit::AsExpected.code().into());
}

fn answer_all(inbox: &Receiver<String>) -> Result<(), Failure> {
    let mut workshop = Workshop::default();
    for line in inbox {
        let answer = match serde_json::from_str::<Order>(&line) {
            Ok(order) => workshop.carry_out(&order, &mut interrupt::requested),
            Err(error) => Answer::Internal(format!("an order that cannot be read: {error}")),
        };
        let text =
            serde_json::to_string(&answer).map_err(|error| Failure::Internal(error.to_string()))?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(Failure::Stdout)?;
    }
    Ok(())
}
