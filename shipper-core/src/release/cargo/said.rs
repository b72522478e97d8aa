//! What cargo's words mean: why it failed, and whether it may go well another time.

use crate::release::world::FailureClass;

/// Words that tell of a failure which may pass.
const PASSING: [&str; 12] = [
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

/// How much is kept of what tells why cargo failed, in lines.
const FIRST: usize = 16;
const LAST: usize = 12;

/// What cargo said on standard error that tells why it failed, heard line by line: the tail alone may have lost it.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The first error with what follows it, such as what the compiler or a build script printed.
    first: Vec<String>,
    /// The latest error, which at the end is cargo's own, with what caused it.
    last: Vec<String>,
    /// Whether it began to upload.
    uploading: bool,
    /// Within the headers of a registry's answer, or what a build script told cargo.
    aside: bool,
}

impl Said {
    pub(super) fn hear(&mut self, line: &str) {
        let line = line.trim();
        self.uploading |= line.starts_with("Uploading ");
        // Of a registry's answer, what it says counts, not how it was sent; of a build script, what it says to people.
        self.aside = match line {
            "headers:" | "--- stdout" => true,
            "body:" | "--- stderr" => false,
            _ => self.aside && !line.starts_with("error"),
        };
        if self.aside || matches!(line, "" | "body:" | "--- stderr" | "Caused by:") {
            return;
        }
        let is_error = line.starts_with("error");
        if is_error {
            self.last.clear();
        }
        if self.first.len() < FIRST && (is_error || !self.first.is_empty()) {
            self.first.push(line.to_owned());
        }
        if self.last.len() < LAST && (is_error || !self.last.is_empty()) {
            self.last.push(line.to_owned());
        }
    }

    /// What a failure means for a second try; `killed` says that cargo did not end by itself. Cargo tells by words only.
    /// Once it began to upload, only a registry's clear refusal says that nothing arrived. Before that, what is not known
    /// to pass is taken not to.
    pub(super) fn class(&self, killed: bool) -> FailureClass {
        let error = self.last.join("\n").to_ascii_lowercase();
        if killed || error.contains("already uploaded") || error.contains("already exists") {
            // Somebody else may have uploaded it, or an attempt of ours whose answer was lost: the index tells.
            return FailureClass::Ambiguous;
        }
        let answered = |code: u32| {
            let words = [format!("got {code}"), format!("status {code}"), format!("status code {code}")];
            words.iter().any(|words| error.contains(words))
        };
        // What the transport under cargo says begins with a number in brackets.
        let transport = self.last.iter().any(|line| {
            let number = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
            number.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let later = [408, 425, 429].into_iter().any(answered);
        let passing =
            transport || later || (500..600).any(answered) || PASSING.iter().any(|words| error.contains(words));
        let refused = (400..500).any(answered)
            || ["responded with an error", "invalid characters"].iter().any(|words| error.contains(words));
        match (passing, self.uploading) {
            (false, true) if refused => FailureClass::Permanent,
            // The registry says itself that it took nothing.
            (true, true) if later => FailureClass::Retryable,
            // The upload may have arrived.
            (_, true) => FailureClass::Ambiguous,
            (true, false) => FailureClass::Retryable,
            (false, false) => FailureClass::Permanent,
        }
    }

    /// Why it failed.
    pub(super) fn why(&self) -> String {
        let last = if self.first.ends_with(&self.last) { &[] } else { self.last.as_slice() };
        // The first error may have been followed by others, and by the last.
        let first = self.first.iter().take(FIRST);
        let said: Vec<&str> = first.chain(last).map(String::as_str).collect();
        if said.is_empty() {
            return "it said nothing that tells why".to_owned();
        }
        let said = said.join("; ");
        let locked = ["got 401", "got 403", "status 401", "status 403"].iter().any(|words| said.contains(words));
        let hint = if locked { "; is the token the right one?" } else { "" };
        format!("{said}{hint}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        let mut said = Said::default();
        text.lines().for_each(|line| said.hear(line));
        said
    }

    /// (Pass) What may pass is told from what will not, and from what nobody knows.
    #[test]
    fn failures_are_told_apart() {
        let uploading = "    Uploading a v1\nerror: failed to publish\n\nCaused by:\n  ";
        let page = "<p>it did not reach the origin</p>\n".repeat(1000);
        for (text, class) in [
            (
                "error: failed to publish\n\nCaused by:\n  failed to get a 200 OK response, got 500",
                FailureClass::Retryable,
            ),
            (&format!("{uploading}[18] Transferred a partial file"), FailureClass::Ambiguous),
            (&format!("{uploading}failed to get a 200 OK response, got 502\nbody:\n{page}"), FailureClass::Ambiguous),
            (&format!("warning: could not compile it, so without\n{uploading}got 502"), FailureClass::Ambiguous),
            (&format!("{uploading}invalid JSON response body:\nbody:\n<html>"), FailureClass::Ambiguous),
            (&format!("{uploading}(status 429 Too Many Requests)"), FailureClass::Retryable),
            (
                &format!("{uploading}the remote server responded with an error (status 403 Forbidden)"),
                FailureClass::Permanent,
            ),
            (&format!("{uploading}the remote server responded with an error: no such owner"), FailureClass::Permanent),
            (&format!("{uploading}failed to get a 200 OK response, got 403"), FailureClass::Permanent),
            (&format!("{uploading}token contains invalid characters"), FailureClass::Permanent),
            ("error: crate a@0.1.0 already exists on registry", FailureClass::Ambiguous),
            ("error[E0425]: cannot find `timeout`\n[7] x\nerror: could not compile `a`", FailureClass::Permanent),
            ("", FailureClass::Permanent),
        ] {
            assert_eq!(said(text).class(false), class, "{text}");
            assert_eq!(said(text).class(true), FailureClass::Ambiguous, "{text}");
        }
    }

    /// (Pass) The compiler's errors, what a build script says, and cargo's own are told; how an answer was sent is not.
    #[test]
    fn why_it_failed() {
        for (text, why) in [
            (
                "   Compiling b\nerror[E0425]: cannot find `\u{1b}x`\n --> src\nerror: failed to verify\n\nCaused by:\n  it",
                "error[E0425]: cannot find `\u{1b}x`; --> src; error: failed to verify; it",
            ),
            (
                &format!(
                    "error: it failed to run\n  --- stdout\n{}  --- stderr\n  no libfoo\nerror: failed",
                    "x\n".repeat(50)
                ),
                "error: it failed to run; no libfoo; error: failed",
            ),
            (
                &format!("error: one\n{}error: two", "x\n".repeat(FIRST)),
                &format!("error: one; {}error: two", "x; ".repeat(FIRST - 1)),
            ),
            (
                "error: failed to publish\n\nCaused by:\n  got 403\n  headers:\n\tHTTP/1.1 403\n\tx: y\n  body:\n  no",
                "error: failed to publish; got 403; no; is the token the right one?",
            ),
            ("", "it said nothing that tells why"),
        ] {
            assert_eq!(said(text).why(), why);
        }
    }
}
