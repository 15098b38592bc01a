//! Limits.
use crate::error::Error;
use crate::op::Call;
pub(super) fn check(_call: &Call) -> Result<(), Error> {
    Ok(())
}
