//! `one_operation OPERATION LOG` runs one operation on a log, so that `.ci/instructions` can count its instructions:
//!
//! - `scan` and `chain` check all lines, and the links and recorded heads of those that are chained.
//! - `fold` folds the parsed events.
//! - `audit` judges the log.
//! - `append` appends every fiftieth event of the log to a log in a temporary directory, one by one.
//!
//! The preparation is outside [`measured`]. All work is on one thread, so that the count is the same each time.
//!
//! Exit status 0: the operation ran. 1: it failed, or the arguments are invalid.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stderr};
use std::ops::ControlFlow;
use std::process::ExitCode;

use camino::Utf8Path;
use shipper_core::GateState;
use shipper_core::audit::{AuditOptions, Auditor, Conclusion, SidecarInput};
use shipper_events::scan::{Interest, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::write::{FsStorage, LogWriter, NewEvent, WriterOptions};
use shipper_events::{EventKind, EventReader, LogEntry};

const USAGE: &str = "usage: one_operation scan|chain|fold|audit|append LOG";

/// A visitor that builds about as few events as an audit does, and counts faults.
struct Checker {
    faults: usize,
}

impl LogVisitor for Checker {
    fn interest(&self) -> fn(&str) -> Interest {
        |event_type| {
            let full = event_type.starts_with("rehearsal_") || event_type == "plan_created";
            if full || EventKind::from_name(event_type).is_none() { Interest::Full } else { Interest::Skip }
        }
    }

    fn visit(&mut self, line: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
        self.faults += line.errors.len();
        ControlFlow::Continue(())
    }
}

/// Runs the operation. Its instructions count, because callgrind finds this function by its name.
#[inline(never)]
fn measured<T>(operation: impl FnOnce() -> T) -> T {
    black_box(operation())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [operation, path] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let log = std::fs::read(path)?;
    let is_sound = match operation.as_str() {
        "scan" | "chain" => {
            let (mut scanner, mut checker) = (LogScanner::new(), Checker { faults: 0 });
            measured(|| scanner.feed(&log, &mut checker)).is_continue() && checker.faults == 0 && scanner.lines() > 0
        }
        "fold" => {
            let entries = EventReader::new(&log[..]).collect::<Result<Vec<LogEntry>, _>>()?;
            measured(|| entries.iter().collect::<GateState>()) != GateState::default()
        }
        "audit" => {
            let mut auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested)?;
            let audit = measured(|| {
                auditor.feed(&log);
                auditor.finish()
            })?;
            audit.conclusion() == Conclusion::Verified
        }
        "append" => {
            let entries = EventReader::new(&log[..]).step_by(50).collect::<Result<Vec<LogEntry>, _>>()?;
            let events = entries.into_iter().map(|entry| NewEvent::new(entry.event.event_type, entry.event.package));
            let directory = tempfile::tempdir()?;
            let path = Utf8Path::from_path(directory.path()).ok_or("the directory is not UTF-8")?.join("events.jsonl");
            let mut writer = LogWriter::open(FsStorage, &path, WriterOptions::default(), ())?;
            for event in events {
                measured(|| writer.append(&[event]))?;
            }
            writer.head().lines > 0
        }
        _ => return Err(USAGE.into()),
    };
    if is_sound { Ok(()) } else { Err("the log is not sound".into()) }
}

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(stderr(), "error: {error}");
    ExitCode::FAILURE
}
