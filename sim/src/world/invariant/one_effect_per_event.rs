//! Whatever is delivered, lost, repeated or taken over: a user's message has one effect outside.

use std::collections::BTreeMap;

use super::Found;
use crate::trace::plain;
use crate::world::facts::Facts;

/// The provider acts once for each idempotency key, so a second effect of one message came under a second key. That no
/// worker knows whether the first attempt had its effect is no excuse: the key is the task's, and a message has one task. Only
/// an operator who has a failed task done once more asks for a second one.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut firsts: BTreeMap<String, String> = BTreeMap::new();
    for effect in &facts.ledger.effects {
        let (Some(intent), Some(key)) = (&effect.deed.intent, &effect.deed.key) else {
            continue;
        };
        let (intent, key) = (plain(intent), plain(key));
        let Some(first) = firsts.get(&intent) else {
            firsts.insert(intent, key);
            continue;
        };
        if key.trim_end_matches('\'') == first.trim_end_matches('\'') {
            continue;
        }
        let row = format!("event={intent} key={first} again={key} by={}", effect.cause);
        found.add(&intent, row);
    }
}
