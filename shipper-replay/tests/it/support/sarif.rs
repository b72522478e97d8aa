//! Reader of SARIF that checks it by the published schema, by the types made from it, and by rules of the standard
//! beyond both.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use shipper_events::is_display_safe;

use crate::support::json_schema::Validator;
use crate::support::replay;

/// The schema of the standard, which the crate `serde-sarif` contains and makes its types from.
pub(crate) static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    // Dependencies for other systems are excluded, and a build has all others.
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc");
    let rustc = String::from_utf8(rustc.stdout).expect("UTF-8");
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&metadata.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&metadata.stderr)));
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("a dependency of the tests");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let schema = fs::read(manifest.with_file_name("src").join("schema.json")).expect("it ships the schema");
    let mut schema: Value = serde_json::from_slice(&schema).expect("JSON");
    // The pattern of an unused member has an unmatched bracket, which a strict reader rejects.
    for object in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][object]["properties"]["language"];
        language.as_object_mut().and_then(|language| language.remove("pattern")).expect("the faulty pattern");
    }
    assert_eq!(schema["title"], "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema");
    Validator::new(schema)
});

/// Returns the checked run of a report.
#[track_caller]
pub(crate) fn checked(bytes: &[u8], what: &str) -> Value {
    let text = str::from_utf8(bytes).expect("UTF-8");
    assert!(text.chars().all(|character| is_display_safe(character) || character == '\n'), "{what}: not safe to show");
    let sarif: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
    assert_eq!(SCHEMA.check(&sarif), Ok(()), "{what}");
    let typed: serde_sarif::sarif::Sarif = serde_json::from_value(sarif.clone()).expect("it fits the types");
    assert_eq!(typed.runs.len(), 1, "{what}");
    let run = sarif["runs"][0].clone();
    assert_consistent(&run, what);
    run
}

/// Returns the checked run of the program's output.
pub(crate) fn sarif(args: &[&str]) -> Value {
    let output = replay(&[&["--format", "sarif"], args].concat());
    assert!(output.stderr.is_empty(), "{args:?}: {output:?}");
    let run = checked(&output.stdout, &format!("{args:?}"));
    assert_eq!(run["invocations"][0]["exitCode"].as_i64(), output.status.code().map(i64::from), "{args:?}");
    run
}

/// Checks rules of the standard that its schema cannot express: indices have targets, links in messages lead to a
/// location of the result, and texts are display-safe.
#[track_caller]
fn assert_consistent(run: &Value, what: &str) {
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let artifacts = run["artifacts"].as_array().expect("artifacts");
    each(run, &mut |value| {
        if let Some(text) = value.as_str() {
            assert!(text.chars().all(|character| is_display_safe(character) || character == '\n'), "{what}: {text:?}");
        }
        if let (Some(uri), Some(index)) = (value["uri"].as_str(), value["index"].as_u64()) {
            let index = usize::try_from(index).expect("an index");
            assert_eq!(artifacts[index]["location"]["uri"], uri, "{what}");
        }
        if let Some(region) = value.get("region") {
            let columns = (region["startColumn"].as_u64(), region["endColumn"].as_u64());
            assert!(columns.0 <= columns.1, "{what}: {region}");
        }
    });
    for result in results(run) {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"], "{what}");
        assert!(result.get("kind").is_none(), "each is a failure, because some tools drop others: {what}");
        let related: BTreeSet<String> =
            places(result, "relatedLocations").iter().map(|location| location["id"].to_string()).collect();
        let text = result["message"]["text"].as_str().expect("a text");
        for link in text.split("](").skip(1) {
            let id = link.split(')').next().expect("an end");
            assert!(related.contains(id), "{what}: {text}");
        }
        assert!(
            !text.replace("{{", "").replace("}}", "").contains(['{', '}']),
            "a place for an argument: {what}: {text}"
        );
        assert_eq!(result["locations"].as_array().map(Vec::len), Some(1), "{what}");
    }
}

fn each(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Object(members) => members.values().for_each(|value| each(value, see)),
        Value::Array(items) => items.iter().for_each(|value| each(value, see)),
        _ => {}
    }
}

/// Returns the results of a run.
pub(crate) fn results(run: &Value) -> &[Value] {
    run["results"].as_array().expect("results")
}

/// Returns the locations of a result under this name.
pub(crate) fn places<'v>(result: &'v Value, name: &str) -> &'v [Value] {
    result.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns a text.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
