//! Pieces of messages: text from the log in them is bounded and made safe to show.

use shipper_events::{JsonUint, display_safe};

use crate::gate::Verdict;

/// A verdict and its reasons for a message: any text, made safe to show.
pub(super) fn described<'r>(verdict: &str, reasons: impl Iterator<Item = &'r str>) -> String {
    let mut text = display_safe(verdict).max_chars(40).to_string();
    let reasons: Vec<String> = reasons.take(8).map(|reason| display_safe(reason).max_chars(40).to_string()).collect();
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
pub(super) fn number(number: &JsonUint) -> String {
    display_safe(&number.to_string()).max_chars(40).to_string()
}
