//! The class of a failure decides about another upload, so each kind of message must have the right one.

use super::*;

fn classifier(text: &str) -> StderrClassifier {
    let mut classifier = StderrClassifier::default();
    text.lines().for_each(|line| classifier.push_line(line));
    classifier
}

/// Temporary errors, permanent errors and unknown outcomes have their classes.
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

/// The message contains the errors of the compiler, a build script and cargo, and not the headers of an answer.
#[test]
fn the_message_contains_the_errors() {
    let compiler = "error[E0425]: cannot find `\u{1b}x`\n --> src\nerror: failed to verify\n\nCaused by:\n  it";
    let lines = "x\n".repeat(50);
    let script = format!("error: it failed to run\n  --- stdout\n{lines}  --- stderr\n  no libfoo\nerror: failed");
    let long = format!("error: one\n{}error: two", "x\n".repeat(MAX_FIRST_ERROR));
    let answer = "error: failed to publish\n\nCaused by:\n  got 403\n  headers:\n\tHTTP/1.1 403\n\tx: y\n  body:\n  no";
    for (text, message) in [
        (compiler, "error[E0425]: cannot find `\u{1b}x`; --> src; error: failed to verify; it"),
        (&script, "error: it failed to run; no libfoo; error: failed"),
        (&long, &format!("error: one; {}error: two", "x; ".repeat(MAX_FIRST_ERROR - 1))),
        (answer, "error: failed to publish; got 403; no; check the token"),
        ("", "no error message"),
    ] {
        assert_eq!(classifier(text).message(), message);
    }
}

/// The time to wait is that of the header, or of the message of crates-io. Another status is no rate limit.
#[test]
fn rate_limits_are_recognized() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let limited = |answer: &str| format!("error: failed to publish\n\nCaused by:\n  {answer}");
    let crates_io = |date: &str| {
        limited(&format!(
            "the remote server responded with an error (status 429 Too Many Requests): You have published too many new \
             crates in a short period of time. Please try again after {date} or email help@crates.io to have your limit \
             increased."
        ))
    };
    let headers =
        |value: &str| limited(&format!("got 429\n  headers:\n\tHTTP/1.1 429\n\tRetry-After: {value}\n  body:\n  no"));
    for (text, retry_after) in [
        (crates_io("Sun, 09 Sep 2001 01:56:40 GMT"), Some(601)),
        (crates_io("Sun, 09 Sep 2001 01:46:39 GMT"), Some(0)),
        (crates_io("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0)),
        (crates_io("tomorrow"), None),
        (crates_io("ü GMT"), None),
        (headers("120"), Some(120)),
        (headers("Sun, 09 Sep 2001 01:56:40 GMT"), Some(601)),
        (headers("-1"), None),
        (limited("got 429"), None),
        (format!("{}\n{}", headers("120"), limited("got 429")), None),
    ] {
        let limit = classifier(&text).rate_limit(now);
        assert_eq!(limit, Some(RateLimit { retry_after: retry_after.map(Duration::from_secs) }), "{text}");
    }
    for text in [limited("got 503\n  headers:\n\tRetry-After: 120\n  body:\n"), String::new()] {
        assert_eq!(classifier(&text).rate_limit(now), None, "{text}");
    }
}
