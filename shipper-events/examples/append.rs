//! `append [--adopt] LOG`: repairs a torn tail, then reads `{"event_type":{…},"package":"…"}` lines from standard input, appends
//! each durably, and after each prints the log's head. With `--adopt`, it
//! also appends to a log of the shipper tool. Exit status 0 at the end of input, 1 on an error.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use shipper_events::write::{FsStorage, LogWriter, NewEvent, WriterOptions};

const USAGE: &str = "usage: append [--adopt] LOG";

fn run() -> Result<(), Box<dyn Error>> {
    let (mut path, mut adopt) = (None, false);
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--adopt" => adopt = true,
            _ if path.is_none() && !arg.starts_with("--") => path = Some(Utf8PathBuf::from(arg)),
            _ => return Err(USAGE.into()),
        }
    }
    let path = path.ok_or(USAGE)?;
    let options = WriterOptions::default().repair_torn_tail(true).adopt_unchained(adopt);
    let mut log = LogWriter::open(FsStorage, &path, options, ())?;
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
    let _ = writeln!(std::io::stderr(), "error: {message}");
    ExitCode::FAILURE
}
