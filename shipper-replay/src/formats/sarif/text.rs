//! Texts and numbers in the types of SARIF.

use serde_sarif::sarif::Message;

/// Returns a message of a text that is safe to show. In messages, `{0}` is a placeholder, and doubled braces escape it.
/// `[text](target)` is a link without an escape, so a space breaks it.
pub(super) fn message(text: &str) -> Message {
    Message::from(&text.replace('{', "{{").replace('}', "}}").replace("](", "] ("))
}

/// Converts a line, a column or an index. A number that does not fit becomes `i64::MAX`.
pub(super) fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
