//! Classifier of cargo's failures by its standard error. The class decides about another attempt.

use crate::release::publisher::FailureClass;

/// Messages of errors that may pass.
const TRANSIENT_ERRORS: [&str; 12] = [
    "timed out",
    "timeout",
    "connection refused",
    "connection reset",
    "could not connect",
    "couldn't connect",
    "failed to connect",
    "could not resolve host",
    "couldn't resolve host",
    "network failure",
    "spurious network error",
    "too many requests",
];

/// The number of lines that are kept of the first error, and of the last one.
const MAX_FIRST_ERROR: usize = 16;
const MAX_LAST_ERROR: usize = 12;

/// The errors in cargo's standard error. They are collected line by line, since the tail of the output may not contain them.
#[derive(Debug, Default)]
pub(super) struct StderrClassifier {
    /// The first error with the lines after it, such as those of the compiler or a build script.
    first: Vec<String>,
    /// The latest error with its causes. At the end it is cargo's own.
    last: Vec<String>,
    /// `true` once cargo began to upload.
    uploading: bool,
    /// `true` within the headers of a registry's answer, or the instructions of a build script to cargo.
    in_ignored_section: bool,
}

impl StderrClassifier {
    pub(super) fn push_line(&mut self, line: &str) {
        let line = line.trim();
        self.uploading |= line.starts_with("Uploading ");
        self.in_ignored_section = match line {
            "headers:" | "--- stdout" => true,
            "body:" | "--- stderr" => false,
            _ => self.in_ignored_section && !line.starts_with("error"),
        };
        if self.in_ignored_section || matches!(line, "" | "body:" | "--- stderr" | "Caused by:") {
            return;
        }
        let is_error = line.starts_with("error");
        if is_error {
            self.last.clear();
        }
        for (lines, max) in [(&mut self.first, MAX_FIRST_ERROR), (&mut self.last, MAX_LAST_ERROR)] {
            if lines.len() < max && (is_error || !lines.is_empty()) {
                lines.push(line.to_owned());
            }
        }
    }

    /// Returns the class of the failure; `killed` if cargo did not exit by itself.
    ///
    /// Only cargo's messages distinguish failures. After the upload began, only a registry's refusal proves that nothing
    /// arrived. Before that, an unknown error counts as permanent.
    pub(super) fn class(&self, killed: bool) -> FailureClass {
        let error = self.last.join("\n").to_ascii_lowercase();
        if killed || error.contains("already uploaded") || error.contains("already exists") {
            // Another publisher may have uploaded it, or an earlier attempt whose answer was lost.
            return FailureClass::Ambiguous;
        }
        let answered = |code: u32| {
            let messages = [format!("got {code}"), format!("status {code}"), format!("status code {code}")];
            messages.iter().any(|message| error.contains(message))
        };
        // Errors of the transport library begin with a number in brackets.
        let transport = self.last.iter().any(|line| {
            let number = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
            number.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let try_later = [408, 425, 429].into_iter().any(answered);
        let transient = transport
            || try_later
            || (500..600).any(answered)
            || TRANSIENT_ERRORS.iter().any(|message| error.contains(message));
        let refused = (400..500).any(answered)
            || ["responded with an error", "invalid characters"].iter().any(|message| error.contains(message));
        match (transient, self.uploading) {
            (false, true) if refused => FailureClass::Permanent,
            // The registry answers that it took nothing.
            (true, true) if try_later => FailureClass::Retryable,
            // The upload may have arrived.
            (_, true) => FailureClass::Ambiguous,
            (true, false) => FailureClass::Retryable,
            (false, false) => FailureClass::Permanent,
        }
    }

    /// Returns the first and the last error in one line.
    pub(super) fn message(&self) -> String {
        let last = if self.first.ends_with(&self.last) { &[] } else { self.last.as_slice() };
        let message = [self.first.as_slice(), last].concat().join("; ");
        if message.is_empty() {
            return "it said nothing that tells why".to_owned();
        }
        let auth = ["got 401", "got 403", "status 401", "status 403"].iter().any(|code| message.contains(code));
        let hint = if auth { "; is the token the right one?" } else { "" };
        format!("{message}{hint}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classifier(text: &str) -> StderrClassifier {
        let mut classifier = StderrClassifier::default();
        text.lines().for_each(|line| classifier.push_line(line));
        classifier
    }

    /// (Pass) Errors that may pass, permanent ones and unknown outcomes have their classes.
    #[test]
    fn failures_are_classified() {
        use FailureClass::{Ambiguous, Permanent, Retryable};
        let failed = |cause: &str| format!("error: failed to publish\n\nCaused by:\n  {cause}");
        let uploading = |cause: &str| format!("    Uploading a v1\n{}", failed(cause));
        let page = "<p>it did not reach the origin</p>\n".repeat(1000);
        for (text, class) in [
            (failed("failed to get a 200 OK response, got 500"), Retryable),
            (uploading("[18] Transferred a partial file"), Ambiguous),
            (uploading(&format!("failed to get a 200 OK response, got 502\nbody:\n{page}")), Ambiguous),
            (format!("warning: could not compile it, so without\n{}", uploading("got 502")), Ambiguous),
            (uploading("invalid JSON response body:\nbody:\n<html>"), Ambiguous),
            (uploading("(status 429 Too Many Requests)"), Retryable),
            (uploading("the remote server responded with an error (status 403 Forbidden)"), Permanent),
            (uploading("the remote server responded with an error: no such owner"), Permanent),
            (uploading("failed to get a 200 OK response, got 403"), Permanent),
            (uploading("token contains invalid characters"), Permanent),
            ("error: crate a@0.1.0 already exists on registry".to_owned(), Ambiguous),
            ("error[E0425]: cannot find `timeout`\n[7] x\nerror: could not compile `a`".to_owned(), Permanent),
            (String::new(), Permanent),
        ] {
            assert_eq!(classifier(&text).class(false), class, "{text}");
            assert_eq!(classifier(&text).class(true), Ambiguous, "{text}");
        }
    }

    /// (Pass) The message contains the errors of the compiler, a build script and cargo, and not the headers of an answer.
    #[test]
    fn the_message_contains_the_errors() {
        let compiler = "error[E0425]: cannot find `\u{1b}x`\n --> src\nerror: failed to verify\n\nCaused by:\n  it";
        let lines = "x\n".repeat(50);
        let script = format!("error: it failed to run\n  --- stdout\n{lines}  --- stderr\n  no libfoo\nerror: failed");
        let long = format!("error: one\n{}error: two", "x\n".repeat(MAX_FIRST_ERROR));
        let answer =
            "error: failed to publish\n\nCaused by:\n  got 403\n  headers:\n\tHTTP/1.1 403\n\tx: y\n  body:\n  no";
        for (text, message) in [
            (compiler, "error[E0425]: cannot find `\u{1b}x`; --> src; error: failed to verify; it"),
            (&script, "error: it failed to run; no libfoo; error: failed"),
            (&long, &format!("error: one; {}error: two", "x; ".repeat(MAX_FIRST_ERROR - 1))),
            (answer, "error: failed to publish; got 403; no; is the token the right one?"),
            ("", "it said nothing that tells why"),
        ] {
            assert_eq!(classifier(text).message(), message);
        }
    }
}
