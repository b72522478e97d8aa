//! Pieces of messages: text from the log in them is bounded and made safe to show.

use shipper_events::{Unsigned, neutral};

use crate::gate::Verdict;

/// A verdict and its reasons for a message: any text, made safe to show.
pub(super) fn described<'r>(verdict: &str, reasons: impl Iterator<Item = &'r str>) -> String {
    let mut text = neutral(verdict).at_most(40).to_string();
    let reasons: Vec<String> = reasons.take(8).map(|reason| neutral(reason).at_most(40).to_string()).collect();
    if !reasons.is_empty() {
        text = format!("{text} ({})", reasons.join(", "));
    }
    text
}

/// Every reason of a refusal with what shows it.
pub(super) fn explained(verdict: &Verdict) -> String {
    let reasons: Vec<String> = verdict.reasons().iter().map(|reason| format!("{}: {reason}", reason.code())).collect();
    reasons.join("; ")
}

/// A number from the log, which may have millions of digits.
pub(super) fn number(number: &Unsigned) -> String {
    neutral(&number.to_string()).at_most(40).to_string()
}
