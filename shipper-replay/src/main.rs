//! `shipper-replay`: what a publish gate's log proves, for auditors. See `docs/auditing.md`.
//!
//! The program is a thin shell: it finds logs, feeds their bytes to the auditor of `shipper-core`, and renders the
//! one report that comes back. It writes nothing but the report.

mod account;
mod attest;
mod cli;
mod clock;
mod exhibit;
mod explain;
mod follow;
mod formats;
mod human;
mod input;
mod judge;
mod list;
mod manual;
mod merge;
mod progress;
mod uri;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Format};
use shipper_core::audit::Conclusion;
use shipper_events::{display_safe, is_display_safe};

/// Events are built on one thread and dropped on another, which the allocators of most systems are slow at:
/// `docs/performance.md`, "What was tried".
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let code = told.exit_code();
            return match told.print().and_then(|()| io::stdout().flush()) {
                Ok(()) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
                Err(_) => ExitCode::from(Conclusion::Unjudged.exit_code()),
            };
        }
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            let causes = std::iter::successors(problem.source(), |&cause| cause.source());
            let why: String = causes.map(|cause| format!(": {cause}")).collect();
            // Errors of the system name paths as they are.
            let shown = |character: char| {
                if is_display_safe(character) {
                    character.to_string()
                } else {
                    display_safe(character.encode_utf8(&mut [0; 4])).to_string()
                }
            };
            let why: String = why.chars().map(shown).collect();
            // Nobody is left to tell when this fails too.
            let _ = writeln!(io::stderr(), "error: {problem}{why}");
            ExitCode::from(Conclusion::Unjudged.exit_code())
        }
    }
}

/// Does what was asked for and gives the exit status.
fn run(cli: &Cli) -> Result<u8, judge::JudgeError> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let status = answer(cli, &mut stdout)?;
    stdout.flush().map_err(|source| judge::JudgeError::NotWritten { source })?;
    Ok(status)
}

fn answer(cli: &Cli, mut out: impl Write) -> Result<u8, judge::JudgeError> {
    let not_written = |source| judge::JudgeError::NotWritten { source };
    if let Some(asked) = &cli.explain {
        let text = explain::answer(asked, cli.format, &human::Style::of(cli))?;
        out.write_all(text.as_bytes()).map_err(not_written)?;
        return Ok(0);
    }
    if let Some(shell) = cli.completions {
        manual::completions(shell, &mut out).map_err(not_written)?;
        return Ok(0);
    }
    if cli.manual {
        manual::write(&mut out).map_err(not_written)?;
        return Ok(0);
    }
    if cli.format == Format::Ndjson && !cli.merge {
        return judge::judge_and_write(cli, out);
    }
    let (account, status) = if cli.follow {
        let (account, conclusion) = follow::follow(cli, &mut out)?;
        (account, conclusion.exit_code())
    } else {
        let account = if cli.merge { merge::merge(cli)? } else { judge::judge(cli)? };
        let status = account.report.exit_code;
        (account, status)
    };
    formats::write(&account, cli, &mut out).map_err(not_written)?;
    out.flush().map_err(not_written)?;
    if let Some(aside) = formats::aside(&account, cli) {
        // The report is written; what is said beside it is no part of it.
        let _ = writeln!(io::stderr(), "{aside}");
    }
    Ok(status)
}
