//! Builds, edges, workers.

use super::world::{Build, Worker, World};
use super::{Answer, closed, constraint, due, misplaced, not_found};
use crate::error::Error;
use crate::id::{BuildId, SessionId, WorkerId};
use crate::op::Op;
use crate::reply::{Reaped, Reply};

pub(super) fn perform(world: &mut World, op: &Op) -> Answer {
    match op {
        Op::RegisterBuild {
            build,
            runtime,
            class,
        } => match world.builds.get(build) {
            Some(known) if known.runtime == *runtime && known.class == *class => Ok(Reply::Done),
            Some(_) => Err(changed("build", build)),
            None => {
                let fresh = Build {
                    runtime: runtime.clone(),
                    class: class.clone(),
                    state: "ramping",
                };
                world.builds.insert(build.clone(), fresh);
                Ok(Reply::Done)
            }
        },
        Op::SetCurrent { build } => set_current(world, build),
        Op::AllowMove {
            from,
            to,
            converter,
        } => {
            if from == to {
                return Err(constraint("resume_edge_distinct"));
            }
            let edge = world
                .edges
                .entry((from.clone(), to.clone()))
                .or_insert_with(|| converter.name().to_owned());
            match edge == converter.name() {
                true => Ok(Reply::Done),
                false => Err(changed("edge", format!("{from} -> {to}"))),
            }
        }
        Op::Drain { build } => {
            world.class_in_service(build)?;
            set_state(world, build, "draining");
            Ok(Reply::Done)
        }
        Op::Retire { build } => retire(world, build),
        Op::RegisterWorker {
            worker,
            build,
            home,
        } => register_worker(world, worker, build, home),
        Op::WorkerSeen { worker } => match world.workers.get(worker) {
            Some(known) if known.state != "gone" => Ok(Reply::Done),
            _ => Err(not_found("worker", worker)),
        },
        Op::WorkerDrain { worker } => match world.workers.get_mut(worker) {
            None => Err(not_found("worker", worker)),
            Some(known) if known.state == "gone" => Err(closed("gone")),
            Some(known) => {
                known.state = "draining";
                Ok(Reply::Done)
            }
        },
        Op::WorkerGone { worker } => worker_gone(world, worker),
        _ => Err(misplaced(op)),
    }
}

fn changed(what: &'static str, id: impl ToString) -> Error {
    Error::Changed {
        what,
        id: id.to_string(),
    }
}

fn set_state(world: &mut World, build: &BuildId, state: &'static str) {
    if let Some(known) = world.builds.get_mut(build) {
        known.state = state;
    }
}

fn set_current(world: &mut World, build: &BuildId) -> Answer {
    world.class_in_service(build)?;
    let runtime = world.builds[build].runtime.clone();
    for other in world.builds.values_mut() {
        if other.runtime == runtime && other.state == "current" {
            other.state = "draining";
        }
    }
    set_state(world, build, "current");
    Ok(Reply::Done)
}

fn retire(world: &mut World, build: &BuildId) -> Answer {
    if !world.builds.contains_key(build) {
        return Err(not_found("build", build));
    }
    let held = world
        .sessions
        .values()
        .filter_map(|session| session.lease.as_ref())
        .filter(|lease| world.workers[&lease.worker].build == *build)
        .map(|lease| lease.until_ms)
        .max();
    if let Some(until_ms) = held {
        return Err(Error::Leased { until_ms });
    }
    set_state(world, build, "retired");
    Ok(Reply::Done)
}

fn register_worker(world: &mut World, worker: &WorkerId, build: &BuildId, home: &str) -> Answer {
    let class = world.class_in_service(build)?;
    if world.workers.contains_key(worker) {
        return Err(constraint("worker_pkey"));
    }
    let fresh = Worker {
        build: build.clone(),
        class: class.clone(),
        home: home.to_owned(),
        state: "live",
    };
    world.workers.insert(worker.clone(), fresh);
    Ok(Reply::Worker(class))
}

fn worker_gone(world: &mut World, worker: &WorkerId) -> Answer {
    if !world.workers.contains_key(worker) {
        return Err(not_found("worker", worker));
    }
    let held: Vec<SessionId> = world
        .sessions
        .iter()
        .filter(|(_, session)| {
            session
                .lease
                .as_ref()
                .is_some_and(|lease| lease.worker == *worker)
        })
        .map(|(id, _)| id.clone())
        .collect();
    let mut gone = Reaped::default();
    for session in held {
        due::take(world, &session, "worker gone", &mut gone);
    }
    if let Some(known) = world.workers.get_mut(worker) {
        known.state = "gone";
    }
    Ok(Reply::Gone(gone))
}
