//! Work is done here, or by processes of our own: SQLite's random state is global to a process, so threads would not do.
//!
//! Orders are handed out as workers become free. Answers come in any order; whoever merges them must not care.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::control::Control;
use super::failure::Failure;
use super::worker::STOP;
use super::workshop::{Answer, Order, Workshop};

/// How often the parent looks up from waiting.
const TICK: Duration = Duration::from_millis(100);

/// Who does the work.
pub(crate) enum Pool {
    Here(Box<Workshop>),
    Processes(Processes),
}

/// Takes an answer, with the position of its order.
pub(crate) type Take<'a> = &'a mut dyn FnMut(usize, Answer) -> Result<(), Failure>;

impl Pool {
    /// One job works here; several are processes.
    pub(crate) fn new(jobs: usize) -> Result<Self, Failure> {
        if jobs == 1 {
            Ok(Self::Here(Box::default()))
        } else {
            Processes::start(jobs).map(Self::Processes)
        }
    }

    /// Has all orders carried out, or as many as there is time for.
    pub(crate) fn run(
        &mut self,
        orders: &mut dyn Iterator<Item = Order>,
        control: &Control,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Processes(processes) => processes.run(orders, control, take),
            Self::Here(workshop) => {
                for (n, order) in orders.enumerate() {
                    if control.stop() && !matches!(order, Order::Shrink(_)) {
                        break;
                    }
                    take(n, workshop.carry_out(&order, &mut || control.stop()))?;
                }
                Ok(())
            }
        }
    }
}

/// Workers, and what they say.
pub(crate) struct Processes {
    workers: Vec<Worker>,
    answers: Receiver<(usize, Option<String>)>,
    told: bool,
}

struct Worker {
    child: Child,
    orders: Option<ChildStdin>,
    /// Position of the order that it works on.
    busy: Option<usize>,
}

impl Processes {
    fn start(jobs: usize) -> Result<Self, Failure> {
        let (sender, answers) = mpsc::channel();
        let workers = (0..jobs)
            .map(|i| Worker::start(i, sender.clone()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            workers,
            answers,
            told: false,
        })
    }

    fn run(
        &mut self,
        orders: &mut dyn Iterator<Item = Order>,
        control: &Control,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let mut orders = orders.enumerate().peekable();
        loop {
            self.stop_if(control.stop());
            for worker in &mut self.workers {
                let wanted = |(_, order): &(usize, Order)| {
                    !control.stop() || matches!(order, Order::Shrink(_))
                };
                if worker.busy.is_none()
                    && let Some((n, order)) = orders.next_if(wanted)
                {
                    worker.give(n, &order)?;
                }
            }
            if self.workers.iter().all(|worker| worker.busy.is_none()) {
                return Ok(());
            }
            match self.answers.recv_timeout(TICK) {
                Ok((i, Some(line))) => {
                    let answer = serde_json::from_str(&line).map_err(|error| {
                        Failure::Internal(format!(
                            "a job gave an answer that cannot be read: {error}"
                        ))
                    })?;
                    if let Some(n) = self.workers[i].busy.take() {
                        take(n, answer)?;
                    }
                }
                Ok((i, None)) => return Err(self.workers[i].died()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Internal("all jobs are gone".to_owned()));
                }
            }
        }
    }

    /// Tells the workers once. They end their blocks and answer with what they have.
    fn stop_if(&mut self, stop: bool) {
        if stop && !self.told {
            self.told = true;
            for orders in self
                .workers
                .iter_mut()
                .filter_map(|worker| worker.orders.as_mut())
            {
                // One that is dead already is noticed where its answers end.
                let _ = writeln!(orders, "{STOP}");
            }
        }
    }
}

impl Worker {
    fn start(i: usize, answers: Sender<(usize, Option<String>)>) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::Internal(format!("a job does not start: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(program)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let orders = child.stdin.take();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = answers.send((i, Some(line)));
                }
                let _ = answers.send((i, None));
            });
        }
        Ok(Self {
            child,
            orders,
            busy: None,
        })
    }

    fn give(&mut self, n: usize, order: &Order) -> Result<(), Failure> {
        let text =
            serde_json::to_string(order).map_err(|error| Failure::Internal(error.to_string()))?;
        self.busy = Some(n);
        let given = self
            .orders
            .as_mut()
            .map(|orders| writeln!(orders, "{text}").and_then(|()| orders.flush()));
        if let Some(Ok(())) = given {
            Ok(())
        } else {
            Err(self.died())
        }
    }

    fn died(&mut self) -> Failure {
        self.orders = None;
        let how = self
            .child
            .wait()
            .map_or_else(|error| error.to_string(), |status| status.to_string());
        Failure::Internal(format!("a job died ({how}); try again with --jobs 1"))
    }
}

/// A worker whose pipe is closed ends at once, whatever it is doing.
impl Drop for Worker {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}
