//! What an audit concludes: `docs/auditing.md`, "Conclusions".

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an audit concludes of a log, or of many. The gravest is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// Something is wrong: an error finding.
    Violated,
    /// Something could not be judged.
    Unjudged,
    /// Nothing is wrong, and something is not proven.
    Inconclusive,
    /// Every decision is confirmed.
    Verified,
}

impl Conclusion {
    /// The exit status that says it: 1, 2, 3 and 0.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Violated => 1,
            Self::Unjudged => 2,
            Self::Inconclusive => 3,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Unjudged => "unjudged",
            Self::Inconclusive => "inconclusive",
            Self::Verified => "verified",
        }
    }

    /// The conclusion over several: the first of violated, unjudged, inconclusive that any of them has, else
    /// verified. Of nothing at all it is inconclusive.
    pub fn over(conclusions: impl IntoIterator<Item = Self>) -> Self {
        conclusions.into_iter().min().unwrap_or(Self::Inconclusive)
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
