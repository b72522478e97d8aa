//! `gate STATE_DIR --plan-id P [--registry R] [--skip --actor A --justification J] [--extends HEAD]`: asks the gate,
//! records the decision, and prints `{"verdict":…,"reasons":[…]}`. Exit status 0: may publish; 1: refused, a log that is
//! not trusted included; 2: an error.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use shipper_core::audit::Answer;
use shipper_core::{Asker, Query, SidecarKept, VerdictCode, create_state_directory, enforce};
use shipper_events::write::{Options, OsDisk};

const USAGE: &str =
    "usage: gate STATE_DIR --plan-id P [--registry R] [--skip --actor A --justification J] [--extends HEAD]";

fn run() -> Result<bool, Box<dyn Error>> {
    let (mut directory, mut plan_id, mut registry, mut extends) = (None, None, None, None);
    let (mut skip, mut asker) = (false, Asker::default());
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
    let query = Query { plan_id, rehearsal_registry: registry, skip };
    let answer = enforce(OsDisk, &directory, &query, &asker, extends, Options::default())?;
    let answered = serde_json::to_string(&Answer::from(&answer.verdict))?;
    writeln!(stdout(), "{answered}")?;
    stdout().flush()?;
    for reason in answer.verdict.reasons() {
        writeln!(stderr(), "{}: {reason}; {}", reason.code(), reason.code().advice())?;
    }
    if let Some(untrusted) = &answer.untrusted {
        writeln!(stderr(), "{untrusted}")?;
    }
    if answer.verdict.code() == VerdictCode::Bypassed {
        writeln!(stderr(), "WARNING: the gate was bypassed; nothing shows that this plan was rehearsed")?;
    }
    match answer.sidecar {
        SidecarKept::Rewritten => writeln!(stderr(), "rehearsal.json did not tell of the log's receipt; written anew")?,
        SidecarKept::NotWritten(error) => writeln!(stderr(), "warning: {error}: {}", error.source)?,
        SidecarKept::Orphan => {
            writeln!(stderr(), "warning: there is a rehearsal.json, and no rehearsal was completed")?;
        }
        SidecarKept::NotChecked | SidecarKept::Matched => {}
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
