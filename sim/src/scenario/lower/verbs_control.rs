//! Verbs that decide what runs next, and when: `call`, `if`, `each`, `while`, `raise`, `reply`, `return`, `lock`, `take`.

use super::super::fields::as_steps;
use super::super::names;
use super::super::node::Node;
use super::super::program::{Expr, Step, StepKind, Var};
use super::flow::Walk;
use super::scope::Call;

impl Walk<'_> {
    pub(super) fn call(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        let Some(name) = report.text(value, "`call`") else {
            return (String::new(), None);
        };
        let site = format!("call {name}");
        if name.contains('(') {
            let message = "`call` takes the name of a flow, arguments stand under `with`";
            let bare = name.split('(').next().unwrap_or(name);
            report.at(
                value,
                message,
                format!("write {{ call: {bare}, with: {{ chat: \":chat\" }} }}"),
            );
            return (site, None);
        }
        let Some(flow) = report.known(value, "flow", &self.world.flow_names()) else {
            return (site, None);
        };
        let times = node
            .get("times")
            .map_or(Some(1), |times| report.whole(times, "`times`", 1_000));
        self.scope.calls.push(Call {
            flow,
            start: value.start,
            end: value.end,
            in_transaction: self.scope.in_transaction,
        });
        let args = self.arguments(node, value, flow);
        let times = times.and_then(|times| u32::try_from(times).ok());
        let into = self.into(node, "as");
        let kind = args.zip(times).map(|(args, times)| StepKind::Call {
            flow,
            args,
            times,
            into,
        });
        (site, kind)
    }

    /// One value for each parameter of the flow, from `with`.
    pub(super) fn arguments(
        &mut self,
        node: &Node,
        value: &Node,
        flow: usize,
    ) -> Option<Vec<Expr>> {
        let world = self.world;
        let target = world.flows.get(flow)?;
        let with = node.get("with");
        let given = with.map_or(Vec::new(), |with| self.exprs(with, "`with`"));
        if let Some(with) = with {
            let params: Vec<&str> = target.params.iter().map(String::as_str).collect();
            world.report.only(
                with,
                &format!("the arguments of `{}`", target.name),
                &params,
            );
        }
        let mut args = Vec::new();
        for param in &target.params {
            match given.iter().find(|(name, _)| name == param) {
                Some((_, expr)) => args.push(expr.clone()),
                // A value that is there and wrong has its own problem already.
                None if with.is_some_and(|with| with.get(param).is_some()) => {}
                None => {
                    let message = format!("`{}` needs the argument `{param}`", target.name);
                    world.report.at(
                        value,
                        message,
                        format!("write with: {{ {param}: \"…\" }}; null is a value, too"),
                    );
                }
            }
        }
        (args.len() == target.params.len()).then_some(args)
    }

    pub(super) fn branch(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let condition = self.expr(value);
        if node.get("then").is_none() && node.get("else").is_none() {
            self.world.report.at(
                node,
                "`if` decides nothing",
                "write `then:` or `else:` with steps",
            );
        }
        let then = self.body(node, "then").unwrap_or_default();
        let otherwise = self.body(node, "else").unwrap_or_default();
        let kind = condition.map(|condition| StepKind::If {
            condition,
            then,
            otherwise,
        });
        ("if".to_owned(), kind)
    }

    pub(super) fn each(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let prepared = self.statement(node, value, "each");
        let site = self.site(node, "each", value);
        let Some((sql, prepared)) = prepared else {
            self.scope.broken = true;
            self.body(node, "do");
            return (site, None);
        };
        if prepared.columns.is_empty() || !prepared.readonly {
            self.world.report.at(
                value,
                "`each` takes a query",
                "write each: SELECT …; the steps under `do:` run once for each row",
            );
        }
        let into: Option<Vec<Var>> = prepared
            .columns
            .iter()
            .map(|column| self.bind(value, column))
            .collect();
        let steps = self.rounds(node, "each");
        let kind = into.map(|into| StepKind::Each { sql, into, steps });
        (site, kind)
    }

    pub(super) fn repeat(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let condition = self.expr(value);
        let steps = self.rounds(node, "while");
        let kind = condition.map(|condition| StepKind::While { condition, steps });
        ("while".to_owned(), kind)
    }

    fn rounds(&mut self, node: &Node, verb: &str) -> Vec<Step> {
        let steps = self.body(node, "do");
        if steps.is_none() {
            let message = format!("`{verb}` without `do`");
            let help = "the steps under `do:` run in each round";
            self.world.report.at(node, message, help);
        }
        steps.unwrap_or_default()
    }

    pub(super) fn raise(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let name = self.world.report.name(value, "an error");
        let message = node.get("message").and_then(|message| self.expr(message));
        let site = format!("raise {}", name.unwrap_or(""));
        let kind = name.map(|name| StepKind::Raise {
            name: name.to_owned(),
            message,
        });
        (site, kind)
    }

    /// The variable that a key names.
    pub(super) fn into(&mut self, node: &Node, key: &str) -> Option<Var> {
        let name = node.get(key)?;
        let text = self.world.report.text(name, &format!("`{key}`"))?;
        self.bind(name, text)
    }

    pub(super) fn reply(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let fields = self.exprs(value, "`reply`");
        ("reply".to_owned(), Some(StepKind::Reply(fields)))
    }

    pub(super) fn end(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let kind = if value.is_null() {
            Some(StepKind::Return(None))
        } else {
            self.expr(value).map(|value| StepKind::Return(Some(value)))
        };
        ("return".to_owned(), kind)
    }

    pub(super) fn atomic(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let steps = self.steps(as_steps(value));
        ("atomic".to_owned(), Some(StepKind::Atomic(steps)))
    }

    pub(super) fn choose(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        let from = node
            .get("from")
            .map_or(&[][..], |from| report.items(from, "`from`"));
        if from.len() < 2 {
            let help = "write { choose: answer, from: [\"'yes'\", \"'no'\"] }; the quiet run takes the first";
            report.at(node, "`choose` has nothing to choose from", help);
        }
        let from: Vec<Expr> = from.iter().filter_map(|value| self.expr(value)).collect();
        let name = report.text(value, "`choose`");
        let into = name.and_then(|name| self.bind(value, name));
        let kind = into.map(|into| StepKind::Choose { into, from });
        (format!("choose {}", name.unwrap_or("")), kind)
    }

    pub(super) fn renew(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let world = self.world;
        let locks: Vec<&str> = world.locks.iter().map(|lock| lock.name.as_str()).collect();
        let (site, found) = self.keyed("renew", value, &locks);
        (site, found.map(|(lock, key)| StepKind::Renew { lock, key }))
    }

    pub(super) fn lock(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let world = self.world;
        let locks: Vec<&str> = world.locks.iter().map(|lock| lock.name.as_str()).collect();
        let (site, found) = self.keyed("lock", value, &locks);
        let wait = node
            .get("wait")
            .map(|wait| world.report.millis(wait, "`wait`"));
        if node.get("do").is_none() {
            world.report.at(
                node,
                "`lock` without `do`",
                "the steps under `do:` run while the lock is held",
            );
        }
        if let (Some(body), None) = (node.get("else"), node.get("wait")) {
            world.report.at(
                body,
                "`else` of `lock` without `wait`",
                "say how long to wait: wait: 10s",
            );
        }
        let into = self.into(node, "as");
        let steps = node
            .get("do")
            .map_or(Vec::new(), |body| self.steps(as_steps(body)));
        let otherwise = self.body(node, "else").unwrap_or_default();
        // A wait that is no duration is a problem already; without one the lock waits for ever.
        let kind = found.map(|(lock, key)| StepKind::Lock {
            lock,
            key,
            wait: wait.flatten(),
            into,
            steps,
            otherwise,
        });
        (site, kind)
    }

    pub(super) fn take(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let span = self.world.report.span(value, "`take`");
        ("take".to_owned(), span.map(StepKind::Take))
    }

    /// `NAME(expression)`: one of the known names, and which one of it.
    pub(super) fn keyed(
        &mut self,
        verb: &str,
        value: &Node,
        known: &[&str],
    ) -> (String, Option<(usize, Expr)>) {
        let report = self.world.report;
        let Some(text) = report.text(value, &format!("`{verb}`")) else {
            return (verb.to_owned(), None);
        };
        let closed = text
            .split_once('(')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
        let Some((name, key)) = closed else {
            let first = known.first().unwrap_or(&"name");
            let message = format!("`{verb}` is written NAME(key)");
            report.at(
                value,
                message,
                format!("{verb}: {first}(:key); inside {{ }} in quotes"),
            );
            return (verb.to_owned(), None);
        };
        let site = format!("{verb} {name}");
        let Some(index) = known.iter().position(|other| *other == name) else {
            let what = if verb == "use" { "resource" } else { verb };
            let message = format!("unknown {what} `{name}`");
            report.in_scalar(
                value,
                0,
                name.len(),
                message,
                names::help(name, what, known),
            );
            return (site, None);
        };
        let key = self.expr_within(value, key, name.len() + 1);
        (site, key.map(|key| (index, key)))
    }
}
