//! Exit codes: the verdict in one number. `docs/cli.md` lists the same numbers.

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything as expected.
    AsExpected,
    /// An unexpected violation or verdict; in `replay` and `verify`, any violation.
    Unexpected,
    /// Usage, unreadable input, or a scenario that does not parse or resolve.
    Usage,
    /// The same case gave two traces.
    TwoTraces,
    /// Unexpectedly undecided or vacuous; in `replay`, drifted.
    Undecided,
    /// A bug in lockstep.
    Internal,
    /// Interrupted, with what was found so far.
    Interrupted,
}

impl Exit {
    /// Every code, the one that wins first.
    ///
    /// An interrupt says that the rest was not looked at; it outranks what was found, and is outranked by what makes
    /// findings worthless.
    pub const ALL: [Self; 7] = [
        Self::Internal,
        Self::TwoTraces,
        Self::Usage,
        Self::Interrupted,
        Self::Unexpected,
        Self::Undecided,
        Self::AsExpected,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::AsExpected => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::TwoTraces => 3,
            Self::Undecided => 4,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }

    /// The one of two that wins.
    pub fn and(self, other: Self) -> Self {
        if other.rank() < self.rank() {
            other
        } else {
            self
        }
    }

    fn rank(self) -> usize {
        Self::ALL.iter().position(|exit| *exit == self).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_order_is_that_of_the_manual() {
        let winner = Exit::ALL
            .into_iter()
            .rev()
            .fold(Exit::AsExpected, Exit::and);
        assert_eq!(winner, Exit::Internal);
        assert_eq!(Exit::Undecided.and(Exit::Unexpected), Exit::Unexpected);
        assert_eq!(Exit::Unexpected.and(Exit::TwoTraces), Exit::TwoTraces);
    }
}
