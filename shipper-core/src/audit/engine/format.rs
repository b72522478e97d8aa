//! Formats parts of messages. Text from the log is bounded and safe to display.

use shipper_events::event::Lenient;
use shipper_events::{JsonUint, display_safe};

use crate::gate::Verdict;

/// Most names that a message lists.
const MAX_NAMES: usize = 5;

/// Returns a verdict and its reasons. Each may be any text.
pub(super) fn format_verdict<'r>(verdict: &str, reasons: impl Iterator<Item = &'r str>) -> String {
    let verdict = display_safe(verdict).max_chars(40).to_string();
    let reasons: Vec<String> = reasons.take(8).map(|reason| display_safe(reason).max_chars(40).to_string()).collect();
    if reasons.is_empty() { verdict } else { format!("{verdict} ({})", reasons.join(", ")) }
}

/// Returns every reason of a refusal, with the line that shows it.
pub(super) fn format_reasons(verdict: &Verdict) -> String {
    let reasons: Vec<String> = verdict.reasons().iter().map(|reason| format!("{}: {reason}", reason.code())).collect();
    reasons.join("; ")
}

/// Returns a number from the log, which may have millions of digits.
pub(super) fn format_number(number: &JsonUint) -> String {
    display_safe(&number.to_string()).max_chars(40).to_string()
}

/// Returns packages as a list; after the first five, only their number.
pub(super) fn format_packages<'p>(packages: impl ExactSizeIterator<Item = &'p str>) -> String {
    format_names(packages, 80)
}

/// Returns names as a list, each with at most that many characters; after the first five, only their number.
pub(super) fn format_names<'n>(names: impl ExactSizeIterator<Item = &'n str>, max_chars: usize) -> String {
    let more = names.len().saturating_sub(MAX_NAMES);
    let named: Vec<String> =
        names.take(MAX_NAMES).map(|name| display_safe(name).max_chars(max_chars).quoted().to_string()).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    named.join(", ") + &more
}

/// Returns the result that an `execution_finished` records; a result that is not a string, as its JSON text.
pub(super) fn result_text(result: &Lenient<String>) -> Option<String> {
    match result {
        Lenient::Absent => None,
        Lenient::Valid(text) => Some(text.clone()),
        Lenient::Other(json) => Some(json.text().to_owned()).filter(|text| text != "null"),
    }
}
