//! The workflow docs/github-release.yml works as written, because people copy it. Its steps, with the shell options of
//! GitHub, rehearse, audit, publish and audit again. They publish nothing after a failed rehearsal or on a changed log.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use shipper_testkit::program::{binary, installed};
use shipper_testkit::registry::{CargoSandbox, Fault, On, Registry, TOKEN, three_members_for, write};

#[derive(Deserialize)]
struct Workflow {
    env: BTreeMap<String, String>,
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    needs: Option<Needs>,
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Needs {
    One(String),
    Several(Vec<String>),
}

impl Needs {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::One(name) => vec![name],
            Self::Several(names) => names.iter().map(String::as_str).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Step {
    name: Option<String>,
    id: Option<String>,
    /// A step without a condition runs only after success.
    #[serde(rename = "if")]
    condition: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    working_directory: Option<String>,
    run: Option<String>,
    uses: Option<String>,
    #[serde(default)]
    with: With,
}

#[derive(Default, Deserialize)]
struct With {
    name: Option<String>,
    path: Option<String>,
}

/// A repository on GitHub, with a workspace in it, and two registries.
struct Repository {
    sandbox: CargoSandbox,
    live: Registry,
    rehearsal: Registry,
    attempts: u32,
}

/// The results of one attempt to run the workflow.
#[derive(Default)]
struct Attempt {
    /// The steps that ran, each with `true` if it succeeded.
    steps: Vec<(String, bool)>,
    /// The output of the steps.
    printed: String,
    /// The summary on the page of the run.
    summary: String,
    /// The values of the contexts.
    contexts: BTreeMap<String, String>,
}

impl Attempt {
    fn failed(&self) -> Vec<&str> {
        self.steps.iter().filter(|(_, success)| !success).map(|(name, _)| name.as_str()).collect()
    }

    fn ran(&self, name: &str) -> bool {
        self.steps.iter().any(|(step, _)| step == name)
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.contexts.insert(name.to_owned(), value.into());
    }
}

impl Repository {
    fn new() -> Self {
        let (live, rehearsal) = (Registry::start(), Registry::start());
        let sandbox = CargoSandbox::with(&[("live", &live)]);
        three_members_for(&sandbox.path("repository"), "live");
        Self { sandbox, live, rehearsal, attempts: 0 }
    }

    /// Returns the workflow, with a loopback registry instead of the service container, and another one
    /// instead of crates-io.
    fn workflow(&self) -> Workflow {
        let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/github-release.yml");
        let recipe = std::fs::read_to_string(recipe).expect("the workflow");
        let stand_ins = [
            ("sparse+http://127.0.0.1:8000/api/v1/crates/", self.rehearsal.index_url()),
            ("http://127.0.0.1:8000", self.rehearsal.base_url()),
            ("for-this-rehearsal-only", TOKEN.to_owned()),
            ("LIVE_REGISTRY: crates-io", "LIVE_REGISTRY: live".to_owned()),
        ];
        let recipe = stand_ins.into_iter().fold(recipe, |recipe, (written, here)| {
            assert!(recipe.contains(written), "{written} is not in the recipe");
            recipe.replace(written, &here)
        });
        serde_saphyr::from_str(&recipe).expect("a workflow")
    }

    /// Runs the workflow as GitHub does, each job in a directory of its own.
    fn run(&mut self) -> Attempt {
        self.attempts += 1;
        let workflow = self.workflow();
        let mut attempt = Attempt::default();
        attempt.set("github.run_attempt", self.attempts.to_string());
        for name in ["KELLNR_IMAGE", "SHIPPER_REPOSITORY"] {
            attempt.set(&format!("vars.{name}"), "something");
        }
        attempt.set("vars.SHIPPER_REF", "0123456789abcdef0123456789abcdef01234567");
        attempt.set("secrets.CARGO_REGISTRY_TOKEN", "of-no-use-here");
        attempt.set("runner.os", "Linux");
        assert_eq!(workflow.jobs.keys().collect::<Vec<_>>(), ["publish", "rehearse", "tools"]);
        for (name, needs) in [("tools", &[][..]), ("rehearse", &["tools"]), ("publish", &["tools", "rehearse"])] {
            let job = &workflow.jobs[name];
            assert_eq!(job.needs.as_ref().map(Needs::names).unwrap_or_default(), needs);
            self.run_job(name, job, &workflow.env, &mut attempt);
            if !attempt.failed().is_empty() {
                break;
            }
        }
        attempt
    }

    fn run_job(&self, name: &str, job: &Job, env: &BTreeMap<String, String>, attempt: &mut Attempt) {
        let place = self.sandbox.path(&format!("attempt-{}/{name}", self.attempts));
        let (workspace, temporary) = (place.join("workspace"), place.join("temporary"));
        for directory in [&workspace, &temporary] {
            std::fs::create_dir_all(directory).expect("a directory");
        }
        attempt.set("github.workspace", workspace.to_str().expect("UTF-8"));
        attempt.set("env.STATE", format!("{}/state", workspace.display()));
        let added_path = temporary.join("path");
        write(&added_path, "");
        let begun = attempt.steps.len();
        for (position, step) in job.steps.iter().enumerate() {
            let failed = attempt.steps[begun..].iter().any(|(_, success)| !success);
            let runs = match step.condition.as_deref() {
                None => !failed,
                Some("${{ always() }}") => true,
                // The cache has the tools.
                Some("${{ steps.cache.outputs.cache-hit != 'true' }}") => false,
                Some("${{ always() && steps.publish.outcome != 'skipped' }}") => attempt.ran("Publish"),
                Some(other) => panic!("when is {other}?"),
            };
            if !runs {
                continue;
            }
            let success = match (&step.uses, &step.run) {
                (Some(action), None) => self.act(action, step, &workspace, attempt),
                (None, Some(script)) => {
                    let file = temporary.join(format!("step-{position}.sh"));
                    write(&file, script);
                    let mut command = self.sandbox.command("bash");
                    let added = std::fs::read_to_string(&added_path).expect("the added directories");
                    let path = added.lines().chain([env_path().as_str()]).collect::<Vec<_>>().join(":");
                    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).env("PATH", path);
                    command.current_dir(workspace.join(step.working_directory.as_deref().unwrap_or(".")));
                    let (output, summary) = (temporary.join("output"), temporary.join("summary"));
                    write(&output, "");
                    command.env("RUNNER_TEMP", &temporary).env("GITHUB_OUTPUT", &output);
                    command.env("GITHUB_PATH", &added_path);
                    command.env("GITHUB_STEP_SUMMARY", &summary);
                    for (name, value) in env.iter().chain(&job.env).chain(&step.env) {
                        command.env(name, evaluated(value, &attempt.contexts));
                    }
                    let ran = command.output().expect("bash");
                    attempt.printed += &String::from_utf8([ran.stdout, ran.stderr].concat()).expect("UTF-8");
                    if let Some(id) = &step.id {
                        for (name, value) in std::fs::read_to_string(&output)
                            .expect("outputs")
                            .lines()
                            .filter_map(|line| line.split_once('='))
                        {
                            attempt.set(&format!("steps.{id}.outputs.{name}"), value);
                        }
                    }
                    attempt.summary += &std::fs::read_to_string(&summary).unwrap_or_default();
                    let _ = std::fs::remove_file(&summary);
                    ran.status.success()
                }
                _ => panic!("a step runs or uses something"),
            };
            attempt.steps.extend(step.name.clone().map(|name| (name, success)));
        }
        for (output, value) in &job.outputs {
            let value = evaluated(value, &attempt.contexts);
            attempt.set(&format!("needs.{name}.outputs.{output}"), value);
        }
    }

    /// Performs an action that the workflow uses, and returns `true` if it succeeded.
    fn act(&self, action: &str, step: &Step, workspace: &Path, attempt: &Attempt) -> bool {
        let (path, name) = (step.with.path.as_deref().expect("a path"), step.with.name.as_deref().unwrap_or_default());
        let path = workspace.join(evaluated(path, &attempt.contexts));
        let kept = self.sandbox.path("artifacts").join(evaluated(name, &attempt.contexts));
        let (from, to) = match action.split('@').next() {
            Some("actions/cache") => {
                copy_tools(&path.join("bin"));
                return true;
            }
            Some("actions/checkout") => (self.sandbox.path("repository"), path),
            Some("actions/upload-artifact") => (path, kept),
            Some("actions/download-artifact") => (kept, path),
            _ => panic!("what is {action}?"),
        };
        std::fs::create_dir_all(to.parent().expect("a directory")).expect("made");
        from.is_dir() && Command::new("cp").arg("-r").args([from, to]).status().expect("cp").success()
    }

    fn live_versions(&self) -> [Vec<String>; 3] {
        ["a", "b", "c"].map(|name| self.live.versions(name))
    }
}

/// Returns a value of the workflow. An output that no step set is empty.
fn evaluated(value: &str, contexts: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = value.split_once("${{") else { return value.to_owned() };
    let (expression, after) = rest.split_once("}}").expect("the end of an expression");
    let expression = expression.trim();
    assert!(contexts.contains_key(expression) || expression.contains(".outputs."), "what is {expression}?");
    let here = contexts.get(expression).map_or("", String::as_str);
    format!("{before}{here}{}", evaluated(after, contexts))
}

fn env_path() -> String {
    std::env::var("PATH").expect("a path")
}

/// Copies the built programs to a directory, as a cache or an installation has them.
pub(crate) fn copy_tools(directory: &Path) {
    std::fs::create_dir_all(directory).expect("a directory");
    for (package, program) in [("shipper-core", "shipper-release"), ("shipper-replay", "shipper-replay")] {
        std::fs::copy(binary(package, program), directory.join(program)).expect("the program");
    }
}

/// The workflow rehearses, audits, hands the log over, publishes and audits, and its summary has the conclusion.
#[test]
fn workflow_rehearses_publishes_and_audits() {
    if !installed(&["bash", "curl"]) {
        return;
    }
    let mut repository = Repository::new();
    let attempt = repository.run();
    assert_eq!(attempt.failed(), [""; 0], "{}", attempt.printed);
    let names: Vec<&str> = attempt.steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Look at the settings",
            "Restore the tools",
            "Compute their checksums",
            "Hand the tools over",
            "Take the tools over",
            "Check the tools",
            "Wait for the rehearsal registry",
            "Rehearse",
            "Audit the rehearsal",
            "Hand the log over",
            "Take the tools over",
            "Check the tools",
            "Take the log over",
            "Publish",
            "Audit everything",
            "Keep the log"
        ]
    );
    assert_eq!(repository.live_versions(), [["0.1.0"]; 3]);
    assert!(attempt.summary.contains("verified"), "{}", attempt.summary);
    assert!(repository.sandbox.path("artifacts/release-1/events.jsonl").exists());
}

/// A failed rehearsal ends the workflow: nothing is published, and the log is kept.
#[test]
fn failed_rehearsal_ends_the_workflow() {
    if !installed(&["bash", "curl"]) {
        return;
    }
    let mut repository = Repository::new();
    repository.rehearsal.order(On::Publish, "b", 1, Fault::refuse(403, "not today"));
    let attempt = repository.run();
    assert_eq!(attempt.failed(), ["Rehearse"], "{}", attempt.printed);
    assert!(!attempt.ran("Publish"), "{:?}", attempt.steps);
    assert!(repository.live.uploads().is_empty());
    assert!(attempt.printed.contains("not today"), "{}", attempt.printed);
    assert!(repository.sandbox.path("artifacts/rehearsal-1/events.jsonl").exists());
}

/// If the log or the tools were changed between the jobs, nothing is published.
#[test]
fn changed_log_and_changed_tools_are_not_used() {
    if !installed(&["bash", "curl"]) {
        return;
    }
    let mut repository = Repository::new();
    let attempt = repository.run();
    assert_eq!(attempt.failed(), [""; 0], "{}", attempt.printed);
    let workflow = repository.workflow();
    let mut again = Attempt { contexts: attempt.contexts.clone(), ..Attempt::default() };
    let log = repository.sandbox.path("artifacts/rehearsal-1/events.jsonl");
    let text = std::fs::read_to_string(&log).expect("the log");
    write(&log, &text.replace("\"passed\":true", "\"passed\":true "));
    repository.attempts += 1;
    repository.run_job("publish", &workflow.jobs["publish"], &workflow.env, &mut again);
    assert_eq!(again.failed(), ["Publish", "Audit everything"], "{}", again.printed);
    assert!(again.printed.contains("untrusted-log"), "{}", again.printed);

    let uploads = repository.live.uploads().len();
    let mut again = Attempt { contexts: attempt.contexts.clone(), ..Attempt::default() };
    write(&repository.sandbox.path("artifacts/tools-1/shipper-release"), "#!/bin/sh\n");
    repository.attempts += 1;
    repository.run_job("publish", &workflow.jobs["publish"], &workflow.env, &mut again);
    assert_eq!(again.failed(), ["Check the tools"], "{}", again.printed);
    assert!(!again.ran("Publish") && repository.live.uploads().len() == uploads, "{:?}", again.steps);
}

/// After a failure of the live registry, a second attempt resumes the release in a new directory.
#[test]
fn second_attempt_resumes_the_release() {
    if !installed(&["bash", "curl"]) {
        return;
    }
    let mut repository = Repository::new();
    repository.live.order(On::Publish, "b", 1, Fault::refuse(403, "not yours"));
    let attempt = repository.run();
    assert_eq!(attempt.failed(), ["Publish"], "{}", attempt.printed);
    assert!(attempt.ran("Audit everything") && attempt.ran("Keep the log"), "{:?}", attempt.steps);
    let attempt = repository.run();
    assert_eq!(attempt.failed(), [""; 0], "{}", attempt.printed);
    assert_eq!(repository.live_versions(), [["0.1.0"]; 3]);
    assert_eq!(repository.live.uploads().iter().filter(|upload| upload.name == "a").count(), 1);
}
