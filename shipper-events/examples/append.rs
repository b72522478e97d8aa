//! `append [--adopt] [--allow-foreign-owner] LOG`: reads `{"event_type":{…},"package":"…"}` lines from standard input,
//! appends each durably, and after each prints the log's head. Exit status 0 at the end of input, 1 on an error, such
//! as a torn tail: only a rehearsal repairs it. `--adopt` accepts a log of the shipper tool, and
//! `--allow-foreign-owner` one that other users can change.

use std::error::Error;
use std::io::{BufRead, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use shipper_events::write::{FsStorage, LogWriter, NewEvent, WriterOptions};

const USAGE: &str = "usage: append [--adopt] [--allow-foreign-owner] LOG";

fn run() -> Result<(), Box<dyn Error>> {
    let (mut path, mut adopt, mut allow) = (None, false, false);
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--adopt" => adopt = true,
            "--allow-foreign-owner" => allow = true,
            _ if path.is_none() && !arg.starts_with("--") => path = Some(Utf8PathBuf::from(arg)),
            _ => return Err(USAGE.into()),
        }
    }
    let path = path.ok_or(USAGE)?;
    let options = WriterOptions::default().adopt_unchained(adopt).allow_foreign_owner(allow);
    let mut log = LogWriter::open(FsStorage, &path, options, ())?;
    for risk in log.warnings() {
        writeln!(stderr(), "warning: {risk}")?;
    }
    for (line, text) in stdin().lock().lines().enumerate() {
        let draft: NewEvent = text?.parse().map_err(|error| format!("standard input, line {}: {error}", line + 1))?;
        // Printing the head acknowledges the event: a reader can rely on it.
        let head = log.append(&[draft])?;
        writeln!(stdout(), "{head}")?;
        stdout().flush()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        message = format!("{message}: {source}");
        cause = source.source();
    }
    let _ = writeln!(stderr(), "error: {message}");
    ExitCode::FAILURE
}
