//! `shipper-replay`: what a publish gate's log proves, for auditors. See `docs/auditing.md`.
//!
//! The program is a thin shell: it finds logs, feeds their bytes to the auditor of `shipper-core`, and renders the
//! one report that comes back. It writes nothing but the report.

mod cli;
mod human;
mod input;
mod json;
mod judge;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Format};
use shipper_core::audit::{Conclusion, Report};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            // Nobody is left to tell when this fails too.
            let _ = writeln!(io::stderr(), "error: {problem}");
            ExitCode::from(Conclusion::Unjudged.exit_code())
        }
    }
}

/// Audits, prints the report and gives its exit status.
fn run(cli: &Cli) -> Result<u8, judge::JudgeError> {
    let report = judge::judge(cli)?;
    let text = match cli.format {
        Format::Human => human::render(&report, &style(cli)),
        Format::Json => json::render(&report),
    };
    print(&report, &text).map_err(|source| judge::JudgeError::NotWritten { source })
}

fn print(report: &Report, text: &str) -> io::Result<u8> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(report.exit_code)
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
