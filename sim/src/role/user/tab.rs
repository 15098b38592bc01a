//! A browser tab on the same conversation: it connects, edits the session's state, loses its connection and comes back.

use std::rc::Rc;

use crate::label::Label;
use crate::role::api::{self, Edit};
use crate::run::{Answer, Ctx, Request};
use crate::world::{Town, USERS, goal};

/// Opens a tab. It lives outside: nothing of ours can crash it.
pub(super) fn open(ctx: &Ctx, town: &Rc<Town>, user: usize, n: u64) {
    let name = Label::new(&format!("{}.tab#{n}", USERS[user].name));
    let town = Rc::clone(town);
    ctx.kernel().spawn(name, None, false, move |ctx| {
        Tab {
            ctx,
            town,
            user,
            n,
            shown: 0,
            restores: 0,
        }
        .live();
    });
}

struct Tab<'a> {
    ctx: &'a Ctx,
    town: Rc<Town>,
    user: usize,
    n: u64,
    /// The newest version of the state that this tab was shown, and how many backups had been put back until then.
    shown: i64,
    restores: u32,
}

impl Tab<'_> {
    fn live(mut self) {
        let (asked, user) = (Rc::clone(&self.town), self.user);
        let patience = self.ctx.now_ms() + PATIENCE_MS;
        self.ctx
            .wait(&FIRST, Some(patience), move || asked.known(user).is_some());
        let Some(known) = self.town.known(self.user) else {
            return;
        };
        for visit in 1..=1 + self.ctx.pick(&VISITS, 5) {
            let gap = self.ctx.amount(&GAP, 10, LONGEST_GAP_MS);
            self.ctx.sleep(&GAP, gap);
            self.connect(&known.session, visit);
            self.edit(&known.session, visit);
        }
    }

    /// Asks for the state. What it was shown before must be in it.
    fn connect(&mut self, session: &str, visit: u64) {
        let (town, session_id, shown) = (Rc::clone(&self.town), session.to_owned(), self.shown);
        let handler =
            Rc::new(move |ctx: &Ctx| api::connect(ctx, &town, session_id.as_str(), shown));
        let Some(answer) = self.request("connect", visit, 0, handler) else {
            return;
        };
        let Some(version) = answer
            .strip_prefix("state ")
            .and_then(|rest| rest.split(' ').next()?.parse().ok())
        else {
            return;
        };
        self.forget_what_was_undone();
        if version < self.shown {
            let row = format!(
                "session={session} shown={} then={version} tab={}",
                self.shown,
                self.ctx.cause()
            );
            self.ctx
                .kernel()
                .violated("reads_go_forward", session, &row);
        }
        if visit > 1 {
            self.ctx.kernel().reached(goal::RECONNECTED);
        }
        self.shown = self.shown.max(version);
    }

    fn forget_what_was_undone(&mut self) {
        let restores = self.town.restores.get();
        if self.restores < restores {
            (self.restores, self.shown) = (restores, 0);
        }
    }

    /// Adds something to the state. Without an answer it is asked for again, under the same name.
    fn edit(&mut self, session: &str, visit: u64) {
        let name = format!("{}.tab#{}.edit#{visit}", USERS[self.user].name, self.n);
        for attempt in 1..=ATTEMPTS {
            let edit = Edit {
                session: session.to_owned(),
                name: name.clone(),
            };
            let town = Rc::clone(&self.town);
            let handler = Rc::new(move |ctx: &Ctx| api::edit(ctx, &town, &edit));
            match self.request("edit", visit, attempt, handler).as_deref() {
                Some("closed") => return,
                Some(text) => {
                    if let Some(version) = text.strip_prefix("saved ") {
                        self.shown = self.shown.max(version.parse().unwrap_or(0));
                        return;
                    }
                }
                None => {}
            }
            self.ctx.sleep(&AGAIN, REST_MS);
        }
    }

    fn request(
        &self,
        what: &str,
        visit: u64,
        attempt: u64,
        handler: Rc<dyn Fn(&Ctx)>,
    ) -> Option<Rc<str>> {
        let cause = format!("{} {what}#{visit}.{attempt}", self.ctx.cause());
        let cause = Label::new(&cause);
        let request = Request {
            to: Rc::clone(&self.town.apis[(cause.hash() % 2) as usize]),
            cause,
            handler,
        };
        match self.ctx.request(request, TIMEOUT_MS) {
            Some(Answer::Reply(text)) => Some(text),
            _ => None,
        }
    }
}

const FIRST: Label = Label::fixed("until there is a session");
const VISITS: Label = Label::fixed("how many visits");
const GAP: Label = Label::fixed("before the next visit");
const AGAIN: Label = Label::fixed("before it is saved again");
const PATIENCE_MS: u64 = 300_000;
const LONGEST_GAP_MS: u64 = 20_000;
const TIMEOUT_MS: u64 = 10_000;
const REST_MS: u64 = 2_000;
const ATTEMPTS: u64 = 6;
