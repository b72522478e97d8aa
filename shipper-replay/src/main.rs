//! `shipper-replay` audits the event log of a publish gate. See `docs/auditing.md`.
//!
//! The program finds logs, passes their bytes to the auditor of `shipper-core`, and renders the report that it returns.
//! It writes only the report, and the archive of `--bundle`.

mod audit;
mod baseline;
mod bundle;
mod chunks;
mod cli;
mod compare;
mod compression;
mod digest;
mod excerpt;
mod explain;
mod follow;
mod follow_file;
mod formats;
mod head;
mod index_files;
mod inputs;
mod log_source;
mod manpage;
mod merge;
mod policy_file;
mod progress;
mod signed_head;
mod statement;
mod streams;
mod uri;
mod view;
mod zstd;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use audit::AuditCommandError;
use clap::Parser;
use cli::{Cli, Format};
use excerpt::escape_char;
use formats::human::RenderOptions;
use shipper_core::audit::Conclusion;

/// Allocator that is fast when one thread frees the memory of another: `docs/performance.md`, "What was tried".
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let unjudged = Conclusion::Unjudged.exit_code();
    let status = match Cli::try_parse() {
        Ok(cli) => run(&cli).unwrap_or_else(|error| {
            let causes = std::iter::successors(error.source(), |&cause| cause.source());
            let causes: String = causes.map(|cause| format!(": {cause}")).collect();
            // Errors of the operating system contain unescaped paths.
            let causes: String = causes.chars().map(escape_char).collect();
            let help = error.help().map_or(String::new(), |help| format!("\nhelp: {help}"));
            // A failure to write this cannot be reported.
            let _ = writeln!(io::stderr(), "error: {error}{causes}{help}");
            unjudged
        }),
        Err(message) => match message.print().and_then(|()| streams::stdout()?.flush()) {
            // The help or the version.
            Ok(()) if !message.use_stderr() => 0,
            _ => unjudged,
        },
    };
    ExitCode::from(status)
}

/// The number of bytes of a report that are written at a time.
const OUTPUT_BUFFER_LEN: usize = 64 * 1024;

/// Runs the command and returns the exit status.
fn run(cli: &Cli) -> Result<u8, AuditCommandError> {
    let mut out = io::BufWriter::with_capacity(OUTPUT_BUFFER_LEN, streams::stdout()?);
    let mut status = 0;
    if let Some(topic) = &cli.explain {
        let text = explain::answer(topic, cli.format, &RenderOptions::from_cli(cli))?;
        out.write_all(text.as_bytes())?;
    } else if let Some(shell) = cli.completions {
        manpage::completions(shell, &mut out)?;
    } else if cli.manual {
        manpage::write(&mut out)?;
    } else if cli.compare.compare {
        status = compare::run_compare(cli, &mut out)?;
    } else if cli.heads.head {
        head::run_head(cli, &mut out)?;
    } else if let Some(path) = &cli.baseline.baseline {
        status = baseline::run_baseline(cli, path, &mut out)?;
    } else if cli.format == Format::Ndjson && !cli.merge && !cli.follow && cli.bundle.bundle.is_none() {
        status = audit::stream_audit(cli, &mut out)?;
    } else {
        status = report(cli, &mut out)?;
    }
    out.flush()?;
    Ok(status)
}

fn report(cli: &Cli, out: &mut impl Write) -> Result<u8, AuditCommandError> {
    let view = if cli.follow {
        follow::run_follow(cli, out)?
    } else if cli.merge {
        merge::run_merge(cli)?
    } else {
        audit::run_audit(cli)?
    };
    formats::write(&view, cli, &mut *out)?;
    out.flush()?;
    if let Some(note) = formats::stderr_note(&view, cli) {
        // The report is complete without the note.
        let _ = writeln!(io::stderr(), "{note}");
    }
    Ok(view.report.exit_code)
}
