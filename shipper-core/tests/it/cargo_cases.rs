//! Workspaces from `fixtures/cargo-cases`, each of which a release tool got wrong. Each is released with the real cargo, or
//! refused before anything begins, and an audit of its log has the expected conclusion and findings.
//!
//! A workspace is copied, and the address of its registry replaced by that of the live registry. Then the steps of its
//! case follow, each with changes of files, a plan, a rehearsal and a publish.

use std::path::{Path, PathBuf};

use shipper_core::audit::{Conclusion, Level};
use shipper_testkit::registry::{Upload, edit, members, write};
use shipper_testkit::release_fixture::ReleaseFixture;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/cargo-cases");

/// A workspace, and the steps of its release.
struct Case {
    /// The directory below [`CASES`].
    workspace: &'static str,
    /// The packages that the live registry has at the beginning.
    published: &'static [Published],
    steps: &'static [Step],
}

/// A package on the live registry.
enum Published {
    /// The member of the workspace, with the same content.
    Member(&'static str),
    /// Another package: its name, its version, lines of its manifest, and its source.
    Package(&'static str, &'static str, &'static str, &'static str),
}

/// A plan, a rehearsal and a publish of a workspace.
struct Step {
    /// Changes before the step: the path of a file, a text in it, and the text that replaces it.
    changes: &'static [(&'static str, &'static str, &'static str)],
    /// Arguments of each command.
    args: &'static [&'static str],
    /// The packages of the plan and their locked dependencies; empty if no plan can be made.
    plan: &'static [&'static str],
    end: End,
}

/// The end of a step.
enum End {
    /// Rehearsal and publish begin nothing, with this text in the message. The log has no event, and no registry an
    /// upload.
    Refused(&'static str),
    /// The rehearsal fails with this text in the message, and the gate refuses the publish.
    Failed(&'static str),
    /// Rehearsal and publish succeed, with this text in the output of the rehearsal. The publish uploads these packages,
    /// and skips that many.
    Released { output: &'static str, uploaded: &'static [&'static str], skipped: u64 },
}

/// A step without changes and arguments.
const STEP: Step = Step { changes: &[], args: &[], plan: &[], end: End::Refused("") };

/// Returns a release with no skipped package and no expected text.
const fn released(uploaded: &'static [&'static str]) -> End {
    End::Released { output: "", uploaded, skipped: 0 }
}

/// A dev-dependency closes a cycle, so no order of publication works. The message names the edge to drop.
const DEV_CYCLE: Case = Case {
    workspace: "dev-cycle",
    published: &[],
    steps: &[
        Step {
            plan: &["package core-a 0.1.0", "package facade 0.1.0"],
            end: End::Refused(
                "core-a: the dev-dependency facade is published after this package, in a cycle, and the registry live has \
                 no version ^0.1.0 (dev-dependencies.facade in core-a/Cargo.toml); declare it there with `path` only",
            ),
            ..STEP
        },
        Step {
            changes: &[("core-a/Cargo.toml", "facade.workspace = true", "facade = { path = \"../facade\" }")],
            plan: &["package core-a 0.1.0", "package facade 0.1.0"],
            end: released(&["core-a@0.1.0", "facade@0.1.0"]),
            ..STEP
        },
    ],
};

/// A member names the registry of a group for its sibling, and not the one that the sibling is uploaded to.
const GROUP_REGISTRY: Case = Case {
    workspace: "group-registry",
    published: &[],
    steps: &[Step { plan: &["package a 0.1.0", "package b 0.1.0"], end: released(&["a@0.1.0", "b@0.1.0"]), ..STEP }],
};

/// Five keywords are permitted. More than that are a warning, because each registry has its own rules. A member whose
/// version is on the live registry is skipped.
const KEYWORDS: Case = Case {
    workspace: "keywords",
    published: &[],
    steps: &[
        Step { plan: &["package a 0.1.0", "package b 0.1.0"], end: released(&["a@0.1.0", "b@0.1.0"]), ..STEP },
        Step {
            changes: &[
                ("b/Cargo.toml", "version = \"0.1.0\"\nedition", "version = \"0.1.1\"\nedition"),
                ("b/Cargo.toml", "\"e\"]", "\"e\", \"six\"]"),
            ],
            plan: &["package a 0.1.0", "package b 0.1.1"],
            end: End::Released {
                output: "warning: b: there are 6 keywords, more than 5",
                uploaded: &["b@0.1.1"],
                skipped: 1,
            },
            ..STEP
        },
    ],
};

/// The lock file names a package of the registry like a member. The member's dependents have no locked dependency on it.
const LOCK_AMBIGUOUS: Case = Case {
    workspace: "lock-ambiguous",
    published: &[
        Published::Package("a", "0.1.0", "", "pub fn f() -> u32 { 2 }"),
        Published::Package("helper", "0.2.0", "[dependencies]\na = { version = \"0.1\", registry = \"live\" }", ""),
    ],
    steps: &[
        Step {
            plan: &["package a 0.1.0", "package b 0.1.0", "package c 0.1.0", "locked a 0.1.0", "locked helper 0.2.0"],
            end: End::Refused("a: the registry live has 0.1.0 with another content"),
            ..STEP
        },
        Step {
            args: &["--exclude", "a"],
            plan: &["package b 0.1.0", "package c 0.1.0", "locked a 0.1.0", "locked helper 0.2.0"],
            end: released(&["b@0.1.0", "c@0.1.0"]),
            ..STEP
        },
    ],
};

/// The same, and the package of the registry is the member.
const LOCK_AMBIGUOUS_SAME: Case = Case {
    workspace: "lock-ambiguous",
    published: &[
        Published::Member("a"),
        Published::Package("helper", "0.2.0", "[dependencies]\na = { version = \"0.1\", registry = \"live\" }", ""),
    ],
    steps: &[Step {
        plan: &["package a 0.1.0", "package b 0.1.0", "package c 0.1.0", "locked a 0.1.0", "locked helper 0.2.0"],
        end: End::Released { output: "", uploaded: &["b@0.1.0", "c@0.1.0"], skipped: 1 },
        ..STEP
    }],
};

/// A package builds only with a feature, which its manifest must name for the rehearsal.
const NEEDS_FEATURE: Case = Case {
    workspace: "needs-feature",
    published: &[],
    steps: &[
        Step { plan: &["package a 0.1.0"], end: End::Failed("at least one backend must be enabled"), ..STEP },
        Step {
            changes: &[("a/Cargo.toml", "[features]", "[package.metadata.shipper]\nfeatures = [\"deb\"]\n[features]")],
            plan: &["package a 0.1.0"],
            end: released(&["a@0.1.0"]),
            ..STEP
        },
    ],
};

/// The lock file has a published version of a sibling, beside the one in the workspace that dependents need.
const OLD_SIBLING: Case = Case {
    workspace: "old-sibling",
    published: &[
        Published::Package("utils", "0.1.0", "", "pub fn f() -> u32 { 1 }"),
        Published::Package(
            "helper",
            "1.0.0",
            "[dependencies]\nutils = { version = \"0.1\", registry = \"live\" }",
            "pub fn h() -> u32 { utils::f() }",
        ),
    ],
    steps: &[
        Step {
            plan: &["package user 0.2.0", "locked helper 1.0.0", "locked utils 0.1.0", "package utils 0.1.1"],
            end: End::Failed("cannot find function `f`"),
            ..STEP
        },
        Step {
            changes: &[("utils/src/lib.rs", "#[cfg(feature = \"x\")]\n", ""), ("utils/Cargo.toml", "0.1.1", "0.1.2")],
            plan: &["package user 0.2.0", "locked helper 1.0.0", "locked utils 0.1.0", "package utils 0.1.2"],
            end: released(&["utils@0.1.2", "user@0.2.0"]),
            ..STEP
        },
    ],
};

/// Dependencies of a test helper that is not published are not part of the plan.
const TEST_HELPER_IN_PLAN: Case = Case {
    workspace: "test-helper-in-plan",
    published: &[Published::Package("mockserver", "0.1.1", "", "")],
    steps: &[Step { plan: &["package lib 0.1.0"], end: released(&["lib@0.1.0"]), ..STEP }],
};

/// A member has the version of a published package and other content. Without it, the rest can be released.
const UNBUMPED_MEMBER: Case = Case {
    workspace: "unbumped-member",
    published: &[Published::Package("zz", "0.1.0", "", "pub fn f() -> u32 { 1 }")],
    steps: &[
        Step {
            plan: &["package aa 0.2.0", "package zz 0.1.0"],
            end: End::Refused(
                "zz: the registry live has 0.1.0 with another content (package.version in zz/Cargo.toml); bump the version",
            ),
            ..STEP
        },
        Step { args: &["--exclude", "zz"], plan: &["package aa 0.2.0"], end: released(&["aa@0.2.0"]), ..STEP },
    ],
};

/// The same with the content that is published, which is skipped.
const UNBUMPED_MEMBER_SAME: Case = Case {
    workspace: "unbumped-member",
    published: &[Published::Member("zz")],
    steps: &[Step {
        plan: &["package aa 0.2.0", "package zz 0.1.0"],
        end: End::Released { output: "", uploaded: &["aa@0.2.0"], skipped: 1 },
        ..STEP
    }],
};

/// Vendored packages replace those of the live registry, which users get.
const VENDORED: Case = Case {
    workspace: "vendored",
    published: &[Published::Package("outer", "0.1.0", "", "pub fn o() -> u32 { 1 }")],
    steps: &[
        Step { end: End::Refused(".replace-with in "), ..STEP },
        Step {
            changes: &[(".cargo/config.toml", "replace-with = \"vendored-sources\"\n", "")],
            plan: &["package a 0.1.0", "locked outer 0.1.0", "package b 0.1.0", "locked outer 0.1.0"],
            end: released(&["a@0.1.0", "b@0.1.0"]),
            ..STEP
        },
    ],
};

/// A package builds only with variables and flags of the workspace, which users do not have.
const WORKSPACE_ENV: Case = Case {
    workspace: "workspace-env",
    published: &[],
    steps: &[
        Step {
            plan: &["package a 0.1.0"],
            end: End::Failed("it may need settings of the workspace's .cargo/config.toml"),
            ..STEP
        },
        Step {
            changes: &[
                ("a/src/main.rs", "env!(\"NEEDED\")", "\"no\""),
                ("a/src/main.rs", "#[cfg(not(special))]\ncompile_error!(\"needs --cfg special\");\n", ""),
            ],
            plan: &["package a 0.1.0"],
            end: released(&["a@0.1.0"]),
            ..STEP
        },
    ],
};

/// Every case. Each directory of [`CASES`] has at least one.
const ALL: [&Case; 12] = [
    &DEV_CYCLE,
    &GROUP_REGISTRY,
    &KEYWORDS,
    &LOCK_AMBIGUOUS,
    &LOCK_AMBIGUOUS_SAME,
    &NEEDS_FEATURE,
    &OLD_SIBLING,
    &TEST_HELPER_IN_PLAN,
    &UNBUMPED_MEMBER,
    &UNBUMPED_MEMBER_SAME,
    &VENDORED,
    &WORKSPACE_ENV,
];

/// Copies a directory.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a directory") {
        let (path, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        if path.is_dir() {
            copy(&path, &target);
        } else {
            write(&target, &std::fs::read_to_string(&path).expect("a text"));
        }
    }
}

/// Calls `change` with every file below a directory.
fn for_each_file(directory: &Path, change: &dyn Fn(&Path)) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { for_each_file(&path, change) } else { change(&path) }
    }
}

/// Returns the address of the registry in a lock file or a configuration.
fn recorded_index(workspace: &Path) -> Option<String> {
    let text = std::fs::read_to_string(workspace.join("Cargo.lock")).expect("a lock file");
    let (_, rest) = text.split_once("source = \"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Returns name, version and checksum of the packages in a lock file that are from a registry.
fn locked(workspace: &Path) -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(workspace.join("Cargo.lock")).expect("a lock file");
    let value = |package: &str, key: &str| {
        let (_, rest) = package.split_once(&format!("\n{key} = \""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let packages = text.split("[[package]]").skip(1);
    packages.filter_map(|one| Some([value(one, "name")?, value(one, "version")?, value(one, "checksum")?])).collect()
}

/// Returns the packages of uploads as `name@version`.
fn ids(uploads: &[Upload]) -> Vec<String> {
    uploads.iter().map(|upload| format!("{}@{}", upload.name, upload.version)).collect()
}

/// Copies the workspace of a case, and publishes the packages that the live registry has at the beginning.
fn set_up(case: &Case) -> ReleaseFixture {
    let fixture = ReleaseFixture::create();
    std::fs::remove_dir_all(&fixture.root).expect("removed");
    copy(&Path::new(CASES).join(case.workspace), &fixture.root);
    // The registry of the group has the packages of the live one under another address.
    let group = fixture.live.index_url().replace("127.0.0.1", "localhost");
    edit(&fixture.sandbox.path("home/config.toml"), |text| text + &format!("[registries.group]\nindex = {group:?}\n"));
    for published in case.published {
        publish(&fixture, published);
    }
    let replace = |from: &str, to: &str| {
        for_each_file(&fixture.root, &|path| edit(path, |text| text.replace(from, to)));
    };
    if let Some(index) = recorded_index(&fixture.root) {
        replace(&index, &fixture.live.index_url());
    }
    for [name, version, checksum] in locked(&fixture.root) {
        let entry = fixture.live.index_entry(&name, &version).expect("it was published");
        replace(&checksum, entry["cksum"].as_str().expect("a checksum"));
    }
    // No permission was needed for these uploads.
    fixture.unauthorized_uploads.lock().expect("no panic").clear();
    fixture
}

/// Publishes a package to the live registry with cargo alone.
fn publish(fixture: &ReleaseFixture, published: &Published) {
    let elsewhere = fixture.sandbox.path("elsewhere");
    let name = match published {
        Published::Member(name) => {
            copy(&fixture.root.join(name), &elsewhere.join(name));
            write(&elsewhere.join("Cargo.toml"), &format!("[workspace]\nresolver = \"2\"\nmembers = [{name:?}]\n"));
            name
        }
        Published::Package(name, version, lines, source) => {
            members(&elsewhere, &[(name, lines, source)]);
            let manifest = elsewhere.join("crates").join(name).join("Cargo.toml");
            edit(&manifest, |text| text.replacen("0.1.0", version, 1));
            name
        }
    };
    let args = ["publish", "-p", name, "--no-verify", "--registry", "live"];
    fixture.sandbox.cargo(&elsewhere, &args).expect_success();
    std::fs::remove_dir_all(&elsewhere).expect("removed");
}

/// Returns the packages and locked dependencies in the text of a plan.
fn packages_of(plan: &str) -> Vec<String> {
    let lines = plan.lines().filter(|line| line.starts_with("package ") || line.starts_with("locked "));
    lines.map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect()
}

/// Runs the steps of a case.
fn run(case: &Case) {
    let fixture = set_up(case);
    for (number, step) in (1..).zip(case.steps) {
        let what = format!("{}, step {number}", case.workspace);
        for (file, from, to) in step.changes {
            edit(&fixture.root.join(file), |text| {
                assert!(text.contains(from), "{what}: {file} has no {from:?}");
                text.replace(from, to)
            });
        }
        if step.plan.is_empty() {
            let End::Refused(text) = step.end else { panic!("{what}: it has no plan") };
            fixture.run("plan", step.args).expect_status(2, text);
        } else {
            assert_eq!(packages_of(&fixture.run("plan", step.args).expect_success()), step.plan, "{what}");
        }
        let before = [&fixture.live, &fixture.rehearsal].map(|registry| registry.uploads().len());
        match step.end {
            End::Refused(text) => {
                fixture.rehearse(step.args).expect_status(2, text);
                fixture.publish(step.args).expect_status(2, text);
                let events = std::fs::read(fixture.log()).unwrap_or_default();
                assert!(events.is_empty(), "{what}: {}", String::from_utf8_lossy(&events));
                let after = [&fixture.live, &fixture.rehearsal].map(|registry| registry.uploads().len());
                assert_eq!(after, before, "{what}");
            }
            End::Failed(text) => {
                fixture.rehearse(step.args).expect_status(1, text);
                fixture.publish(step.args).expect_status(1, "did not pass; fix what failed");
                assert_eq!(fixture.live.uploads().len(), before[0], "{what}");
                assert_audit(&fixture, &what, None);
            }
            End::Released { output, uploaded, skipped } => {
                fixture.rehearse(step.args).expect_status(0, output);
                assert_eq!(fixture.live.uploads().len(), before[0], "{what}");
                fixture.publish(step.args).expect_success();
                assert_eq!(ids(&fixture.live.uploads()[before[0]..]), uploaded, "{what}");
                assert_audit(&fixture, &what, Some((uploaded.len() as u64, skipped)));
            }
        }
    }
}

/// Audits the log: the conclusion is `verified`, with no error and no warning. The latest decision has a run that published
/// and skipped that many packages, or is a refusal without a run.
fn assert_audit(fixture: &ReleaseFixture, what: &str, run: Option<(u64, u64)>) {
    let audited = fixture.assert_conclusion(Conclusion::Verified);
    let findings = audited.findings.iter().filter(|finding| finding.level != Level::Note);
    assert_eq!(findings.map(|finding| finding.code.as_str()).collect::<Vec<_>>(), Vec::<&str>::new(), "{what}");
    let decision = audited.decisions.last().expect("a decision");
    let verdict = decision.recorded.as_ref().expect("it is recorded").verdict.as_str();
    assert_eq!(verdict, if run.is_some() { "authorized" } else { "refused" }, "{what}");
    let runs: Vec<_> = decision.runs.iter().map(|run| (run.published, run.skipped)).collect();
    assert_eq!(runs, run.into_iter().collect::<Vec<_>>(), "{what}");
}

/// No workspace is without a case.
#[test]
fn every_workspace_has_a_case() {
    let entries = std::fs::read_dir(CASES).expect("a directory").map(|entry| entry.expect("an entry").path());
    let directories: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert!(directories.len() >= 10);
    for directory in directories {
        assert!(ALL.iter().any(|case| directory.ends_with(case.workspace)), "{}", directory.display());
    }
}

/// The refusals and the release that follow take a second.
#[test]
fn vendored_packages_are_refused() {
    run(&Case { steps: &VENDORED.steps[..1], ..VENDORED });
}

#[test]
fn cycle_of_dev_dependencies_is_refused() {
    run(&Case { steps: &DEV_CYCLE.steps[..1], ..DEV_CYCLE });
}

#[test]
fn test_helper_is_not_in_the_plan() {
    run(&TEST_HELPER_IN_PLAN);
}

/// Every case with all its steps.
#[test]
#[ignore = "it takes half a minute; .ci/run runs it"]
fn every_case_is_released_or_refused() {
    for case in ALL {
        run(case);
    }
}
