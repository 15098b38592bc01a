//! A call that is repeated under its `op_id` gets the answer that it got.

use std::collections::BTreeMap;

use lockstep_store::{Op, Reply};

use super::Found;
use crate::world::facts::Facts;

/// All answers under one `op_id` are equal. An empty claim is no answer that is kept.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut firsts: BTreeMap<&str, (&Op, &Reply)> = BTreeMap::new();
    for operation in &facts.operations {
        let (Some(op_id), Some(reply)) = (&operation.call.op_id, operation.reply()) else {
            continue;
        };
        let is_empty = match reply {
            Reply::Claimed(claimed) => claimed.is_empty(),
            Reply::Sending(sending) => sending.is_empty(),
            _ => false,
        };
        if is_empty {
            continue;
        }
        let (op, first) = *firsts
            .entry(op_id.as_str())
            .or_insert((&operation.call.op, reply));
        if *op == operation.call.op && first != reply {
            let row = format!("op_id={op_id} first={first:?} then={reply:?}");
            found.add(op_id.as_str(), row);
        }
    }
}
