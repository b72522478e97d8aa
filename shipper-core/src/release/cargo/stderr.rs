//! Classifier of cargo's failures by its standard error. The class decides if the release tries again.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::release::publisher::FailureClass;
use crate::release::rate_limit::RateLimit;

/// Messages of temporary errors.
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
    /// The value of the header `Retry-After` of the registry's latest answer.
    retry_after: Option<String>,
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
        if let Some((name, value)) = line.split_once(':')
            && self.in_ignored_section
            && name.eq_ignore_ascii_case("retry-after")
        {
            self.retry_after = Some(value.trim().to_owned());
        }
        if self.in_ignored_section || matches!(line, "" | "body:" | "--- stderr" | "Caused by:") {
            return;
        }
        let is_error = line.starts_with("error");
        if is_error {
            self.last.clear();
            self.retry_after = None;
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
        let answered = |code: u32| has_status(&error, code);
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

    /// Returns the rate limit of a registry that answered with status 429, with the time to wait from `now` on. The
    /// registry names it in the header `Retry-After`, or as crates-io in its message.
    pub(super) fn rate_limit(&self, now: SystemTime) -> Option<RateLimit> {
        let error = self.last.join(" ");
        if !has_status(&error.to_ascii_lowercase(), 429) {
            return None;
        }
        let in_message = || wait_until(error.split_once("try again after ")?.1, now);
        let in_header = || {
            let value = self.retry_after.as_deref()?;
            value.parse().ok().map(Duration::from_secs).or_else(|| wait_until(value, now))
        };
        Some(RateLimit { retry_after: in_header().or_else(in_message) })
    }

    /// Returns the first and the last error in one line.
    pub(super) fn message(&self) -> String {
        let last = if self.first.ends_with(&self.last) { &[] } else { self.last.as_slice() };
        let message = [self.first.as_slice(), last].concat().join("; ");
        if message.is_empty() {
            return "no error message".to_owned();
        }
        let auth = ["got 401", "got 403", "status 401", "status 403"].iter().any(|code| message.contains(code));
        let hint = if auth { "; check the token" } else { "" };
        format!("{message}{hint}")
    }
}

/// Returns `true` if cargo's error, in lowercase letters, contains this status of an answer.
fn has_status(error: &str, code: u32) -> bool {
    let messages = [format!("got {code}"), format!("status {code}"), format!("status code {code}")];
    messages.iter().any(|message| error.contains(message))
}

/// Returns the time from `now` until the date at the beginning of a text, such as `Thu, 01 Jan 1970 00:00:00 GMT`.
fn wait_until(text: &str, now: SystemTime) -> Option<Duration> {
    let date = text.get(..text.find(" GMT")?)?;
    let date = OffsetDateTime::parse(&format!("{date} +0000"), &Rfc2822).ok()?;
    // The date has no fraction of a second, but the limit may have one.
    let seconds = u64::try_from(date.unix_timestamp()).ok()?.checked_add(1)?;
    let date = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
#[path = "../../../tests/unit/stderr.rs"]
mod tests;
