//! The published versions are compared with the registry's index, because a log can only claim that a version arrived,
//! and a version that bypassed the gate shows only there.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{fixtures, replay, report};

/// A directory with a log and the files of an index.
struct Case(tempfile::TempDir);

const CKSUM: &str = "aa";

fn entry(name: &str, version: &str) -> Value {
    json!({"name": name, "vers": version, "deps": [], "cksum": CKSUM.repeat(32), "features": {}, "yanked": false})
}

impl Case {
    /// Copies the log of a packet, with a checksum in every publish, and writes an index that has what it published.
    fn new(case: &str) -> Self {
        let case_dir = Self(tempfile::tempdir().expect("a directory"));
        let log = fs::read_to_string(fixtures().join("packets").join(case).join("events.jsonl")).expect("the log");
        let with = format!("\"type\":\"package_published\",\"cksum\":\"{}\",", CKSUM.repeat(32));
        fs::write(case_dir.path("events.jsonl"), log.replace("\"type\":\"package_published\",", &with)).expect("a log");
        for name in ["zq-a", "zq-b", "zq-c"] {
            case_dir.write(name, &[entry(name, "0.1.0")]);
        }
        case_dir
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, entries: &[Value]) {
        let path = self.path(&format!("index/zq/{name}"));
        fs::create_dir_all(Path::new(&path).parent().expect("a directory")).expect("directories");
        let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        fs::write(path, lines).expect("a file");
    }

    fn args<'a>(&self, args: &[&'a str]) -> Vec<String> {
        let own = ["--index".to_owned(), self.path("index"), self.path("events.jsonl")];
        args.iter().map(|arg: &&'a str| (*arg).to_owned()).chain(own).collect()
    }

    fn report(&self, args: &[&str]) -> Value {
        let args = self.args(args);
        report(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Returns the findings about the index as `code, line, message`, and the conclusion.
    fn findings(&self, args: &[&str]) -> (Vec<(String, u64, String)>, String) {
        let log = &self.report(args)["logs"][0];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let findings = log["findings"].as_array().expect("findings").iter();
        let about = findings.filter(|finding| text(&finding["code"]).starts_with("index-"));
        let found = about.map(|it| (text(&it["code"]), it["line"].as_u64().expect("a line"), text(&it["message"])));
        (found.collect(), text(&log["conclusion"]))
    }

    fn only_finding(&self, args: &[&str], conclusion: &str) -> (String, u64, String) {
        let (findings, found) = self.findings(args);
        assert_eq!((found.as_str(), findings.len()), (conclusion, 1), "{findings:?}");
        findings.into_iter().next().expect("one")
    }
}

/// An index that has every version gives no finding, and the report names the compared files.
#[test]
fn index_with_every_version_changes_nothing() {
    let case = Case::new("pass-3crate");
    case.write("other", &[entry("other", "1.0.0")]);
    fs::write(case.path("index/config.json"), "{\"dl\":\"x\"}").expect("a file");
    fs::create_dir(case.path("index/.git")).expect("a directory");
    fs::write(case.path("index/.git/HEAD"), "ref").expect("a file");
    assert_eq!(case.findings(&[]), (Vec::new(), "verified".to_owned()));
    let files: Vec<String> = ["zq-a", "zq-b", "zq-c"].map(|name| case.path(&format!("index/zq/{name}"))).into();
    let log = &case.report(&[])["logs"][0];
    assert_eq!(log["index"], json!({"files": files, "packages": 3, "versions": 3}));
    assert_eq!(report(&[&case.path("events.jsonl")])["logs"][0].get("index"), None, "without the option");
}

/// A version, a package or a name that the index lacks is an error at the line of the publish.
#[test]
fn published_version_that_the_index_lacks_is_an_error() {
    for (file, entries, lacks) in [
        ("zq-c", vec![entry("zq-c", "0.2.0-a"), entry("zq-c", "0.0.9")], "the index has no such version"),
        ("zq-c", vec![entry("zq-c", "0.1.0+build")], "the index has no such version"),
        ("zq-c", vec![], "no file of --index has this package"),
        ("zq-c", vec![entry("Zq_c", "0.1.0")], "the index has only the name \"Zq_c\""),
    ] {
        let case = Case::new("pass-3crate");
        case.write(file, &entries);
        let (findings, conclusion) = case.findings(&["--at", "38"]);
        let message = format!("the log publishes \"zq-c@0.1.0\", but {lacks}");
        assert_eq!(findings, [("index-missing".to_owned(), 37, message)]);
        assert_eq!(conclusion, "violated");
    }
    // The shipper tool skipped zq-c because an edited state.json lists it as published.
    let case = Case::new("drift");
    case.write("zq-c", &[]);
    let (code, line, message) = case.only_finding(&[], "violated");
    assert_eq!((&*code, line), ("index-missing", 33));
    assert!(message.starts_with("the log skips as already published \"zq-c@0.1.0\""), "{message}");
}

/// Another checksum is an error, also in one of several files; upper-case digits are the same.
#[test]
fn other_checksum_is_an_error() {
    let case = Case::new("pass-3crate");
    let mut other = entry("zq-b", "0.1.0");
    other["cksum"] = CKSUM.repeat(32).to_uppercase().into();
    case.write("zq-b", &[other.clone()]);
    assert_eq!(case.findings(&[]).0, []);
    other["cksum"] = "bb".repeat(32).into();
    case.write("another-download-of-zq-b", &[other]);
    let (code, line, message) = case.only_finding(&[], "violated");
    assert_eq!((&*code, line), ("index-checksum", 28));
    let (logged, indexed) = (CKSUM.repeat(32), "bb".repeat(32));
    let expected = format!("\"zq-b@0.1.0\" has the SHA-256 {logged} in the log and {indexed} in the index");
    assert_eq!(message, expected);
}

/// Versions that are newer than the first published one and that no event explains are one warning a package.
#[test]
fn newer_version_without_an_event_is_a_warning() {
    let case = Case::new("pass-3crate");
    let older = ["0.0.9", "0.1.0-rc.1", "0.1.0", "0.1.0+build"].map(|version| entry("zq-a", version));
    case.write("zq-a", &older);
    assert_eq!(case.findings(&[]), (Vec::new(), "verified".to_owned()));
    let newer = ["0.1.1", "0.10.0", "0.2.0", "1.0.0", "2.0.0", "10.0.0"].map(|version| entry("zq-a", version));
    case.write("zq-a", &[&older[..], &newer].concat());
    let (code, line, message) = case.only_finding(&[], "verified");
    assert_eq!((&*code, line), ("index-unlogged", 19));
    let listed = "\"0.1.1\", \"0.2.0\", \"0.10.0\", \"1.0.0\", \"2.0.0\" and 1 more";
    assert_eq!(message, format!("the index has versions of \"zq-a\" that no event published: {listed}"));
    assert_eq!(case.findings(&["--strict"]).1, "violated");
    assert_eq!(case.findings(&["--at", "38"]).0, [], "later lines may explain them");

    // An event that publishes, reconciles, uploads or skips the version explains it.
    let line = |event: &str| {
        format!("{{\"timestamp\":\"2026-11-28T00:00:00Z\",\"event_type\":{event},\"package\":\"zq-a@0.1.1\"}}\n")
    };
    let log = fs::read_to_string(case.path("events.jsonl")).expect("the log");
    case.write("zq-a", &[entry("zq-a", "0.1.0"), entry("zq-a", "0.1.1")]);
    for event in [
        "{\"type\":\"package_published\",\"duration_ms\":1}",
        "{\"type\":\"package_uploaded\"}",
        "{\"type\":\"package_skipped\",\"reason\":\"already published\"}",
        "{\"type\":\"publish_reconciled\",\"outcome\":{\"outcome\":\"published\"}}",
    ] {
        fs::write(case.path("events.jsonl"), format!("{log}{}", line(event))).expect("a log");
        assert_eq!(case.findings(&[]).0, [], "{event}");
    }
    fs::write(case.path("events.jsonl"), format!("{log}{}", line("{\"type\":\"package_attempted\"}"))).expect("a log");
    assert_eq!(case.findings(&[]).0[0].0, "index-unlogged");
}

/// A yanked version is a note.
#[test]
fn yanked_version_is_a_note() {
    let case = Case::new("pass-3crate");
    let mut yanked = entry("zq-a", "0.1.0");
    yanked["yanked"] = true.into();
    case.write("zq-a", &[yanked]);
    let (code, line, message) = case.only_finding(&["--strict"], "verified");
    assert_eq!((&*code, line, &*message), ("index-yanked", 19, "\"zq-a@0.1.0\" is yanked in the index"));
}

/// A log that is not judged is not compared.
#[test]
fn corrupt_log_is_not_compared() {
    let case = Case::new("pass-3crate");
    case.write("zq-c", &[]);
    let log = fs::read_to_string(case.path("events.jsonl")).expect("the log");
    fs::write(case.path("events.jsonl"), format!("{log}[]\n")).expect("a log");
    assert_eq!(case.findings(&[]), (Vec::new(), "violated".to_owned()));
    assert_eq!(case.report(&[])["logs"][0].get("index"), None);
}

/// A file that is not one of an index is an error, with its path and line, and no audit.
#[test]
fn other_files_are_refused() {
    let hash = CKSUM.repeat(32);
    for (content, message) in [
        ("<html>".to_owned(), "line 1 is not one JSON object"),
        ("\n{\"name\":\"a\"}".to_owned(), "line 2: the member \"vers\" is missing or is not a semantic version"),
        ("{\"name\":\"\",\"vers\":\"1.0.0\"}".to_owned(), "\"name\""),
        ("{\"name\":\"a\",\"vers\":\"1.0.0\",\"cksum\":\"0\"}".to_owned(), "64 hex digits"),
        (format!("{{\"name\":\"a\",\"vers\":\"1.0.0\",\"cksum\":\"{hash}\",\"yanked\":1}}"), "true or false"),
        (format!("{{\"name\":\"a\",\"name\":\"b\",\"vers\":\"1.0.0\",\"cksum\":\"{hash}\"}}"), "line 1 is not one"),
        (format!("{{\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200)), "line 1 is not one"),
    ] {
        let case = Case::new("pass-3crate");
        fs::write(case.path("index/page"), &content).expect("a file");
        let args = case.args(&[]);
        let output = replay(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{stderr}");
        assert!(stderr.contains("index/page") && stderr.contains(message), "{content}: {stderr}");
    }
    let long = tempfile::NamedTempFile::new().expect("a file");
    long.as_file().set_len((16 << 20) + 1).expect("a long file");
    let long = long.path().to_str().expect("UTF-8");
    for (args, message) in [
        (["--index", "nowhere", "real/dormant"], "cannot read the index"),
        (["--index", long, "real/dormant"], "longer than 16 MiB"),
        (["--index=real", "--merge", "-"], "cannot be used with"),
        (["--index=real", "--follow", "-"], "cannot be used with"),
    ] {
        let output = replay(&args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
}

/// Every format shows the findings, the statement names the compared files, and a report whose index was removed is
/// refused by a merge.
#[test]
fn every_format_and_a_merge_know_the_index() {
    let case = Case::new("pass-3crate");
    case.write("other", &[entry("other", "1.0.0")]);
    case.write("zq-a", &[entry("zq-a", "0.1.0"), entry("zq-a", "0.1.1")]);
    let text = |format: &str| {
        let args = case.args(&["--strict", "--format", format]);
        let output = replay(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(1), "{format}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    for format in ["human", "json", "ndjson", "sarif", "github", "markdown", "html", "vsa"] {
        assert!(text(format).contains("index-unlogged"), "{format}");
    }
    for format in ["human", "markdown", "html"] {
        assert!(text(format).contains("3 versions of 3 packages compared with 3 files"), "{format}");
    }
    let statement: Value = serde_json::from_str(&text("vsa")).expect("JSON");
    let inputs = statement["predicate"]["inputAttestations"].as_array().expect("inputs");
    let digest = blake3::hash(&fs::read(case.path("index/zq/zq-a")).expect("the file")).to_string();
    assert!(inputs.iter().any(|input| input["digest"]["blake3"] == digest.as_str()), "{inputs:?}");
    assert_eq!(inputs.iter().filter(|input| input["uri"].as_str().expect("text").contains("index/zq")).count(), 3);

    let ndjson = text("ndjson");
    let start = ndjson.find("\"index\":{").expect("the member");
    let end = ndjson[start..].find("\"findings\"").expect("the next member") + start;
    for (report, code) in [(ndjson.clone(), 1), (format!("{}{}", &ndjson[..start], &ndjson[end..]), 2)] {
        fs::write(case.path("report"), report).expect("a report");
        let merged = replay(&["--merge", "--format", "ndjson", &case.path("report")]);
        assert_eq!(merged.status.code(), Some(code), "{merged:?}");
    }
}

/// Several paths and several logs use one index.
#[test]
fn several_paths_and_logs_use_one_index() {
    let (case, other) = (Case::new("pass-3crate"), Case::new("drift"));
    let paths = ["zq-a", "zq-b", "zq-c"].map(|name| format!("--index={}", case.path(&format!("index/zq/{name}"))));
    let logs = [case.path("events.jsonl"), other.path("events.jsonl")];
    let args: Vec<&str> = paths.iter().chain(&logs).map(String::as_str).collect();
    let report = report(&args);
    for log in report["logs"].as_array().expect("logs") {
        assert_eq!((&log["index"]["packages"], &log["index"]["versions"]), (&json!(3), &json!(3)), "{log}");
    }
}
