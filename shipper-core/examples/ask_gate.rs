//! `ask_gate STATE_DIR --plan-id P [--registry R] [--skip --actor A --justification J] [--extends HEAD] [--adopt]
//! [--allow-foreign-owner]`: asks the gate, records the decision, and prints `{"verdict":…,"reasons":[…]}`. Exit status
//! 0: the gate permits the publish; 1: it refuses, also because of an untrusted log; 2: an error. `--adopt` accepts a log
//! of the shipper tool, and `--allow-foreign-owner` one that other users can change.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use shipper_core::audit::VerdictSummary;
use shipper_core::camino::Utf8PathBuf;
use shipper_core::gate::SidecarUpdate;
use shipper_core::shipper_events::write::FsStorage;
use shipper_core::state_dir::{StateOptions, create_state_directory};
use shipper_core::{GateAnswer, GateQuery, SkipRequest, VerdictKind, ask_gate};

const USAGE: &str = "usage: ask_gate STATE_DIR --plan-id P [--registry R] [--skip --actor A --justification J] \
                     [--extends HEAD] [--adopt] [--allow-foreign-owner]";

fn run() -> Result<bool, Box<dyn Error>> {
    let (mut directory, mut plan_id, mut registry, mut expected_head) = (None, None, None, None);
    let (mut skip, mut request, mut state) = (false, SkipRequest::default(), StateOptions::default());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(USAGE);
        match arg.as_str() {
            "--plan-id" => plan_id = Some(value()?.parse()?),
            "--registry" => registry = Some(value()?.parse()?),
            "--extends" => expected_head = Some(value()?.parse()?),
            "--skip" => skip = true,
            "--allow-foreign-owner" => state = state.allow_foreign_owner(true),
            "--adopt" => state = state.adopt_unchained(true),
            "--actor" => request.actor = Some(value()?),
            "--justification" => request.justification = Some(value()?),
            _ if directory.is_none() && !arg.starts_with("--") => directory = Some(Utf8PathBuf::from(arg)),
            _ => return Err(USAGE.into()),
        }
    }
    let (directory, plan_id) = (directory.ok_or(USAGE)?, plan_id.ok_or(USAGE)?);

    create_state_directory(&directory)?;
    let query = GateQuery::new(plan_id, registry).with_skip(skip);
    let answer = ask_gate(FsStorage, &directory, &query, &request, expected_head, state)?;
    writeln!(stdout(), "{}", serde_json::to_string(&VerdictSummary::from(answer.verdict()))?)?;
    stdout().flush()?;
    explain(&answer)?;
    Ok(answer.may_publish())
}

/// Prints the reasons of a refusal, and the warnings, on standard error.
fn explain(answer: &GateAnswer) -> Result<(), Box<dyn Error>> {
    for reason in answer.verdict().reasons() {
        writeln!(stderr(), "{}: {reason}\nhelp: {}", reason.code(), reason.code().help())?;
    }
    for risk in answer.warnings() {
        writeln!(stderr(), "warning: {risk}")?;
    }
    if answer.verdict().code() == VerdictKind::Bypassed {
        writeln!(stderr(), "WARNING: the gate was bypassed; no rehearsal backs this plan")?;
    }
    match answer {
        GateAnswer::UntrustedLog(error) => writeln!(stderr(), "{error}")?,
        GateAnswer::Recorded { sidecar: SidecarUpdate::Rewritten, .. } => {
            writeln!(stderr(), "note: rehearsal.json was missing or did not match the log, and was rewritten")?;
        }
        GateAnswer::Recorded { sidecar: SidecarUpdate::WriteFailed(error), .. } => {
            writeln!(stderr(), "warning: {error}: {}", error.source)?;
        }
        GateAnswer::Recorded { sidecar: SidecarUpdate::Orphan, .. } => {
            writeln!(stderr(), "warning: rehearsal.json exists, but the log has no completed rehearsal")?;
        }
        _ => {}
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(may_publish) => ExitCode::from(u8::from(!may_publish)),
        Err(error) => {
            let causes = std::iter::successors(Some(&*error), |&error| error.source());
            let message: Vec<String> = causes.map(ToString::to_string).collect();
            let _ = writeln!(stderr(), "error: {}", message.join(": "));
            ExitCode::from(2)
        }
    }
}
