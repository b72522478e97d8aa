//! The action `action.yml` audits as its inputs say, because a gate in CI must not pass a log by accident. Its scripts, with
//! the shell options of GitHub, run on fixtures of every conclusion and with every input.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use shipper_testkit::program::installed;

#[derive(Deserialize)]
struct Action {
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    runs: Runs,
}

#[derive(Deserialize)]
struct Input {
    default: String,
}

#[derive(Deserialize)]
struct Output {
    value: String,
}

#[derive(Deserialize)]
struct Runs {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    id: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    run: Option<String>,
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn action() -> Action {
    let text = std::fs::read_to_string(top().join("action.yml")).expect("the action");
    serde_saphyr::from_str(&text).expect("an action")
}

/// The results of the step `audit`.
struct Ran {
    success: bool,
    printed: String,
    summary: String,
    outputs: BTreeMap<String, String>,
    /// Keeps the SARIF file.
    _temporary: tempfile::TempDir,
}

impl Ran {
    fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }
}

/// Runs the script of a step in `directory`, with its variables from `value`, and returns the values that it set.
fn run_step(id: &str, directory: &Path, temporary: &Path, value: impl Fn(&str) -> String) -> (bool, String) {
    let action = action();
    let step = action.runs.steps.iter().find(|step| step.id.as_deref() == Some(id)).expect("the step");
    let script = temporary.join("script.sh");
    std::fs::write(&script, step.run.as_ref().expect("a script")).expect("it can be written");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&script).current_dir(directory);
    command.env("RUNNER_TEMP", temporary).env("GITHUB_OUTPUT", temporary.join("output"));
    command.env("GITHUB_STEP_SUMMARY", temporary.join("summary")).env_remove("ImageOS");
    for (name, expression) in &step.env {
        command.env(name, value(expression));
    }
    let output = command.output().expect("bash");
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8"))
}

/// Calls the action with these inputs, and others by default, at the top of the checkout.
fn audit(inputs: &[(&str, &str)]) -> Ran {
    let temporary = tempfile::tempdir().expect("a directory");
    let programs = temporary.path().join("shipper-replay/bin");
    std::fs::create_dir_all(&programs).expect("a directory");
    let program = env!("CARGO_BIN_EXE_shipper-replay");
    std::os::unix::fs::symlink(program, programs.join("shipper-replay")).expect("a link");
    let mut values: BTreeMap<String, String> =
        action().inputs.into_iter().map(|(name, input)| (name, input.default)).collect();
    for (name, value) in inputs {
        assert!(values.insert((*name).to_owned(), (*value).to_owned()).is_some(), "what is {name}?");
    }
    let (success, printed) = run_step("audit", &top(), temporary.path(), |expression| {
        let name = expression.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
        values[name.expect("an input")].clone()
    });
    let written = |name| std::fs::read_to_string(temporary.path().join(name)).unwrap_or_default();
    let outputs = written("output")
        .lines()
        .map(|line| line.split_once('=').expect("an output"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ran { success, printed, summary: written("summary"), outputs, _temporary: temporary }
}

fn program(arguments: &[&str]) -> String {
    let command = Command::new(env!("CARGO_BIN_EXE_shipper-replay")).args(arguments).current_dir(top()).output();
    String::from_utf8(command.expect("the program").stdout).expect("UTF-8")
}

/// A log of each conclusion, with its exit status.
const LOGS: [(&str, &str, &str); 4] = [
    ("fixtures/real/pass-3crate/events.jsonl", "verified", "0"),
    ("fixtures/real/tampered-sidecar/events.jsonl", "violated", "1"),
    ("fixtures/real/no-such-log/events.jsonl", "unjudged", "2"),
    ("fixtures/real/skip/events.jsonl", "inconclusive", "3"),
];

/// By default, only a verified log passes. The summary, the annotations, the SARIF file and the outputs are about the
/// given log.
#[test]
fn each_conclusion_has_its_outputs() {
    if !installed(&["bash", "jq"]) {
        return;
    }
    for (log, conclusion, status) in LOGS {
        let ran = audit(&[("log", log)]);
        assert_eq!(ran.success, conclusion == "verified", "{log}: {}", ran.printed);
        assert_eq!([ran.output("conclusion"), ran.output("exit-status")], [conclusion, status], "{log}");
        let last = format!("shipper-replay: {conclusion} (exit status {status})");
        assert!(ran.printed.lines().last().is_some_and(|line| line.starts_with(&last)), "{}", ran.printed);
        assert_eq!(ran.summary, program(&["--format", "markdown", log]), "{log}");
        let sarif = std::fs::read_to_string(ran.output("sarif")).expect("a SARIF file");
        assert_eq!(sarif, program(&["--format", "sarif", log]), "{log}");
        assert_eq!(ran.output("head"), program(&["--head", log]).lines().next().unwrap_or_default(), "{log}");
    }
    let defined: Vec<String> = action()
        .outputs
        .into_iter()
        .map(|(name, output)| {
            assert_eq!(output.value, format!("${{{{ steps.audit.outputs.{name} }}}}"));
            name
        })
        .collect();
    assert_eq!(defined, ["conclusion", "exit-status", "head", "sarif"]);
}

/// `fail-on` selects the exit statuses that fail. A list that names nothing is an error, so that an empty variable does
/// not disable the check.
#[test]
fn fail_on_selects_exit_statuses() {
    if !installed(&["bash", "jq"]) {
        return;
    }
    for (fail_on, failing) in [("none", &[][..]), ("violated, unjudged", &["violated", "unjudged"])] {
        for (log, conclusion, _) in LOGS {
            let ran = audit(&[("log", log), ("fail-on", fail_on)]);
            assert_eq!(ran.success, !failing.contains(&conclusion), "{fail_on}, {log}: {}", ran.printed);
            assert_eq!(ran.output("conclusion"), conclusion);
        }
    }
    for fail_on in ["", " , ", "violated inconclusiv", "*"] {
        let ran = audit(&[("log", LOGS[0].0), ("fail-on", fail_on)]);
        assert!(!ran.success && ran.outputs.is_empty(), "{fail_on}");
        assert!(ran.printed.starts_with("::error::fail-on must be a list"), "{}", ran.printed);
    }
}

/// Every other input of the step reaches the program as one value, and never as a command or as an option.
#[test]
fn inputs_are_values_of_options() {
    if !installed(&["bash", "jq"]) {
        return;
    }
    let log = "fixtures/real/pass-3crate/events.jsonl";
    let head = program(&["--head", log]).lines().next().expect("a head").to_owned();
    let plan = "4f6e939d0470"; // only the beginning
    for (inputs, conclusion) in [
        (vec![("registry", "rehearsal"), ("extends", &head)], "verified"),
        (vec![("registry", "another")], "violated"),
        (vec![("registry", "--help")], "violated"),
        (vec![("registry", "$(exit 3)`exit 3`\";exit 3;\"")], "violated"),
        (vec![("plan-id", plan)], "inconclusive"),
        (vec![("extends", "1:2:0000000000000000000000000000000000000000000000000000000000000000")], "violated"),
        (vec![("policy", "docs/example-policy.toml")], "violated"),
        (vec![("log", "fixtures/real/pass-3crate/events.jsonl\r\n\nfixtures/real/skip\n")], "inconclusive"),
        (vec![("log", "$(echo fixtures/real/pass-3crate/events.jsonl)")], "unjudged"),
        (vec![("log", "--help")], "unjudged"),
    ] {
        let inputs: Vec<(&str, &str)> = [("log", log)].into_iter().chain(inputs).collect();
        let ran = audit(&inputs);
        assert_eq!(ran.output("conclusion"), conclusion, "{inputs:?}: {}", ran.printed);
        assert_eq!(ran.success, conclusion == "verified");
        let logs = inputs.last().expect("an input").1.lines().filter(|line| !line.trim().is_empty()).count();
        assert_eq!(ran.output("head").is_empty(), conclusion == "unjudged" || logs > 1, "{inputs:?}");
    }
}

/// If the program makes no report, the step fails, also with `fail-on: none`.
#[test]
fn an_audit_without_a_report_always_fails() {
    if !installed(&["bash", "jq"]) {
        return;
    }
    for inputs in [
        [("log", LOGS[0].0), ("policy", "no-such-policy.toml")],
        [("log", LOGS[0].0), ("extends", "head")],
        [("log", "\n\r\n"), ("registry", "")],
    ] {
        let ran = audit(&[&inputs[..], &[("fail-on", "none")]].concat());
        assert!(!ran.success && ran.outputs.is_empty(), "{inputs:?}: {:?}", ran.outputs);
        assert!(ran.printed.contains("::error::"), "{}", ran.printed);
    }
}

/// No script contains an expression: GitHub would insert the text of an input into the code.
#[test]
fn scripts_contain_no_expression() {
    let scripts: Vec<String> = action().runs.steps.into_iter().filter_map(|step| step.run).collect();
    assert_eq!(scripts.len(), 3);
    for script in scripts {
        assert!(!script.contains("${{"), "{script}");
    }
}

/// The key of the cached program depends on every source file, its name and the lock file, and on nothing else.
#[test]
fn key_of_the_cache_depends_on_the_sources() {
    if !installed(&["bash", "git"]) {
        return;
    }
    let tree = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    let key = || {
        let temporary = tempfile::tempdir().expect("a directory");
        let (success, printed) = run_step("key", tree.path(), temporary.path(), |expression| {
            assert_eq!(expression, "${{ runner.os }}-${{ runner.arch }}");
            "Linux-X64".to_owned()
        });
        assert!(success, "{printed}");
        let output = std::fs::read_to_string(temporary.path().join("output")).expect("an output");
        let hash = output.trim_end().strip_prefix("key=shipper-replay-Linux-X64-self-hosted-").expect("a key");
        assert!(hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        hash.to_owned()
    };
    for path in ["Cargo.toml", "Cargo.lock", "shipper-replay/Cargo.toml", "shipper-replay/src/main.rs"] {
        write(path, "one");
    }
    let mut keys = vec![key()];
    write("README.md", "not a source");
    assert_eq!(key(), keys[0]);
    for path in ["Cargo.lock", "shipper-replay/src/main.rs", "shipper-replay/src/a b.rs"] {
        write(path, "two");
        keys.push(key());
    }
    std::fs::rename(tree.path().join("shipper-replay/src/a b.rs"), tree.path().join("shipper-replay/src/c.rs"))
        .expect("renamed");
    keys.push(key());
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 5);
}
