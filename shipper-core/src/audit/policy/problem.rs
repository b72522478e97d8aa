//! Errors of a policy file.

use shipper_events::display_safe;
use thiserror::Error;

use super::duration::MAX_SECONDS;

/// The error for a text that is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {problem}")]
#[non_exhaustive]
pub struct PolicyError {
    /// Line of the problem; the first is 1.
    pub line: u64,
    /// Column of the problem in characters; the first is 1.
    pub column: u64,
    /// The problem.
    pub problem: PolicyProblem,
}

/// A problem of a policy. Its text is safe to display.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// The text is longer than [`Policy::MAX_BYTES`](super::Policy::MAX_BYTES).
    #[error("the policy is longer than {max} bytes")]
    TooLong {
        /// The longest policy, in bytes.
        max: usize,
    },
    /// The text is not TOML.
    #[error("invalid TOML: {}", shown(message))]
    Syntax {
        /// Message of the TOML parser.
        message: String,
    },
    /// A key is none of a policy.
    #[error("unknown key {}{}", quoted(key), nearest_text(*nearest))]
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that is most similar. `None` if none is similar.
        nearest: Option<&'static str>,
    },
    /// A required key is missing.
    #[error("missing key \"{key}\"")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value has another type than its key requires.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// The required type.
        expected: &'static str,
        /// The type of the value.
        found: &'static str,
    },
    /// A text is empty.
    #[error("expected a text that is not empty")]
    EmptyText,
    /// A text is longer than its key allows.
    #[error("expected at most {max} characters")]
    LongText {
        /// Most characters.
        max: usize,
    },
    /// A list of plans is empty.
    #[error("expected at least one plan; without this key, the entry permits every plan")]
    NoPlans,
    /// A word is none of its list.
    #[error("unknown {what} {}{}", quoted(word), nearest_text(*nearest))]
    UnknownWord {
        /// The kind of the word, such as `level`.
        what: &'static str,
        /// The word.
        word: String,
        /// The known word that is most similar. `None` if none is similar.
        nearest: Option<&'static str>,
    },
    /// A text is not a duration.
    #[error("expected a duration such as 30m, 24h or 7d, from 1s to {}d", MAX_SECONDS / 86_400)]
    Duration,
    /// The level of a finding that makes a log violated, unjudged or inconclusive is lowered.
    #[error("cannot lower {code} from {level}: it decides the conclusion about a log")]
    CannotLower {
        /// The code of the finding.
        code: &'static str,
        /// Its default level.
        level: &'static str,
    },
}

fn shown(text: &str) -> String {
    display_safe(text).max_chars(200).to_string()
}

fn quoted(text: &str) -> String {
    display_safe(text).max_chars(60).quoted().to_string()
}

fn nearest_text(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; the most similar one is \"{nearest}\""))
}
