//! The workflow in docs/operating.md is what people paste: its steps, run as they stand there with the shell's options as
//! GitHub sets them, rehearse, audit, publish and audit, and nothing is published when the rehearsal fails.

#![cfg(unix)]
#![allow(dead_code, unused_imports, reason = "the registry offers more than this file uses")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unreachable,
    reason = "a test that finds something wrong stops at once"
)]

#[path = "../../shipper-core/tests/support/registry/mod.rs"]
mod registry;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use registry::{Bench, Fault, On, Registry, TOKEN, three_members_for, write};
use serde::Deserialize;

#[derive(Deserialize)]
struct Workflow {
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    env: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: Option<String>,
    id: Option<String>,
    /// A step without a condition runs after success only.
    #[serde(rename = "if")]
    condition: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    run: Option<String>,
}

/// A runner with a checkout of a workspace, the tools on its path, and two registries.
struct Runner {
    bench: Bench,
    live: Registry,
    rehearsal: Registry,
    attempts: u32,
}

/// What an attempt to run the job left.
struct Attempt {
    /// The steps that ran, and whether each succeeded.
    steps: Vec<(String, bool)>,
    /// What they printed.
    printed: String,
    /// What stands on the job's page.
    summary: String,
}

impl Attempt {
    fn failed(&self) -> Vec<&str> {
        self.steps.iter().filter(|(_, success)| !success).map(|(name, _)| name.as_str()).collect()
    }

    fn ran(&self, name: &str) -> bool {
        self.steps.iter().any(|(step, _)| step == name)
    }
}

impl Runner {
    fn new() -> Self {
        let (live, rehearsal) = (Registry::start(), Registry::start());
        let bench = Bench::with(&[("live", &live)]);
        three_members_for(&bench.path("project"), "live");
        Self { bench, live, rehearsal, attempts: 0 }
    }

    /// The recipe's job. The loopback registry stands in for the service container, and another one for crates-io.
    fn job(&self) -> Job {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operating.md");
        let page = std::fs::read_to_string(page).expect("the page");
        let (_, recipe) = page.split_once("```yaml\n").expect("a recipe");
        let (recipe, _) = recipe.split_once("\n```\n").expect("its end");
        let stand_ins = [
            ("sparse+http://127.0.0.1:8000/api/v1/crates/", self.rehearsal.index_url()),
            ("http://127.0.0.1:8000", self.rehearsal.base_url()),
            ("for-this-rehearsal-only", TOKEN.to_owned()),
            ("LIVE_REGISTRY: crates-io", "LIVE_REGISTRY: live".to_owned()),
        ];
        let recipe = stand_ins.into_iter().fold(recipe.to_owned(), |recipe, (written, here)| {
            assert!(recipe.contains(written), "{written} is not in the recipe");
            recipe.replace(written, &here)
        });
        let Workflow { mut jobs } = serde_saphyr::from_str(&recipe).expect("a workflow");
        jobs.remove("release").expect("a job")
    }

    /// Runs the job's shell steps in a new place, as GitHub does.
    fn run(&mut self) -> Attempt {
        self.attempts += 1;
        let temporary = self.bench.path(&format!("attempt-{}", self.attempts));
        std::fs::create_dir(&temporary).expect("a directory");
        let mut known: BTreeMap<String, String> = [
            ("github.workspace", temporary.to_str().expect("UTF-8")),
            ("secrets.CARGO_REGISTRY_TOKEN", "of-no-use-here"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let job = self.job();
        let mut attempt = Attempt { steps: Vec::new(), printed: String::new(), summary: String::new() };
        for (position, step) in job.steps.iter().enumerate() {
            let (Some(script), Some(name)) = (&step.run, &step.name) else { continue };
            let runs = match step.condition.as_deref() {
                None => attempt.failed().is_empty(),
                Some("${{ !cancelled() && steps.publish.outcome != 'skipped' }}") => attempt.ran("Publish"),
                Some(other) => panic!("when is {other}?"),
            };
            // The tests' own build of the tools is on the path.
            if !runs || name == "Build the tools" {
                continue;
            }
            let file = temporary.join(format!("step-{position}.sh"));
            write(&file, script);
            let mut command = self.bench.command("bash");
            command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file);
            command.current_dir(self.bench.path("project")).env("PATH", path()).env("RUNNER_TEMP", &temporary);
            let (output, summary) = (temporary.join("output"), temporary.join("summary"));
            write(&output, "");
            command.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
            for (name, value) in job.env.iter().chain(&step.env) {
                command.env(name, evaluated(value, &known));
            }
            let ran = command.output().expect("bash");
            let printed = [ran.stdout, ran.stderr].concat();
            attempt.printed += &String::from_utf8(printed).expect("UTF-8");
            attempt.steps.push((name.clone(), ran.status.success()));
            if let Some(id) = &step.id {
                let given = std::fs::read_to_string(&output).expect("the step's outputs");
                let given = given.lines().filter_map(|line| line.split_once('='));
                known.extend(given.map(|(name, value)| (format!("steps.{id}.outputs.{name}"), value.to_owned())));
            }
            attempt.summary = std::fs::read_to_string(&summary).unwrap_or_default();
        }
        attempt
    }

    fn live_versions(&self) -> [Vec<String>; 3] {
        ["a", "b", "c"].map(|name| self.live.versions(name))
    }
}

/// A value of the workflow; an output that no step gave is empty.
fn evaluated(value: &str, known: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = value.split_once("${{") else { return value.to_owned() };
    let (expression, after) = rest.split_once("}}").expect("the end of an expression");
    let expression = expression.trim();
    assert!(known.contains_key(expression) || expression.contains(".outputs."), "what is {expression}?");
    let here = known.get(expression).map_or("", String::as_str);
    format!("{before}{here}{}", evaluated(after, known))
}

/// The path with the tools on it. Testing the whole workspace builds `release`; testing one file does not.
fn path() -> std::ffi::OsString {
    let replay = Path::new(env!("CARGO_BIN_EXE_shipper-replay")).parent().expect("a directory");
    let examples = replay.join("examples");
    if !examples.join("release").exists() {
        let build = ["build", "-q", "-p", "shipper-core", "--features", "cargo", "--example", "release"];
        assert!(Command::new(env!("CARGO")).args(build).status().expect("cargo").success());
    }
    let before = std::env::var_os("PATH").unwrap_or_default();
    let directories = [replay.to_owned(), examples].into_iter().chain(std::env::split_paths(&before));
    std::env::join_paths(directories).expect("a path")
}

/// (Pass) Rehearsed, audited, published, audited: and the page says so.
#[test]
fn a_release() {
    let mut runner = Runner::new();
    let attempt = runner.run();
    assert_eq!(attempt.failed(), [""; 0], "{}", attempt.printed);
    let names: Vec<&str> = attempt.steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["Wait for the rehearsal registry", "Rehearse", "Audit the rehearsal", "Publish", "Audit everything"]
    );
    assert_eq!(runner.live_versions(), [["0.1.0"]; 3]);
    assert!(attempt.summary.contains("verified"), "{}", attempt.summary);
    let tokens: Vec<_> = runner.live.uploads().into_iter().map(|upload| upload.token).collect();
    assert_eq!(tokens, [const { Some(TOKEN) }; 3].map(|token| token.map(str::to_owned)));
}

/// (Fail) A rehearsal that fails ends the job: nothing is published.
#[test]
fn a_rehearsal_that_fails() {
    let mut runner = Runner::new();
    runner.rehearsal.order(On::Publish, "b", 1, Fault::refuse(403, "not today"));
    let attempt = runner.run();
    assert_eq!(attempt.failed(), ["Rehearse"], "{}", attempt.printed);
    assert!(!attempt.ran("Publish"), "{:?}", attempt.steps);
    assert!(runner.live.uploads().is_empty());
    assert!(attempt.printed.contains("not today"), "{}", attempt.printed);
}

/// (Pass) A live registry that fails in the middle: run again, in a new place, the job goes on where it ended.
#[test]
fn a_second_attempt() {
    let mut runner = Runner::new();
    runner.live.order(On::Publish, "b", 1, Fault::refuse(403, "not yours"));
    let attempt = runner.run();
    assert_eq!(attempt.failed(), ["Publish"], "{}", attempt.printed);
    let attempt = runner.run();
    assert_eq!(attempt.failed(), [""; 0], "{}", attempt.printed);
    assert_eq!(runner.live_versions(), [["0.1.0"]; 3]);
    assert_eq!(runner.live.uploads().iter().filter(|upload| upload.name == "a").count(), 1);
}
