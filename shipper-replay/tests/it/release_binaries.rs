//! The workflow `.github/workflows/release-binaries.yml` packs both programs so that an auditor can check and run them. Its
//! scripts run here, except those that install and build, with small scripts instead of the programs.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;
use shipper_testkit::program::installed;

#[derive(Deserialize)]
struct Workflow {
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Step {
    name: Option<String>,
    working_directory: Option<String>,
    run: Option<String>,
}

/// Runs a step of the workflow in a checkout.
fn step(job: &str, name: &str, checkout: &Path, target: &str) -> Output {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows/release-binaries.yml");
    let workflow: Workflow =
        serde_saphyr::from_str(&std::fs::read_to_string(file).expect("the workflow")).expect("a workflow");
    let mut steps = workflow.jobs[job].steps.iter();
    let step = steps.find(|step| step.name.as_deref() == Some(name)).expect("the step");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run.as_ref().expect("a script")]);
    command.current_dir(checkout.join(step.working_directory.as_deref().unwrap_or("."))).env("TARGET", target);
    command.output().expect("bash")
}

/// Makes a checkout after the step *Build*, with these texts as the programs.
fn checkout(target: &str, suffix: &str, program: &str) -> tempfile::TempDir {
    let checkout = tempfile::tempdir().expect("a directory");
    let built = checkout.path().join("target").join(target).join("release");
    std::fs::create_dir_all(&built).expect("a directory");
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        std::fs::write(checkout.path().join(name), name).expect("written");
    }
    for name in ["shipper-replay", "shipper-release"] {
        let path = built.join(format!("{name}{suffix}"));
        std::fs::write(&path, program).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    }
    checkout
}

/// Each archive has both programs and the licences, and `SHA256SUMS` confirms exactly the archives that were packed.
#[test]
fn archives_have_both_programs_and_checksums() {
    if !installed(&["bash", "tar", "sha256sum"]) {
        return;
    }
    for (target, suffix) in [("x86_64-unknown-linux-musl", ""), ("x86_64-pc-windows-msvc", ".exe")] {
        let checkout = checkout(target, suffix, "#!/bin/sh\necho \"ran $0 $*\"\n");
        assert!(step("build", "Pack", checkout.path(), target).status.success());
        let archive = format!("shipper-{target}.tar.gz");
        let list = Command::new("tar").arg("-tzf").arg(checkout.path().join("dist").join(&archive)).output();
        let list = String::from_utf8(list.expect("tar").stdout).expect("UTF-8");
        let mut names: Vec<&str> = list.lines().filter_map(|line| line.split_once('/')).map(|(_, name)| name).collect();
        names.sort_unstable();
        let programs = [format!("shipper-release{suffix}"), format!("shipper-replay{suffix}")];
        assert_eq!(names, ["", "LICENSE-APACHE", "LICENSE-MIT", &programs[0], &programs[1]]);

        assert!(step("publish", "Compute the checksums", checkout.path(), target).status.success());
        let confirmed = || {
            let mut check = Command::new("sha256sum");
            check.args(["--check", "--ignore-missing", "SHA256SUMS"]).current_dir(checkout.path().join("dist"));
            let output = check.output().expect("sha256sum");
            (output.status.success(), String::from_utf8(output.stdout).expect("UTF-8"))
        };
        assert_eq!(confirmed(), (true, format!("{archive}: OK\n")));
        std::fs::write(checkout.path().join("dist").join(&archive), "another").expect("written");
        assert!(!confirmed().0);
    }
}

/// The packed programs run from their archive. A program that fails, or needs a loader, ends the job.
#[test]
fn packed_programs_must_run_and_be_static() {
    if !installed(&["bash", "tar", "readelf"]) {
        return;
    }
    let target = "x86_64-unknown-linux-musl";
    for (program, runs) in [("#!/bin/sh\necho \"ran $*\"\n", true), ("#!/bin/sh\nexit 1\n", false)] {
        let checkout = checkout(target, "", program);
        assert!(step("build", "Pack", checkout.path(), target).status.success());
        let output = step("build", "Run the packed program", checkout.path(), target);
        assert_eq!(output.status.success(), runs);
        let expected = "ran --registry rehearsal fixtures/real/pass-3crate/events.jsonl\nran --version\n";
        assert_eq!(String::from_utf8_lossy(&output.stdout), if runs { expected } else { "" });
        // A script is no program with headers.
        let output = step("build", "Check that the programs are static", checkout.path(), target);
        assert!(!output.status.success());
    }
    let checkout = checkout(target, "", "");
    let unpacked = checkout.path().join(format!("unpacked/shipper-{target}"));
    std::fs::create_dir_all(&unpacked).expect("a directory");
    std::fs::copy("/bin/sh", unpacked.join("shipper-replay")).expect("copied");
    let output = step("build", "Check that the programs are static", checkout.path(), target);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "::error::shipper-replay needs a loader\n");
    assert!(!output.status.success());
}
