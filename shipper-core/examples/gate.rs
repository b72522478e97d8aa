//! `gate STATE_DIR --plan-id P [--registry R] [--skip --actor A --justification J] [--extends HEAD]`: asks the gate,
//! records the decision, and prints `{"verdict":…,"reasons":[…]}`. Exit status 0: may publish; 1: refused, a log that is
//! not trusted included; 2: an error.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use shipper_core::audit::VerdictSummary;
use shipper_core::{GateQuery, SidecarUpdate, SkipRequest, VerdictKind, ask_gate, create_state_directory};
use shipper_events::write::{FsStorage, LockOptions};

const USAGE: &str =
    "usage: gate STATE_DIR --plan-id P [--registry R] [--skip --actor A --justification J] [--extends HEAD]";

fn run() -> Result<bool, Box<dyn Error>> {
    let (mut directory, mut plan_id, mut registry, mut extends) = (None, None, None, None);
    let (mut skip, mut asker) = (false, SkipRequest::default());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(USAGE);
        match arg.as_str() {
            "--plan-id" => plan_id = Some(value()?.parse()?),
            "--registry" => registry = Some(value()?.parse()?),
            "--extends" => extends = Some(value()?.parse()?),
            "--skip" => skip = true,
            "--actor" => asker.actor = Some(value()?),
            "--justification" => asker.justification = Some(value()?),
            _ if directory.is_none() && !arg.starts_with("--") => directory = Some(Utf8PathBuf::from(arg)),
            _ => return Err(USAGE.into()),
        }
    }
    let (directory, plan_id) = (directory.ok_or(USAGE)?, plan_id.ok_or(USAGE)?);

    create_state_directory(&directory)?;
    let query = GateQuery { plan_id, rehearsal_registry: registry, skip };
    let answer = ask_gate(FsStorage, &directory, &query, &asker, extends, LockOptions::default())?;
    let answered = serde_json::to_string(&VerdictSummary::from(&answer.verdict))?;
    writeln!(stdout(), "{answered}")?;
    stdout().flush()?;
    for reason in answer.verdict.reasons() {
        writeln!(stderr(), "{}: {reason}; {}", reason.code(), reason.code().advice())?;
    }
    if let Some(untrusted) = &answer.untrusted {
        writeln!(stderr(), "{untrusted}")?;
    }
    if answer.verdict.code() == VerdictKind::Bypassed {
        writeln!(stderr(), "WARNING: the gate was bypassed; nothing shows that this plan was rehearsed")?;
    }
    match answer.sidecar {
        SidecarUpdate::Rewritten => {
            writeln!(stderr(), "rehearsal.json did not tell of the log's receipt; written anew")?
        }
        SidecarUpdate::WriteFailed(error) => writeln!(stderr(), "warning: {error}: {}", error.source)?,
        SidecarUpdate::Orphan => {
            writeln!(stderr(), "warning: there is a rehearsal.json, and no rehearsal was completed")?;
        }
        SidecarUpdate::Skipped | SidecarUpdate::UpToDate => {}
    }
    Ok(answer.verdict.may_publish())
}

fn main() -> ExitCode {
    match run() {
        Ok(may_publish) => ExitCode::from(u8::from(!may_publish)),
        Err(error) => {
            let mut message = error.to_string();
            let mut cause = error.source();
            while let Some(source) = cause {
                message = format!("{message}: {source}");
                cause = source.source();
            }
            let _ = writeln!(stderr(), "error: {message}");
            ExitCode::from(2)
        }
    }
}
