//! The text of an error for people.

use std::error::Error;

/// Returns the text of an error and its causes.
pub(crate) fn error_chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |message, cause| format!("{message}: {cause}"))
}
