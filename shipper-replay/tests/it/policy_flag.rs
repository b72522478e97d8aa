//! `--policy` reads only the named file, every format states its rules, and an error names file, line and column. An
//! auditor must know under which rules a log was judged.

use std::fs;

use crate::support::ndjson::{assert_refused, merge_in, ndjson};
use crate::support::{fixtures, program, replay, report, seen};
use serde_json::json;
use shipper_testkit::program::installed;

const LOG: &str = "real/pass-3crate/events.jsonl";
const SMOKE_LOG: &str = "real/real-pass-3crate-smoke/events.jsonl";
const POLICY: &str = "../docs/example-policy.toml";

/// Writes a policy into a new directory and returns the directory.
fn with_policy(text: impl AsRef<[u8]>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("policy.toml"), text).expect("it can be written");
    directory
}

/// Returns the output for a policy, with the directory of the policy as `DIR`.
fn seen_with(policy: impl AsRef<[u8]>, args: &[&str]) -> String {
    let directory = with_policy(policy);
    let path = directory.path().join("policy.toml");
    let output = replay(&[&["--policy", path.to_str().expect("UTF-8")], args].concat());
    seen(&output).replace(directory.path().to_str().expect("UTF-8"), "DIR")
}

/// The report has the rules, and the SHA-256 that `sha256sum` prints for the file.
#[test]
fn report_states_the_policy() {
    let demand = &report(&["--policy", POLICY, SMOKE_LOG])["demand"];
    let policy = &demand["policy"];
    assert_eq!(policy["max_rehearsal_age"], json!(86400));
    assert_eq!(demand["registry"], policy["registry"]);
    if installed(&["sha256sum"]) {
        let sum =
            std::process::Command::new("sha256sum").arg(fixtures().join(POLICY)).output().expect("it runs").stdout;
        let digest = policy["sha256"].as_str().expect("a digest");
        assert!(String::from_utf8(sum).expect("UTF-8").starts_with(digest), "{digest}");
    }
    assert!(report(&[LOG])["demand"].get("policy").is_none());
}

/// Every format that states options states the policy.
#[test]
fn formats_state_the_policy() {
    for (format, expected) in [
        (
            "human",
            "  policy     registry \"rehearsal\"; max-rehearsal-age 1d; require-smoke-install; skips (0 entries)",
        ),
        ("markdown", "--policy: registry \"rehearsal\"; max-rehearsal-age 1d"),
        ("html", "<dt><code>--policy</code></dt><dd><code>registry &quot;rehearsal&quot;; max-rehearsal-age 1d"),
        ("sarif", r#""max_rehearsal_age":86400"#),
        ("vsa", r#""strict":false,"policy":{"sha256":"#),
        ("github", "policy-smoke-install"),
    ] {
        let text = seen(&replay(&["--format", format, "--policy", POLICY, LOG]));
        assert!(text.contains(expected), "{format}: {text}");
    }
    let passed = seen(&replay(&["--format", "vsa", "--policy", POLICY, SMOKE_LOG]));
    assert!(passed.contains(r#""SHIPPER_POLICY_SATISFIED""#), "{passed}");
    assert!(!seen(&replay(&["--format", "vsa", "--policy", POLICY, LOG])).contains("SHIPPER_POLICY_SATISFIED"));
}

/// A policy beside a log, or in the directory of the caller, is not read.
#[test]
fn only_the_named_file_is_read() {
    let directory = with_policy("require-chained = true");
    for name in ["shipper-replay.toml", "shipper.toml", ".shipper.toml"] {
        fs::write(directory.path().join(name), "require-chained = true").expect("it can be written");
    }
    let log = directory.path().join("events.jsonl");
    fs::copy(fixtures().join(LOG), &log).expect("a copy");
    let output = program(&["-q", "events.jsonl"]).current_dir(directory.path()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{}", seen(&output));
    let named = ["-q", "--policy", "policy.toml", "events.jsonl"];
    let output = program(&named).current_dir(directory.path()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", seen(&output));
}

/// The messages about a policy and its findings.
#[test]
fn messages_name_file_line_and_column() {
    let outputs = [
        seen_with("max-rehersal-age = \"1d\"", &[LOG]),
        seen_with("[levels]\nchain-broken = { level = \"note\", reason = \"r\" }", &[LOG]),
        seen_with("accept = [\"bypassed\"", &[LOG]),
        seen_with(b"\xff", &[LOG]),
        seen_with("registry = \"r\"", &["--registry", "s", LOG]),
        seen_with("require-chained = true\nrequire-sealed = true", &["-q", LOG]),
        seen_with("skips = []", &["-q", "recorded/bypassed/events.jsonl"]),
        seen_with("accept = [\"unrecorded\"]", &["-q", "real/skip/events.jsonl"]),
    ];
    insta::assert_snapshot!(outputs.join("\n"));
    let missing = seen(&replay(&["--policy", "no/such.toml", LOG]));
    assert!(missing.starts_with("error: cannot read the policy \"no/such.toml\": "), "{missing}");
    assert!(missing.ends_with("[exit status 2]\n"), "{missing}");
}

/// Options that no policy knows are usage errors, and an endless file does not fill the memory.
#[test]
fn usage_errors_exit_2() {
    let required = ["--require", "authorized", "--plan-id", "p", "--registry", "rehearsal", "--policy", POLICY];
    for args in [&required[..], &["--merge", "--policy", POLICY]] {
        let output = replay(&[args, &[LOG]].concat());
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{args:?}");
        assert!(seen(&output).contains("cannot be used with"), "{args:?}: {}", seen(&output));
    }
    if cfg!(unix) {
        let endless = seen(&replay(&["--policy", "/dev/zero", LOG]));
        assert!(endless.contains("line 1, column 1: the policy is longer than 65536 bytes"), "{endless}");
    }
}

/// Reports merge only if their policies are equal.
#[test]
fn reports_merge_only_with_equal_policies() {
    let top = tempfile::tempdir().expect("a directory");
    fs::write(top.path().join("usual"), ndjson(&[SMOKE_LOG])).expect("a part");
    fs::write(top.path().join("policy"), ndjson(&["--policy", POLICY, SMOKE_LOG])).expect("a part");
    fs::write(top.path().join("again"), ndjson(&["--policy", POLICY, LOG])).expect("a part");
    assert_refused(
        &merge_in(top.path(), &["policy", "usual"]),
        &["the reports have different options: policy is null"],
    );
    assert_eq!(merge_in(top.path(), &["policy", "again"]).status.code(), Some(1));
}
