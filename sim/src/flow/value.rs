//! Values: what expressions and variables are worth, fresh ids, and how values are read as keys and conditions.

use rusqlite::types::Value;

use super::exec::{Done, Exec, Failure, Frame, Next};
use super::{Builtin, Expr, Var, sql};
use crate::access::{self, Access};
use crate::fold::bits_of;
use crate::label::Label;
use crate::scenario::Step;

impl Exec<'_> {
    pub(super) fn set(&self, frame: &mut Frame, assignments: &[(Var, Expr)]) -> Done {
        for (var, expr) in assignments {
            let value = self.value(frame, expr)?;
            self.assign(frame, *var, value);
        }
        Ok(Next::Step)
    }

    /// The value of an expression.
    pub(super) fn value(&self, frame: &Frame, expr: &Expr) -> Result<Value, Failure> {
        let value = match expr {
            Expr::Const(value) => value.clone(),
            Expr::Var(var) => self.get(frame, *var),
            Expr::Sql(sql) => sql::expression(self, frame, sql)?,
            Expr::Answer(..) => Value::Null,
        };
        self.learns(&value);
        Ok(value)
    }

    /// The value of a variable.
    pub(super) fn get(&self, frame: &Frame, var: Var) -> Value {
        match var {
            Var::Local(slot) => frame.values.get(slot).cloned().unwrap_or(Value::Null),
            Var::Memory(slot) => {
                self.touches_memory(slot, false);
                self.memory
                    .borrow()
                    .get(slot)
                    .cloned()
                    .unwrap_or(Value::Null)
            }
            Var::Builtin(builtin) => self.builtin(builtin),
        }
    }

    fn touches_memory(&self, slot: usize, changes: bool) {
        let process = self.ctx.process().name.hash();
        let connection = self.origin.connection.unwrap_or(0);
        let parts = [process, u64::from(connection), slot as u64];
        self.ctx
            .touches(|| Access::thing(access::name("memory", &parts), changes));
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        match builtin {
            Builtin::Event => text(&self.origin.event),
            Builtin::Connection => {
                let number = self.origin.connection;
                number.map_or(Value::Null, |number| Value::Integer(number.into()))
            }
            Builtin::Local => {
                let process = &self.shared.program.processes[self.ctx.process().kind_index];
                Value::Integer(self.ctx.clock_ms().saturating_add(process.zone_ms))
            }
            Builtin::Code => text(&self.shared.program.versions[self.code].name),
            Builtin::Attempt => Value::Integer(self.origin.attempt.into()),
            Builtin::Delivery => text(self.ctx.cause().as_str()),
            Builtin::Home => self.ctx.process().home.as_deref().map_or(Value::Null, text),
            Builtin::Process => text(self.ctx.process().name.as_str()),
            Builtin::Incarnation => Value::Integer(i64::from(self.ctx.process().incarnation.get())),
            Builtin::Now => Value::Integer(self.ctx.clock_ms()),
            Builtin::Error => self.error.borrow().as_deref().map_or(Value::Null, text),
        }
    }

    /// What a flow does depends on what it has computed: that is what it knows.
    pub(super) fn learns(&self, value: &Value) {
        if self.ctx.kernel().keeps_state() {
            self.ctx.learns(bits_of(value));
        }
    }

    /// Sets a variable. Builtins are read only, which the parser checks.
    pub(super) fn assign(&self, frame: &mut Frame, var: Var, value: Value) {
        self.learns(&value);
        match var {
            Var::Local(slot) => frame.values[slot] = value,
            Var::Memory(slot) => {
                self.touches_memory(slot, true);
                self.memory.borrow_mut()[slot] = value;
            }
            Var::Builtin(_) => {}
        }
    }

    pub(super) fn new_id(&self, frame: &mut Frame, step: &Step, var: Var) -> Done {
        let id = self.fresh_id(self.name_of(step, var).as_str());
        self.assign(frame, var, Value::Text(id));
        Ok(Next::Step)
    }

    /// An id that names where it comes from, so that it never depends on the order of events.
    pub(super) fn fresh_id(&self, name: &str) -> String {
        let nth = self.ctx.nth(&Label::new(&format!("new_id {name}")));
        let cause = self.ctx.cause();
        if nth == 1 {
            format!("{name}({cause})")
        } else {
            format!("{name}({cause}#{nth})")
        }
    }

    /// What this delivery sets going at a site, by name: `m1/name`, and `m1/name#2` the second time.
    pub(super) fn part(&self, site: &Label, name: &str) -> Label {
        let cause = self.ctx.cause();
        match self.ctx.nth(site) {
            1 => Label::new(&format!("{cause}/{name}")),
            nth => Label::new(&format!("{cause}/{name}#{nth}")),
        }
    }

    fn name_of(&self, step: &Step, var: Var) -> String {
        match var {
            Var::Memory(slot) => {
                let spec = &self.shared.program.processes[self.ctx.process().kind_index];
                spec.memory
                    .get(slot)
                    .map_or_else(|| step.site.to_string(), |(name, _)| name.clone())
            }
            _ => step
                .site
                .as_str()
                .rsplit(' ')
                .next()
                .unwrap_or("id")
                .to_owned(),
        }
    }
}

/// Whether a value is true: neither NULL nor zero. A text counts as the number it begins with, as in SQLite.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Integer(n) => *n != 0,
        Value::Real(x) => *x != 0.0,
        Value::Text(text) => leading_number(text) != 0.0,
        Value::Blob(_) => false,
    }
}

/// The number that a text begins with, 0 if it begins with none.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let numeric = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let end = text.find(|c| !numeric(c)).unwrap_or(text.len());
    let number = |end: usize| text[..end].parse::<f64>().ok();
    (1..=end).rev().find_map(number).unwrap_or(0.0)
}
