//! What cargo's words mean: why it failed, and whether it may go well another time.

use shipper_events::neutral;

use crate::release::world::Class;

/// Words that tell of a failure which may pass.
const PASSING: [&str; 16] = [
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
    "got 500",
    "got 502",
    "got 503",
    "got 504",
    "too many requests",
];

/// What a failure of cargo means for a second try; `killed` says that it did not end by itself. Cargo tells by words only.
/// Once it began to upload, only a registry's clear refusal says that nothing arrived. Before that, what is not known to
/// pass is taken not to.
pub(super) fn class_of(stderr: &str, killed: bool) -> Class {
    let said = stderr.to_ascii_lowercase();
    let passing = PASSING.iter().any(|words| said.contains(words))
        || ["500", "502", "503", "504", "429"]
            .iter()
            .any(|code| said.contains(&format!("status code {code}")) || said.contains(&format!("status {code}")));
    // What the transport under cargo says begins with a number in brackets.
    let transport = said.lines().any(|line| {
        let number = line.trim().strip_prefix('[').and_then(|rest| rest.split_once("] "));
        number.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let passing = passing || transport;
    if killed || said.contains("already uploaded") || said.contains("already exists") {
        // Somebody else, or an attempt of ours that was lost: the index tells.
        return Class::Ambiguous;
    }
    let refused = said.contains("the remote server responded with an error");
    match (passing, said.contains("uploading ") && (passing || !refused)) {
        // The upload may have arrived.
        (_, true) => Class::Ambiguous,
        (true, false) => Class::Retryable,
        (false, false) => Class::Permanent,
    }
}

/// What cargo said last that tells why it failed, safe to show.
pub(super) fn why(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // The compiler's errors come first, cargo's own last, with what caused it.
    let last = lines.iter().rposition(|line| line.starts_with("error")).unwrap_or(lines.len().saturating_sub(3));
    let before = lines.iter().take(last).filter(|line| line.starts_with("error")).take(3);
    let said: Vec<&str> = before.chain(lines.iter().skip(last).take(12)).copied().collect();
    if said.is_empty() { "it said nothing".to_owned() } else { neutral(&said.join("; ")).at_most(800).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) What may pass is told from what will not, and from what nobody knows.
    #[test]
    fn failures_are_told_apart() {
        for (said, class) in [
            ("error: failed to publish\n\nCaused by:\n  failed to get a 200 OK response, got 500", Class::Retryable),
            ("    Uploading a v1\nerror: failed\nCaused by:\n  [18] Transferred a partial file", Class::Ambiguous),
            ("error: crate a@0.1.0 already exists on registry", Class::Ambiguous),
            (
                "    Uploading a v1\nerror: the remote server responded with an error (status 403 Forbidden)",
                Class::Permanent,
            ),
            ("    Uploading a v1\nerror: invalid JSON response body:\nbody:\n<html>", Class::Ambiguous),
            ("error[E0425]: cannot find function\nerror: could not compile `a`", Class::Permanent),
            ("", Class::Permanent),
        ] {
            assert_eq!(class_of(said, false), class, "{said}");
            assert_eq!(class_of(said, true), Class::Ambiguous, "{said}");
        }
    }

    /// (Pass) The compiler's errors and cargo's own are told, safely.
    #[test]
    fn why_it_failed() {
        let said = "   Compiling b\nerror[E0425]: cannot find `\u{1b}x`\n --> src\nerror: failed to verify\n\nCaused by:\n  it";
        assert_eq!(why(said), "error[E0425]: cannot find `\\u{1b}x`; error: failed to verify; Caused by:; it");
        assert_eq!(why(""), "it said nothing");
    }
}
