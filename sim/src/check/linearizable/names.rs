//! What an operation is about.

use lockstep_store::{
    Accept, Answer, Ask, Call, Complete, ConvKey, NewSession, Op, SessionId, TaskId,
};

/// Whom an operation concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// One conversation: the one that its names belong to.
    One,
    /// All conversations, with one effect on each.
    All,
    /// Those that its answer names, with an effect of its own on each.
    Some,
    /// None: it looks at builds and workers only.
    None,
}

/// Whom an operation concerns.
pub(super) fn reach(op: &Op) -> Reach {
    match op {
        Op::RegisterBuild { .. }
        | Op::SetCurrent { .. }
        | Op::AllowMove { .. }
        | Op::RegisterWorker { .. }
        | Op::Drain { .. }
        | Op::Retire { .. }
        | Op::WorkerDrain { .. }
        | Op::WorkerGone { .. }
        | Op::Restored { .. } => Reach::All,
        Op::Claim { .. }
        | Op::ClaimSend { .. }
        | Op::Reap { .. }
        | Op::Sweep { .. }
        | Op::Prune { .. }
        | Op::Stats => Reach::Some,
        Op::List { filter, .. } if filter.conv.is_none() => Reach::Some,
        Op::WorkerSeen { .. } | Op::Verify { .. } => Reach::None,
        _ => Reach::One,
    }
}

/// A platform's account.
pub(super) type Account<'a> = [&'a str; 3];

pub(super) fn account(key: &ConvKey) -> Account<'_> {
    [&key.tenant, &key.channel, &key.account]
}

/// Something that no two conversations have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name<'a> {
    Conv(&'a str),
    Session(&'a str),
    Task(&'a str),
    Prompt(&'a str),
    Key(&'a ConvKey),
    /// A platform's event.
    Event(Account<'a>, &'a str),
    /// An account whose ids are ordered: what is old in one chat depends on the others.
    Account(Account<'a>),
    /// A button.
    Button(&'a str),
    /// A native token.
    Token(&'a str),
    OpId(&'a str),
}

impl Name<'_> {
    /// In words.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Conv(id) => (*id).to_owned(),
            Self::Key(key) => key.chat.clone(),
            Self::Event(_, id) => (*id).to_owned(),
            Self::Account(account) => account.join("/"),
            Self::Session(id)
            | Self::Task(id)
            | Self::Prompt(id)
            | Self::Button(id)
            | Self::Token(id)
            | Self::OpId(id) => (*id).to_owned(),
        }
    }
}

/// Everything that a call on one conversation names.
pub(super) fn names<'a>(call: &'a Call) -> Vec<Name<'a>> {
    let mut names: Vec<Name<'a>> = Vec::with_capacity(8);
    names.extend(call.op_id.as_ref().map(|id| Name::OpId(id.as_str())));
    match &call.op {
        Op::OpenOrGet { key, new, .. } => {
            names.push(Name::Key(key));
            names.extend(of_new(new));
        }
        Op::Accept(accept) => names.extend(of_accept(accept)),
        Op::Answer(answer) => names.extend(of_answer(answer)),
        Op::Ask(ask) => names.extend(of_ask(ask)),
        Op::Complete(turn) => names.extend(of_turn(turn)),
        Op::Retry { task, again } => {
            names.extend([task, again].map(|task| Name::Task(task.as_str())));
        }
        Op::Reset(reset) => {
            names.extend([&reset.session, &reset.next].map(|id| Name::Session(id.as_str())));
        }
        Op::LinkKey { key, alias } => names.extend([key, alias].map(Name::Key)),
        Op::OrderedIds {
            tenant,
            channel,
            account,
            ..
        } => names.push(Name::Account([tenant, channel, account])),
        Op::Revoke { prompt } => names.push(Name::Prompt(prompt.as_str())),
        Op::List { filter, .. } => {
            names.extend(filter.conv.as_ref().map(|conv| Name::Conv(conv.as_str())));
        }
        op => {
            names.extend(session_of(op).map(|id| Name::Session(id.as_str())));
            names.extend(task_of(op).map(|id| Name::Task(id.as_str())));
            names.extend(token_of(op).map(Name::Token));
        }
    }
    names
}

/// The task that an operation is about, if it names one and little else.
pub(crate) fn task_of(op: &Op) -> Option<&TaskId> {
    match op {
        Op::Fail { task, .. }
        | Op::Cancel { task, .. }
        | Op::GiveBack { task, .. }
        | Op::Snooze { task, .. }
        | Op::Retry { task, .. } => Some(task),
        _ => None,
    }
}

fn token_of(op: &Op) -> Option<&str> {
    match op {
        Op::SetResume { token, .. } => Some(token),
        Op::Migrate { converted, .. } => converted.as_ref().map(|made| made.token.as_str()),
        _ => None,
    }
}

/// The session that an operation is about, if it names one and little else.
pub(crate) fn session_of(op: &Op) -> Option<&SessionId> {
    match op {
        Op::SetResume { session, .. }
        | Op::Migrate { session, .. }
        | Op::Renew { session, .. }
        | Op::Append { session, .. }
        | Op::Close { session, .. }
        | Op::Resume { session, .. }
        | Op::Note { session, .. }
        | Op::PutState { session, .. }
        | Op::GetState { session }
        | Op::DropResume { session, .. }
        | Op::Sent { session, .. }
        | Op::NotSent { session, .. }
        | Op::Unknown { session, .. }
        | Op::Resolve { session, .. }
        | Op::History { session, .. }
        | Op::Explain { session }
        | Op::Show { session } => Some(session),
        _ => None,
    }
}

fn of_new(new: &NewSession) -> [Name<'_>; 2] {
    [
        Name::Conv(new.conv.as_str()),
        Name::Session(new.session.as_str()),
    ]
}

fn of_accept(accept: &Accept) -> impl Iterator<Item = Name<'_>> {
    let event = Name::Event(account(&accept.key), &accept.ext_id);
    let own = [
        Name::Key(&accept.key),
        event,
        Name::Task(accept.task.as_str()),
    ];
    own.into_iter().chain(of_new(&accept.new))
}

fn of_answer(answer: &Answer) -> [Name<'_>; 3] {
    let event = Name::Event(account(&answer.key), &answer.ext_id);
    [Name::Key(&answer.key), event, Name::Button(&answer.token)]
}

fn of_ask(ask: &Ask) -> impl Iterator<Item = Name<'_>> {
    let own = [
        Name::Task(ask.task.as_str()),
        Name::Prompt(ask.prompt.as_str()),
    ];
    let buttons = ask.choices.iter().map(|choice| Name::Button(&choice.token));
    let token = ask.resume_token.as_deref().map(Name::Token);
    own.into_iter().chain(buttons).chain(token)
}

fn of_turn(turn: &Complete) -> impl Iterator<Item = Name<'_>> {
    let token = turn.resume_token.as_deref().map(Name::Token);
    std::iter::once(Name::Task(turn.task.as_str())).chain(token)
}

/// The account whose order of ids an operation depends on, if ids are ordered there.
pub(super) fn ordered_in(op: &Op) -> Option<Account<'_>> {
    match op {
        Op::Accept(accept) => Some(account(&accept.key)),
        Op::Answer(answer) => Some(account(&answer.key)),
        _ => None,
    }
}
