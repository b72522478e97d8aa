//! `record_rehearsal STATE_DIR --plan-id P --registry R [--adopt] [--allow-foreign-owner] NAME@VERSION=ok|fail …`:
//! repairs a torn tail, records a rehearsal with these outcomes, and writes `rehearsal.json`. It stops at the first
//! failure, as a release tool does. Exit status 0 if the rehearsal was recorded, passed or not; 1 on an error. `--adopt`
//! accepts a log of the shipper tool, and `--allow-foreign-owner` one that other users can change.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use shipper_core::RehearsalRecorder;
use shipper_core::camino::Utf8PathBuf;
use shipper_core::shipper_events::write::FsStorage;
use shipper_core::state_dir::{StateOptions, create_state_directory};

const USAGE: &str = "usage: record_rehearsal STATE_DIR --plan-id P --registry R [--adopt] [--allow-foreign-owner] \
                     NAME@VERSION=ok|fail …";

fn run() -> Result<(), Box<dyn Error>> {
    let (mut directory, mut plan_id, mut registry, mut packages) = (None, None, None, Vec::new());
    let mut state = StateOptions::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--plan-id" => plan_id = args.next(),
            "--registry" => registry = args.next(),
            "--allow-foreign-owner" => state = state.allow_foreign_owner(true),
            "--adopt" => state = state.adopt_unchained(true),
            _ if directory.is_none() => directory = Some(Utf8PathBuf::from(arg)),
            _ => packages.push(arg),
        }
    }
    let (directory, plan_id, registry) = (directory.ok_or(USAGE)?, plan_id.ok_or(USAGE)?, registry.ok_or(USAGE)?);
    let packages: Option<Vec<(&str, &str, bool)>> = packages.iter().map(|package| outcome(package)).collect();
    let packages = packages.ok_or(USAGE)?;

    create_state_directory(&directory)?;
    let mut recorder = RehearsalRecorder::open(FsStorage, &directory, state)?;
    for risk in recorder.warnings() {
        writeln!(stderr(), "warning: {risk}")?;
    }
    let mut rehearsal = recorder.start(plan_id.parse()?, registry.parse()?, packages.len() as u64)?;
    let mut rehearsed = 0;
    let mut failed = None;
    for (name, version, passes) in &packages {
        if *passes {
            rehearsal.published(name, version, Duration::ZERO)?;
            rehearsed += 1;
        } else {
            rehearsal.failed(name, version, "permanent", "the command line names this failure")?;
            failed = Some(format!("{name}@{version}"));
            break;
        }
    }
    let count = packages.len();
    let summary = match &failed {
        None => format!("rehearsed {count} packages against '{registry}' successfully"),
        Some(package) => format!("rehearsal stopped at {}/{count}: {package}", rehearsed + 1),
    };
    let completed = rehearsal.complete(failed.is_none(), &summary)?;
    writeln!(stdout(), "{}", completed.head)?;
    if let Some(error) = completed.sidecar {
        writeln!(stderr(), "warning: {error}: {}", error.source)?;
    }
    Ok(())
}

/// Parses `NAME@VERSION=ok|fail`.
fn outcome(package: &str) -> Option<(&str, &str, bool)> {
    let (package, outcome) = package.rsplit_once('=')?;
    let (name, version) = package.split_once('@')?;
    match outcome {
        "ok" => Some((name, version, true)),
        "fail" => Some((name, version, false)),
        _ => None,
    }
}

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    let causes = std::iter::successors(Some(&*error), |&error| error.source());
    let message: Vec<String> = causes.map(ToString::to_string).collect();
    let _ = writeln!(stderr(), "error: {}", message.join(": "));
    ExitCode::FAILURE
}
