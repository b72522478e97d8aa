//! What cargo's words mean: why it failed, and whether it may go well another time.

use shipper_events::neutral;

use crate::release::world::Class;

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

/// What a failure of cargo means for a second try; `killed` says that it did not end by itself. Cargo tells by words only.
/// Once it began to upload, only a registry's clear refusal says that nothing arrived. Before that, what is not known to
/// pass is taken not to.
pub(super) fn class_of(stderr: &str, killed: bool) -> Class {
    let said = stderr.to_ascii_lowercase();
    // Before cargo's own error, what it ran may have said anything.
    let error = said.rfind("\nerror").map_or(said.as_str(), |at| said.get(at..).unwrap_or_default());
    if killed {
        return Class::Ambiguous;
    }
    if ["could not compile", "custom build command"].iter().any(|words| said.contains(words)) {
        return Class::Permanent;
    }
    if error.contains("already uploaded") || error.contains("already exists") {
        // Somebody else, or an attempt of ours that was lost: the index tells.
        return Class::Ambiguous;
    }
    let answered = |code: u32| {
        [format!("got {code}"), format!("status {code}"), format!("status code {code}")]
            .iter()
            .any(|words| error.contains(words))
    };
    // What the transport under cargo says begins with a number in brackets.
    let transport = error.lines().any(|line| {
        let number = line.trim().strip_prefix('[').and_then(|rest| rest.split_once("] "));
        number.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let later = [408, 425, 429].into_iter().any(answered);
    let passing = transport || later || (500..600).any(answered) || PASSING.iter().any(|words| error.contains(words));
    let refused =
        error.contains("responded with an error") || error.contains("invalid characters") || (400..500).any(answered);
    match (passing, said.contains("uploading ")) {
        (false, true) if refused => Class::Permanent,
        // The registry says itself that it took nothing.
        (true, true) if later => Class::Retryable,
        // The upload may have arrived.
        (_, true) => Class::Ambiguous,
        (true, false) => Class::Retryable,
        (false, false) => Class::Permanent,
    }
}

/// What cargo said that tells why it failed, safe to show: the first error with what follows it, such as what a build
/// printed, and cargo's own, which comes last, with what caused it.
pub(super) fn why(stderr: &str) -> String {
    let mut in_headers = false;
    let tells = |line: &&str| {
        // Of a registry's answer, what it says counts, not how it was sent.
        in_headers = *line == "headers:" || in_headers && *line != "body:";
        !in_headers && !matches!(*line, "" | "body:" | "Caused by:")
    };
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(tells).collect();
    let is_error = |line: &&str| line.starts_with("error");
    let first = lines.iter().position(is_error).unwrap_or(lines.len().saturating_sub(3));
    let last = lines.iter().rposition(is_error).unwrap_or(first);
    let begin = lines.iter().take(last).skip(first).take(16);
    let said: Vec<&str> = begin.chain(lines.iter().skip(last).take(12)).copied().collect();
    if said.is_empty() {
        return "it said nothing".to_owned();
    }
    let locked = ["got 401", "got 403", "status 401", "status 403"].iter().any(|words| stderr.contains(words));
    let hint = if locked { "; is the token the right one?" } else { "" };
    format!("{}{hint}", neutral(&said.join("; ")).at_most(1500))
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
            (
                "    Uploading a v1\nerror: failed\nCaused by:\n  failed to get a 200 OK response, got 403",
                Class::Permanent,
            ),
            ("    Uploading a v1\nerror: failed\nCaused by:\n  token contains invalid characters", Class::Permanent),
            ("    Uploading a v1\nerror: failed\nCaused by:\n  (status 429 Too Many Requests)", Class::Retryable),
            ("error[E0425]: cannot find function\nerror: could not compile `a`", Class::Permanent),
            ("error[E0425]: cannot find `timeout`\n[7] x\nerror: could not compile `a`", Class::Permanent),
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
        assert_eq!(why(said), "error[E0425]: cannot find `\\u{1b}x`; --> src; error: failed to verify; it");
        let refused =
            "error: failed to publish\n\nCaused by:\n  got 403\n  headers:\n\tHTTP/1.1 403\n\tx: y\n  body:\n  no";
        assert_eq!(why(refused), "error: failed to publish; got 403; no; is the token the right one?");
        assert_eq!(why(""), "it said nothing");
    }
}
