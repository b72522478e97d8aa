//! The pipeline docs/gitlab-release.yml works as written, because people copy it. Its scripts, in bash as a runner of GitLab
//! calls it, rehearse, audit, publish and audit again. They publish nothing after a failed rehearsal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use shipper_testkit::program::installed;
use shipper_testkit::registry::{CargoSandbox, Fault, On, Registry, TOKEN, three_members_for, write};

use super::github_workflow::copy_tools;

#[derive(Deserialize)]
struct Pipeline {
    stages: Vec<String>,
    variables: BTreeMap<String, String>,
    tools: Job,
    rehearse: Job,
    publish: Job,
}

#[derive(Deserialize)]
struct Job {
    stage: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    script: Vec<String>,
    artifacts: Artifacts,
}

#[derive(Deserialize)]
struct Artifacts {
    paths: Vec<String>,
    #[serde(default)]
    reports: BTreeMap<String, String>,
}

/// A project on GitLab, with a workspace in a git repository, and two registries.
struct Project {
    sandbox: CargoSandbox,
    live: Registry,
    rehearsal: Registry,
    /// Variables of dotenv reports.
    reported: BTreeMap<String, String>,
}

impl Project {
    fn new() -> Self {
        let (live, rehearsal) = (Registry::start(), Registry::start());
        let sandbox = CargoSandbox::with(&[("live", &live)]);
        let root = sandbox.path("project");
        three_members_for(&root, "live");
        write(&root.join(".gitignore"), "/target\n");
        sandbox.cargo(&root, &["generate-lockfile"]).expect_success();
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        for arguments in [&["init", "-q", "."][..], &["add", "."], &["commit", "-q", "-m", "all"]] {
            let git = Command::new("git").current_dir(&root).args(identity).args(arguments).status();
            assert!(git.expect("git").success());
        }
        Self { sandbox, live, rehearsal, reported: BTreeMap::new() }
    }

    /// Returns the pipeline, with a loopback registry instead of the service, and another one instead of crates-io.
    fn pipeline(&self) -> Pipeline {
        let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gitlab-release.yml");
        let recipe = std::fs::read_to_string(recipe).expect("the pipeline");
        let stand_ins = [
            ("sparse+http://kellnr:8000/api/v1/crates/", self.rehearsal.index_url()),
            ("http://kellnr:8000", self.rehearsal.base_url()),
            ("for-this-rehearsal-only", TOKEN.to_owned()),
            ("LIVE_REGISTRY: crates-io", "LIVE_REGISTRY: live".to_owned()),
        ];
        let recipe = stand_ins.into_iter().fold(recipe, |recipe, (written, here)| {
            assert!(recipe.contains(written), "{written} is not in the recipe");
            recipe.replace(written, &here)
        });
        serde_saphyr::from_str(&recipe).expect("a pipeline")
    }

    /// The files of the job: those of the repository, and the artifacts of the jobs that it needs.
    fn job_directory(&self, name: &str, needs: &[String]) -> PathBuf {
        let directory = self.sandbox.path(&format!("jobs/{name}/project"));
        std::fs::create_dir_all(directory.parent().expect("a parent")).expect("a directory");
        copy(&self.sandbox.path("project"), &directory);
        for job in needs {
            copy(&self.sandbox.path(&format!("artifacts/{job}/.")), &directory);
        }
        directory
    }

    /// Runs a job. Returns the output if it succeeded, else as an error.
    fn run(&mut self, pipeline: &Pipeline, name: &str, job: &Job) -> Result<String, String> {
        assert_eq!(job.stage, name);
        let directory = self.job_directory(name, &job.needs);
        if name == "tools" {
            // The cache of an earlier pipeline.
            copy_tools(&directory.join(".shipper-tools/bin"));
        }
        let mut command = self.sandbox.command("bash");
        let script = job.script.iter().map(|part| format!("{part}\n")).collect::<String>();
        command.args(["-eo", "pipefail", "-c", &script]).current_dir(&directory);
        command.envs(&pipeline.variables).envs(&job.variables).envs(&self.reported);
        for name in ["KELLNR_IMAGE", "SHIPPER_URL"] {
            command.env(name, "something");
        }
        command.env("SHIPPER_REF", "0123456789abcdef0123456789abcdef01234567");
        let output = command.output().expect("bash");
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        let kept = self.sandbox.path(&format!("artifacts/{name}"));
        std::fs::create_dir_all(&kept).expect("a directory");
        for path in job.artifacts.paths.iter().filter(|path| directory.join(path).exists()) {
            copy(&directory.join(path), &kept.join(path));
        }
        if let Some(Ok(report)) =
            job.artifacts.reports.get("dotenv").map(|path| std::fs::read_to_string(directory.join(path)))
        {
            let variables = report.lines().filter_map(|line| line.split_once('='));
            self.reported.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        if output.status.success() { Ok(printed) } else { Err(printed) }
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().expect("cp").success());
}

/// The pipeline publishes what it rehearsed, and its last audit has the conclusion.
#[test]
fn pipeline_rehearses_publishes_and_audits() {
    if !installed(&["bash", "curl", "git"]) {
        return;
    }
    let mut project = Project::new();
    let pipeline = project.pipeline();
    assert_eq!(pipeline.stages, ["tools", "rehearse", "publish"]);
    project.run(&pipeline, "tools", &pipeline.tools).expect("installed");
    project.run(&pipeline, "rehearse", &pipeline.rehearse).expect("rehearsed");
    let printed = project.run(&pipeline, "publish", &pipeline.publish).expect("published");
    assert!(printed.contains("Verified: 1 decision is backed by a passing rehearsal."), "{printed}");
    assert_eq!(["a", "b", "c"].map(|name| project.live.versions(name)), [["0.1.0"]; 3]);
    assert!(project.sandbox.path("artifacts/publish/.shipper/events.jsonl").exists());
}

/// A failed rehearsal fails its job, and keeps its log. A publish on that log is refused.
#[test]
fn failed_rehearsal_fails_the_pipeline() {
    if !installed(&["bash", "curl", "git"]) {
        return;
    }
    let mut project = Project::new();
    let pipeline = project.pipeline();
    project.rehearsal.order(On::Publish, "b", 1, Fault::refuse(403, "not today"));
    project.run(&pipeline, "tools", &pipeline.tools).expect("installed");
    let printed = project.run(&pipeline, "rehearse", &pipeline.rehearse).expect_err("it failed");
    assert!(printed.contains("not today"), "{printed}");
    assert!(project.sandbox.path("artifacts/rehearse/.shipper/events.jsonl").exists());
    // Every log begins with the head of no line.
    let head = shipper_events::HeadHasher::new().head().to_string();
    assert_eq!(project.reported.insert("REHEARSED_HEAD".to_owned(), head), None, "no head of a failed rehearsal");
    let printed = project.run(&pipeline, "publish", &pipeline.publish).expect_err("refused");
    assert!(printed.contains("the gate refused"), "{printed}");
    assert!(project.live.uploads().is_empty());
}
