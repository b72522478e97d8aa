//! Reports in ndjson: their parts, and what merges of them say.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::{program, replay};

/// What was printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The elements and the summary of a report in ndjson.
pub(crate) fn parts(report: &str) -> (Vec<&str>, Value) {
    let mut lines: Vec<&str> = report.lines().collect();
    let last: Value = serde_json::from_str(lines.pop().expect("a last line")).expect("JSON");
    assert_eq!(last.as_object().expect("an object").keys().collect::<Vec<_>>(), ["summary"]);
    (lines, last["summary"].clone())
}

/// The report in ndjson.
pub(crate) fn ndjson(args: &[&str]) -> String {
    text(&replay(&[&["--format", "ndjson"], args].concat()).stdout)
}

/// Runs a merge of files in a directory.
pub(crate) fn merge_in(directory: &Path, args: &[&str]) -> Output {
    program(&[&["--merge"], args].concat()).current_dir(directory).stdin(Stdio::null()).output().expect("it starts")
}

/// (Fail) Refused: status 2, nothing that could pass for a report, and a message that says all of this.
pub(crate) fn assert_refused(output: &Output, says: &[&str]) {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{says:?}: {message}");
    assert!(output.stdout.is_empty(), "{says:?}: {}", text(&output.stdout));
    assert!(says.iter().all(|part| message.contains(part)), "{says:?}: {message}");
}
