//! `use`: things outside the database that are exclusive, live somewhere, are durable late, or are gone one day.

use std::collections::BTreeMap;
use std::rc::Rc;

use rusqlite::types::Value;

use super::exec::{Done, Exec, Failure, Frame};
use crate::fold::Fold;
use crate::label::Label;
use crate::run::Process;
use crate::scenario::{ErrorClass, Homed, Resource, RuleKind, Step, StepKind};
use crate::trace::{self, Arg, Kind, Outcome};

/// The resources of one run, by their place in the program and their key.
pub(super) type Resources = BTreeMap<(usize, String), Used>;

/// One incarnation of a process.
type Who = (Rc<Process>, u32);

#[derive(Default)]
pub(super) struct Used {
    home: Option<Rc<str>>,
    users: Vec<Who>,
    /// When those that have been released late are free.
    free_at_ms: Vec<u64>,
    /// The highest generation that a user has shown.
    fence: Option<i64>,
    /// Who made it, and when it is durable.
    maker: Option<(Who, u64)>,
    last_used_ms: u64,
}

impl Used {
    /// Where it lives, who uses it and until when.
    pub(super) fn fold(&self, fold: &mut Fold) {
        let text = |fold: &mut Fold, text: &Rc<str>| fold.text(text);
        fold.option(self.home.as_ref(), text);
        let who = |fold: &mut Fold, (process, incarnation): &Who| {
            fold.number(process.name.hash());
            fold.number(u64::from(*incarnation));
        };
        fold.number(self.users.len() as u64);
        self.users.iter().for_each(|user| who(fold, user));
        fold.number(self.free_at_ms.len() as u64);
        self.free_at_ms.iter().for_each(|at| fold.number(*at));
        fold.option(self.fence, |fold, fence| fold.number(fence.cast_unsigned()));
        fold.option(self.maker.as_ref(), |fold, (maker, durable)| {
            who(fold, maker);
            fold.number(*durable);
        });
        fold.number(self.last_used_ms);
    }
}

/// A use that is going on.
struct Use<'a> {
    spec: &'a Resource,
    id: (usize, String),
    name: String,
}

/// Uses a resource, makes a new one if asked to, retries refusals.
pub(super) fn use_resource(exec: &Exec<'_>, frame: &mut Frame, step: &Step) -> Done {
    let StepKind::Use {
        resource,
        key,
        create,
        fence,
        retry,
        otherwise,
        ..
    } = &step.kind
    else {
        return exec.steps(frame, &[]);
    };
    let spec = &exec.shared.program.resources[*resource];
    exec.ctx.gate(&step.site);
    let (key, makes) = match (exec.value(frame, key)?, create) {
        (Value::Null, Some(_)) => (Value::Text(exec.fresh_id(&spec.name)), true),
        (key, _) => (key, !spec.exists),
    };
    let fence = match fence {
        Some(fence) => as_integer(&exec.value(frame, fence)?),
        None => None,
    };
    let using = Use {
        spec,
        id: (*resource, trace::plain(&key)),
        name: format!("{} {}", spec.name, trace::plain(&key)),
    };
    let mut refused = spec.refuses.as_str();
    for delay in retry.iter().map(Some).chain([None]) {
        let arg = Arg::Text(using.name.as_str().into());
        let event = exec.ctx.event(Kind::Use, arg, Outcome::Open);
        match using.enter(exec, makes, fence) {
            Ok(()) => {
                if let Some(var) = create {
                    exec.assign(frame, *var, key);
                }
                return using.hold(exec, frame, step, event);
            }
            Err(refusal) => refused = refusal,
        }
        exec.ctx.close(event, Outcome::Text(refused.into()));
        if let Some(delay) = delay {
            exec.sleep(&step.site, *delay)?;
        }
    }
    if otherwise.is_empty() {
        return Err(Failure::new(
            ErrorClass::Named(refused.to_owned()),
            format!("{}: {refused}", using.name),
        ));
    }
    exec.steps(frame, otherwise)
}

impl Use<'_> {
    /// Begins the use, or says by which name it is refused.
    fn enter(&self, exec: &Exec<'_>, makes: bool, fence: Option<i64>) -> Result<(), &str> {
        let now = exec.ctx.now_ms();
        let here = exec.ctx.process();
        let me = (Rc::clone(here), here.incarnation.get());
        let mut resources = exec.shared.resources.borrow_mut();
        if !makes && !resources.contains_key(&self.id) {
            return Err(GONE);
        }
        let known = resources.contains_key(&self.id);
        let used = resources.entry(self.id.clone()).or_default();
        if known && self.is_gone(used, &me, now) {
            return Err(GONE);
        }
        if fence.is_some() && fence < used.fence {
            return Err(FENCED);
        }
        if self.is_taken(used, now) {
            return Err(&self.spec.refuses);
        }
        if used.home.is_none() {
            used.home.clone_from(&here.home);
        }
        if self.spec.home == Homed::Refuses && used.home != here.home {
            return Err(ELSEWHERE);
        }
        used.fence = fence.max(used.fence);
        used.last_used_ms = now;
        used.users.push(me.clone());
        let home = used.home.clone();
        drop(resources);
        if !known && let Some(lag) = self.spec.durable_after {
            let lag = exec.ctx.amount(&DURABLE, lag.shortest, lag.longest);
            let mut resources = exec.shared.resources.borrow_mut();
            resources.entry(self.id.clone()).or_default().maker = Some((me, now + lag));
        }
        self.check_home(exec, home.as_ref());
        Ok(())
    }

    /// Not used for too long, or made by somebody who died before it was durable, or not durable yet.
    fn is_gone(&self, used: &Used, me: &Who, now: u64) -> bool {
        let idle = |expires: u64| now > used.last_used_ms + expires && used.users.is_empty();
        if self.spec.expires.is_some_and(idle) {
            return true;
        }
        used.maker
            .as_ref()
            .is_some_and(|((maker, incarnation), durable_at)| {
                let mine = Rc::ptr_eq(maker, &me.0) && *incarnation == me.1;
                let died = maker.death_ms(*incarnation);
                !mine && (now < *durable_at || died.is_some_and(|died| died < *durable_at))
            })
    }

    /// Whether as many use it as can. Whoever died in the middle of a use does not hold it any more.
    fn is_taken(&self, used: &mut Used, now: u64) -> bool {
        used.users
            .retain(|(process, incarnation)| process.lives_as(*incarnation));
        used.free_at_ms.retain(|free| *free > now);
        let busy = used.users.len() + used.free_at_ms.len();
        self.spec
            .capacity
            .is_some_and(|capacity| busy >= capacity as usize)
    }

    /// What is done while it is used, and the end of the use.
    fn hold(&self, exec: &Exec<'_>, frame: &mut Frame, step: &Step, event: usize) -> Done {
        let StepKind::Use { hold, steps, .. } = &step.kind else {
            return exec.steps(frame, &[]);
        };
        let ms = exec.ctx.amount(&step.site, hold.shortest, hold.longest);
        let done = exec.sleep(&step.site, ms);
        let done = done.and_then(|()| exec.steps(frame, steps));
        let lag = self.spec.release_after;
        let lag = exec.ctx.amount(&RELEASE, lag.shortest, lag.longest);
        self.leave(exec, lag);
        exec.ctx.close(event, Outcome::Done);
        done
    }

    fn leave(&self, exec: &Exec<'_>, release_after_ms: u64) {
        let now = exec.ctx.now_ms();
        let mut resources = exec.shared.resources.borrow_mut();
        let Some(used) = resources.get_mut(&self.id) else {
            return;
        };
        let me = exec.ctx.process();
        let mine = used.users.iter().position(|(user, _)| Rc::ptr_eq(user, me));
        if let Some(mine) = mine {
            used.users.remove(mine);
        }
        used.last_used_ms = now;
        if release_after_ms > 0 {
            used.free_at_ms.push(now + release_after_ms);
        }
    }

    /// A use away from its home violates `resource.home`.
    fn check_home(&self, exec: &Exec<'_>, home: Option<&Rc<str>>) {
        if self.spec.home != Homed::Violates {
            return;
        }
        exec.ctx.kernel().judged();
        let here = exec.ctx.process().home.as_ref();
        if home == here {
            return;
        }
        let rules = &exec.shared.program.invariants;
        for rule in rules
            .iter()
            .filter(|rule| rule.kind == RuleKind::ResourceHome)
        {
            let text = |home: Option<&Rc<str>>| home.map_or("nowhere", |home| &**home).to_owned();
            let row = format!(
                "{} lives on {}, used on {}",
                self.name,
                text(home),
                text(here)
            );
            exec.ctx.kernel().violated(&rule.name, &self.id.1, &row);
        }
    }
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

const FENCED: &str = "fenced";
const GONE: &str = "gone";
const ELSEWHERE: &str = "elsewhere";
const RELEASE: Label = Label::fixed("release");
const DURABLE: Label = Label::fixed("durable");
