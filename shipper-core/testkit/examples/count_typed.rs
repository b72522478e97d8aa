//! `count_typed FILE` counts the completed rehearsals of a log with a typed reader: `serde_json` and three structs, line by
//! line. It is what a program would do without this library, to compare with an audit.
//!
//! Exit status 0: the count is on standard output. 1: the file cannot be read, or a line is not such an event.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write, stdout};

use serde::Deserialize;

#[derive(Deserialize)]
struct TypedEvent {
    timestamp: String,
    event_type: TypedMembers,
    package: String,
}

#[derive(Deserialize)]
struct TypedMembers {
    #[serde(rename = "type")]
    name: String,
}

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: count_typed FILE"))?;
    let (mut log, mut line, mut count) = (BufReader::with_capacity(1 << 18, File::open(path)?), Vec::new(), 0_u64);
    while log.read_until(b'\n', &mut line)? > 0 {
        let TypedEvent { timestamp, event_type, package } = serde_json::from_slice(&line)?;
        let is_whole = !timestamp.is_empty() && !package.is_empty();
        count += u64::from(is_whole && event_type.name == "rehearsal_complete");
        line.clear();
    }
    writeln!(stdout(), "{count}")
}
