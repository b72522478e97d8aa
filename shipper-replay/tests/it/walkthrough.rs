//! The audit of docs/walkthrough.md works as written, because it is what a new auditor repeats: every command prints the
//! shown output, apart from new keys and the time.
//!
//! `UPDATE_PAGES=1 cargo test -p shipper-replay --test it walkthrough` updates the page.

use std::fs;
use std::path::Path;
use std::process::Command;

use shipper_testkit::program::installed;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The programs that the page runs.
const PROGRAMS: [&str; 8] = ["bash", "ssh-keygen", "sha256sum", "tar", "jq", "sed", "cmp", "head"];

/// Runs a command in the directory, and returns what it prints, with the errors.
fn run(command: &str, directory: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_shipper-replay"));
    let path =
        format!("{}:{}", program.parent().expect("a directory").display(), std::env::var("PATH").expect("a path"));
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(directory);
    shell.env("PATH", path).env("LC_ALL", "C").env_remove("NO_COLOR");
    String::from_utf8(shell.output().expect("bash").stdout).expect("UTF-8")
}

/// Replaces the fingerprint of the key that the page makes.
fn normalized(text: &str) -> String {
    let words = text.split('\n').map(|line| match line.strip_prefix("Good \"vsa@example.com\"") {
        Some(rest) => rest.split_once("SHA256:").map_or(line, |(before, _)| before).to_owned(),
        None => line.to_owned(),
    });
    words.collect::<Vec<_>>().join("\n")
}

/// Each command prints what the page shows, and the page uses each program.
#[test]
fn every_step_prints_the_shown_output() {
    if !installed(&PROGRAMS) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let work = directory.path().join("audit");
    let copied = Command::new("cp").args(["-r", &format!("{TOP}/fixtures/walkthrough")]).arg(&work).status();
    assert!(copied.expect("cp").success());
    let path = format!("{TOP}/docs/walkthrough.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (mut fresh, mut commands, mut lines) = (String::new(), Vec::new(), page.lines().peekable());
    while let Some(line) = lines.next() {
        fresh += &format!("{line}\n");
        if line != "```shell-session" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            if let Some(command) = line.strip_prefix("$ ") {
                fresh += &format!("{line}\n{}", run(command, &work));
                commands.push(command);
            }
        }
    }
    if normalized(&fresh) != normalized(&page) && std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&path, &fresh).expect("it can be written");
    } else {
        assert_eq!(normalized(&fresh), normalized(&page), "UPDATE_PAGES=1 updates the page");
    }
    let used = |program: &&str| commands.iter().any(|command| command.contains(*program));
    let unused: Vec<&&str> = PROGRAMS.iter().filter(|program| **program != "bash" && !used(program)).collect();
    assert!(unused.is_empty() && commands.len() >= 20, "{unused:?}, {} commands", commands.len());
}

/// The folder of the page is a real one.
#[test]
fn folder_is_that_of_a_real_release() {
    for name in ["events.jsonl", "rehearsal.json", "state.json"] {
        let bytes = |path: &str| fs::read(format!("{TOP}/fixtures/{path}/{name}")).expect("the file");
        assert_eq!(bytes("walkthrough/release"), bytes("packets/pass-3crate"), "{name}");
    }
}
