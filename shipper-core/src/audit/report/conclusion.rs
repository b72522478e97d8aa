//! The conclusion of an audit: `docs/auditing.md`, "Conclusions".

use crate::audit::words::word_enum;

word_enum! {
    /// The conclusion about a log, or about several. The gravest is the least.
    #[derive(PartialOrd, Ord)]
    pub enum Conclusion {
        /// There is an error finding.
        Violated = "violated",
        /// Something could not be judged.
        Unjudged = "unjudged",
        /// There is no error, but the evidence is incomplete, or there was nothing to check.
        Inconclusive = "inconclusive",
        /// Every decision is confirmed.
        Verified = "verified",
    }
}

impl Conclusion {
    /// The exit status of the program: 1, 2, 3 and 0.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Violated => 1,
            Self::Unjudged => 2,
            Self::Inconclusive => 3,
        }
    }

    /// The conclusion about several logs: the gravest; inconclusive for none.
    pub fn combine(conclusions: impl IntoIterator<Item = Self>) -> Self {
        conclusions.into_iter().min().unwrap_or(Self::Inconclusive)
    }
}
