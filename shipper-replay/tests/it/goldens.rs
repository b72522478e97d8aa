//! The reports of every fixture, for every recorded argument list, equal the golden files: other programs read the
//! formats.
//!
//! Prose (messages, help, error texts) is blanked and may be reworded. All other bytes are compared, so the order of
//! members counts. `"same"` stands for the output of the first argument list. `SHIPPER_UPDATE_GOLDENS=1` writes the
//! files again.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

const COLLECTIONS: [&str; 3] = ["damaged", "real", "recorded"];

/// The members whose text may be reworded.
const PROSE: [&str; 3] = ["message", "help", "error"];

/// Every fixture, with every argument list and every machine-readable format.
#[test]
fn reports_equal_the_goldens() {
    let cases = cases();
    let goldens: BTreeSet<PathBuf> = cases.iter().map(|case| golden(case)).collect();
    for collection in COLLECTIONS {
        for path in list(&directory().join(collection)) {
            assert!(goldens.contains(&path), "{path:?} is a golden of no fixture: remove it");
        }
    }
    let (next, differences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let difference = compare(&golden(case), &outcomes(case));
            differences.lock().expect("no panic").extend(difference);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut differences = differences.into_inner().expect("no panic");
    differences.sort();
    let count = differences.len();
    assert!(
        differences.is_empty(),
        "{count} of {} goldens differ\n{}\nif the change is meant, set SHIPPER_UPDATE_GOLDENS=1 and run this test again",
        cases.len(),
        differences.join("\n"),
    );
}

/// Options for a head, a sidecar or a required verdict, which no fixture records, and many logs at once.
#[test]
fn other_runs_equal_the_goldens() {
    const PLAN: &str = "9f2c41d07be5a6c39f2c41d07be5a6c39f2c41d07be5a6c39f2c41d07be5a6c3";
    const HEAD: &str = "13:3514:d3227512c20c231b3a3adf0e6f5861a1a2a40458a2ff18cb0d4e9e8fb2db1623";
    let authorized = "recorded/authorized/events.jsonl";
    let refused = "recorded/refused-and-published/events.jsonl";
    let passed = "real/pass-3crate/events.jsonl";
    let require = ["--format", "json", "--require", "authorized", "--registry", "rehearsal", "--plan-id"];
    let runs: [&[&str]; 12] = [
        &["--format", "ndjson", "--registry", "rehearsal", "real", "damaged", "no-such.jsonl", "recorded"],
        &["--format", "json", "no-such.jsonl"],
        &["--format", "json", "--no-such-option", passed],
        &[&require[..], &[PLAN, authorized]].concat(),
        &[&require[..], &[PLAN, refused]].concat(),
        &[&require[..], &["other", authorized]].concat(),
        &["--format", "json", "--extends", HEAD, refused],
        &["--format", "json", "--extends", HEAD, authorized],
        &["--format", "json", "--since", HEAD, refused],
        &["--format", "json", "--at", "2026-11-23T09:00:05Z", "--timeline", authorized],
        &["--format", "json", "--no-sidecar", passed],
        &["--format", "json", "--sidecar", "real/fail-2of3/rehearsal.json", passed],
    ];
    let outcomes = runs.map(|args| {
        let (exit, output) = replay(args);
        let output = blanked(&output).replace("}\n{", "},\n{");
        format!("{{\"args\":{},\"exit\":{exit},\"output\":[{output}]}}", Value::from(args))
    });
    let difference = compare(&golden("other"), &format!("[\n{}\n]\n", outcomes.join(",\n")));
    assert_eq!(difference, None, "if the change is meant, set SHIPPER_UPDATE_GOLDENS=1 and run this test again");
}

/// The directory of the goldens.
fn directory() -> PathBuf {
    // Finds the `tests` directory, which contains this file.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn golden(case: &str) -> PathBuf {
    directory().join(format!("{case}.json"))
}

/// Returns the entries of a directory, which may be missing.
fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}

/// Returns every fixture by its path in the fixtures' directory.
fn cases() -> Vec<String> {
    let mut cases = Vec::new();
    for collection in COLLECTIONS {
        let directories = list(&fixtures().join(collection)).into_iter().filter(|path| path.is_dir());
        cases.extend(directories.map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            format!("{collection}/{name}")
        }));
    }
    cases.sort();
    assert!(cases.len() >= 57, "{} fixtures", cases.len());
    cases
}

/// Compares a text with its golden file, or writes the file if the environment asks for it. Returns the first difference.
fn compare(path: &Path, found: &str) -> Option<String> {
    if std::env::var_os("SHIPPER_UPDATE_GOLDENS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("created");
        std::fs::write(path, found).expect("written");
        return None;
    }
    let Ok(golden) = std::fs::read_to_string(path) else {
        return Some(format!("{}: missing or not UTF-8", path.display()));
    };
    if golden == found {
        return None;
    }
    let (golden_lines, found_lines): (Vec<&str>, Vec<&str>) = (golden.lines().collect(), found.lines().collect());
    let line = (0..).find(|line| golden_lines.get(*line) != found_lines.get(*line) || *line >= found_lines.len());
    let line = line.unwrap_or_default();
    let (golden, found) = (golden_lines.get(line).copied(), found_lines.get(line).copied());
    let (golden, found) = (golden.unwrap_or("(end of file)"), found.unwrap_or("(end of file)"));
    let common = golden.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let excerpt = |text: &str| -> String { text.chars().skip(common.saturating_sub(60)).take(160).collect() };
    Some(format!(
        "{}, line {}, column {}:\n  - {}\n  + {}",
        path.display(),
        line + 1,
        common + 1,
        excerpt(golden),
        excerpt(found),
    ))
}

/// Returns the golden of a fixture: an array with one object for each argument list and format.
fn outcomes(case: &str) -> String {
    let expected = std::fs::read(fixtures().join(case).join("expected.json")).expect("expected.json");
    let expected: Value = serde_json::from_slice(&expected).expect("JSON");
    let log = format!("{case}/events.jsonl");
    let (mut outcomes, mut first_outputs) = (Vec::new(), HashMap::new());
    for run in expected.as_array().expect("runs") {
        let args: Vec<&str> =
            run["args"].as_array().expect("args").iter().map(|arg| arg.as_str().expect("text")).collect();
        let mut add = |format: &'static str, exit: i32, output: &str| {
            let first = first_outputs.entry(format).or_insert_with(|| (args.clone(), output.to_owned()));
            let is_same = first.0 != args && first.1 == output;
            let output = if output.is_empty() { "null" } else { output };
            let (args, output) = (&run["args"], if is_same { "\"same\"" } else { output });
            outcomes.push(format!("{{\"args\":{args},\"format\":\"{format}\",\"exit\":{exit},\"output\":{output}}}"));
        };
        let replay = |format: &[&str]| replay(&[format, &args[..], &[&log]].concat());

        let (json_exit, json) = replay(&["--format", "json"]);
        add("json", json_exit, &blanked(&json));

        // What precedes the timeline equals the report without it.
        let (exit, timeline) = replay(&["--format", "json", "--timeline"]);
        let timeline = match json.strip_suffix("}]}\n").and_then(|report| timeline.strip_prefix(report)) {
            Some(rest) => rest.strip_prefix(",\"timeline\":").and_then(|rest| rest.strip_suffix("}]}\n")),
            None => Some(&*timeline),
        };
        add("json --timeline", exit, &blanked(timeline.expect("the report, then the timeline")));

        // The line of the log equals the log in the JSON report.
        let (exit, ndjson) = replay(&["--format", "ndjson"]);
        let (log_line, summary) = ndjson.split_once('\n').unwrap_or_default();
        let is_same = json.split_once("\"logs\":[").is_some_and(|(_, logs)| logs == format!("{log_line}]}}\n"));
        add("ndjson", exit, &blanked(if is_same { summary } else { &ndjson }));

        let (exit, vsa) = replay(&["--format", "vsa"]);
        let version = concat!("{\"shipper-replay\":\"", env!("CARGO_PKG_VERSION"), "\"}");
        add("vsa", exit, &blanked(&vsa).replace(version, "{\"shipper-replay\":\"VERSION\"}"));

        let (exit, sarif) = replay(&["--format", "sarif"]);
        add("sarif", exit, &blanked(&sarif_results(&sarif)));

        let (exit, github) = replay(&["--format", "github"]);
        add("github", exit, &annotations(&github));
    }
    format!("[\n{}\n]\n", outcomes.join(",\n"))
}

/// Runs the program in the fixtures' directory, with a fixed clock. Returns its exit status and standard output.
fn replay(args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shipper-replay"));
    command.args(args).current_dir(fixtures()).stdin(Stdio::null()).stderr(Stdio::null());
    command.env("SOURCE_DATE_EPOCH", "1795424400").env_remove("NO_COLOR").env_remove("COLUMNS");
    let output = command.output().expect("the program starts");
    let exit = output.status.code().expect("it was not killed");
    (exit, String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Returns compact JSON with blanked prose and each object of an array on its own line. All other bytes are kept.
fn blanked(json: &str) -> String {
    let (mut text, mut rest, mut is_prose, mut before) = (String::new(), json.trim_end(), false, ' ');
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' { string_length(rest) } else { first.len_utf8() };
        let (token, after) = rest.split_at(length);
        if first == '{' && (before == '[' || before == ',') {
            text.push('\n');
        }
        text.push_str(if first == '"' && is_prose { "\"…\"" } else { token });
        // The value after `"name":`.
        is_prose = match first {
            '"' => after.starts_with(':') && PROSE.contains(&token.trim_matches('"')),
            ':' => is_prose,
            _ => false,
        };
        (rest, before) = (after, first);
    }
    text
}

/// Returns the length of the string that begins the text, in bytes with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.expect("a string ends") + 2
}

/// Returns a SARIF log without rules, texts and snippets. Its members are sorted, because the library determines their
/// order.
fn sarif_results(sarif: &str) -> String {
    fn prune(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(prune),
            Value::Object(members) => {
                for prose in ["message", "contextRegion", "snippet", "ruleIndex", "tool"] {
                    members.remove(prose);
                }
                members.values_mut().for_each(prune);
            }
            _ => {}
        }
    }
    let mut sarif: Value = serde_json::from_str(sarif).expect("JSON");
    let run = &mut sarif["runs"][0];
    prune(run);
    run.to_string()
}

/// Returns the annotations of GitHub Actions without their messages, as a JSON array.
fn annotations(github: &str) -> String {
    let heads = github.lines().filter_map(|line| {
        let rest = line.strip_prefix("::")?;
        Some(format!("\n{}", Value::from(rest.split_once("::").map_or(rest, |(head, _)| head))))
    });
    format!("[{}]", heads.collect::<Vec<_>>().join(","))
}
