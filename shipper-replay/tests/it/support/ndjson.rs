//! Reports in ndjson: their parts, and the output of merges.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::{program, replay};

/// Returns output as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Returns the elements and the summary of a report in ndjson.
pub(crate) fn parts(report: &str) -> (Vec<&str>, Value) {
    let mut lines: Vec<&str> = report.lines().collect();
    let last: Value = serde_json::from_str(lines.pop().expect("a last line")).expect("JSON");
    assert_eq!(last.as_object().expect("an object").keys().collect::<Vec<_>>(), ["summary"]);
    (lines, last["summary"].clone())
}

/// Returns the report in ndjson.
pub(crate) fn ndjson(args: &[&str]) -> String {
    text(&replay(&[&["--format", "ndjson"], args].concat()).stdout)
}

/// Runs a merge of files in a directory.
pub(crate) fn merge_in(directory: &Path, args: &[&str]) -> Output {
    program(&[&["--merge"], args].concat()).current_dir(directory).stdin(Stdio::null()).output().expect("it starts")
}

/// Asserts status 2, no standard output, and a message that contains all of these texts.
pub(crate) fn assert_refused(output: &Output, texts: &[&str]) {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{texts:?}: {message}");
    assert!(output.stdout.is_empty(), "{texts:?}: {}", text(&output.stdout));
    assert!(texts.iter().all(|part| message.contains(part)), "{texts:?}: {message}");
}
