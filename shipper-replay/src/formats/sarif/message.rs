//! Texts of SARIF messages. In them `{0}` is a place for an argument and `[text](target)` is a link, so what would be
//! either is written otherwise.

use shipper_events::display_safe;

use super::model::Text;

/// How many characters of a name from a log are shown.
const NAME: usize = 200;

/// A message of texts that are safe to show.
pub(super) fn message(text: &str) -> Text {
    // The standard doubles braces and has no escape for a link outside of one: a space ends it.
    Text { text: text.replace('{', "{{").replace('}', "}}").replace("](", "] (") }
}

/// A link in a message to the related location of that number.
pub(super) fn link(text: &str, id: usize) -> String {
    format!("[{text}]({id})")
}

/// A text that is not a message, and safe to show.
pub(super) fn plain(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

/// A name from a log.
pub(super) fn name(text: &str) -> String {
    display_safe(text).max_chars(NAME).to_string()
}
