//! `shipper-replay` audits the log of a publish gate: it re-derives each decision. See `docs/auditing.md`.
//!
//! The program finds logs, passes their bytes to the auditor of `shipper-core`, and renders the report that it returns.
//! It writes nothing but the report.

mod audit;
mod cli;
mod excerpt;
mod explain;
mod file_list;
mod follow;
mod formats;
mod inputs;
mod log_source;
mod manpage;
mod merge;
mod progress;
mod statement;
mod uri;
mod view;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use audit::AuditCommandError;
use clap::Parser;
use cli::{Cli, Format};
use formats::human::RenderOptions;
use shipper_core::audit::Conclusion;
use shipper_events::{display_safe, is_display_safe};

/// Events are built on one thread and dropped on another, which the allocators of most systems are slow at:
/// `docs/performance.md`, "What was tried".
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => {
            let code = message.exit_code();
            return match message.print().and_then(|()| io::stdout().flush()) {
                Ok(()) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
                Err(_) => ExitCode::from(Conclusion::Unjudged.exit_code()),
            };
        }
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let causes = std::iter::successors(error.source(), |&cause| cause.source());
            let causes: String = causes.map(|cause| format!(": {cause}")).collect();
            // Errors of the operating system contain paths as they are.
            let escape = |character: char| {
                if is_display_safe(character) {
                    character.to_string()
                } else {
                    display_safe(character.encode_utf8(&mut [0; 4])).to_string()
                }
            };
            let causes: String = causes.chars().map(escape).collect();
            // A failure to write this cannot be reported.
            let _ = writeln!(io::stderr(), "error: {error}{causes}");
            ExitCode::from(Conclusion::Unjudged.exit_code())
        }
    }
}

/// Runs the command and returns the exit status.
fn run(cli: &Cli) -> Result<u8, AuditCommandError> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let status = run_command(cli, &mut stdout)?;
    stdout.flush().map_err(AuditCommandError::write)?;
    Ok(status)
}

fn run_command(cli: &Cli, mut out: impl Write) -> Result<u8, AuditCommandError> {
    if let Some(topic) = &cli.explain {
        let text = explain::answer(topic, cli.format, &RenderOptions::from_cli(cli))?;
        out.write_all(text.as_bytes()).map_err(AuditCommandError::write)?;
        return Ok(0);
    }
    if let Some(shell) = cli.completions {
        manpage::completions(shell, &mut out).map_err(AuditCommandError::write)?;
        return Ok(0);
    }
    if cli.manual {
        manpage::write(&mut out).map_err(AuditCommandError::write)?;
        return Ok(0);
    }
    if cli.format == Format::Ndjson && !cli.merge {
        return audit::stream_audit(cli, out);
    }
    let (view, status) = if cli.follow {
        let (view, conclusion) = follow::run_follow(cli, &mut out)?;
        (view, conclusion.exit_code())
    } else {
        let view = if cli.merge { merge::run_merge(cli)? } else { audit::run_audit(cli)? };
        let status = view.report.exit_code;
        (view, status)
    };
    formats::write(&view, cli, &mut out).and_then(|()| out.flush()).map_err(AuditCommandError::write)?;
    if let Some(note) = formats::stderr_note(&view, cli) {
        // The note is not part of the report, which is written.
        let _ = writeln!(io::stderr(), "{note}");
    }
    Ok(status)
}
