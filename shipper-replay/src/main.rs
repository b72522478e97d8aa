//! `shipper-replay`: what a publish gate's log proves, for auditors. See `docs/auditing.md`.
//!
//! The program is a thin shell: it finds logs, feeds their bytes to the auditor of `shipper-core`, and renders the
//! one report that comes back. It writes nothing but the report.

mod cli;
mod human;
mod input;
mod json;
mod judge;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Format};
use shipper_core::audit::{Conclusion, Report};

/// Events are built on one thread and dropped on another, which the allocators of most systems are slow at:
/// `docs/performance.md`, "What was tried".
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            let why = problem.source().map_or(String::new(), |source| format!(": {source}"));
            // Nobody is left to tell when this fails too.
            let _ = writeln!(io::stderr(), "error: {problem}{why}");
            ExitCode::from(Conclusion::Unjudged.exit_code())
        }
    }
}

/// Audits, prints the report and gives its exit status.
fn run(cli: &Cli) -> Result<u8, judge::JudgeError> {
    let report = judge::judge(cli)?;
    print(&report, cli).map_err(|source| judge::JudgeError::NotWritten { source })?;
    Ok(report.exit_code)
}

fn print(report: &Report, cli: &Cli) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match cli.format {
        Format::Human => stdout.write_all(human::render(report, &style(cli)).as_bytes())?,
        Format::Json => json::write(report, &mut stdout)?,
    }
    stdout.flush()
}

fn style(cli: &Cli) -> human::Style {
    let color = match cli.color {
        cli::Color::Always => true,
        cli::Color::Never => false,
        cli::Color::Auto => {
            io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    };
    human::Style {
        color,
        detail: match (cli.quiet, cli.verbose) {
            (true, _) => human::Detail::Conclusion,
            (false, true) => human::Detail::Everything,
            (false, false) => human::Detail::Proof,
        },
    }
}
