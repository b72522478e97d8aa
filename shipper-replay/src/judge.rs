//! From the command line to the report.

use std::io::{self, Read, Seek};

use camino::Utf8PathBuf;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use shipper_core::audit::{AuditError, Auditor, Begin, Demand, LogReport, Report, SidecarInput, regard};
use shipper_events::{Tail, neutral, survey_stream};
use thiserror::Error;

use crate::cli::Cli;
use crate::input::{Bytes, Input, beside, find, read_sidecar};

/// How much is read at a time, in bytes.
const BUFFER: usize = 256 * 1024;

/// No report can be given.
#[derive(Debug, Error)]
pub(crate) enum JudgeError {
    /// Options that speak of one log, and not one log.
    #[error("{options} wants exactly one log, and what was given holds {count}; name the one that you mean")]
    NotOneLog { options: String, count: usize },
    /// A sidecar that was named is not there.
    #[error("the sidecar {} does not exist; name one that does, or use --no-sidecar", neutral(path.as_str()).quoted())]
    NoSidecar { path: Utf8PathBuf },
    /// Standard input can be read once.
    #[error("standard input (-) was given {count} times; name it once")]
    StdinTwice { count: usize },
    /// The line that `--at` names is not there.
    #[error("--at: {0}; name a line up to that")]
    At(#[from] AuditError),
    /// The report could not be written.
    #[error("the report could not be written")]
    NotWritten { source: io::Error },
}

/// Judges everything that was given.
pub(crate) fn judge(cli: &Cli) -> Result<Report, JudgeError> {
    let inputs = find(&cli.logs);
    let options = cli.of_one_log();
    let count = inputs.iter().filter(|input| matches!(input, Input::Log(_) | Input::Stdin)).count();
    if !options.is_empty() && (count, inputs.len()) != (1, 1) {
        return Err(JudgeError::NotOneLog { options: options.join(", "), count });
    }
    let count = inputs.iter().filter(|input| **input == Input::Stdin).count();
    if count > 1 {
        return Err(JudgeError::StdinTwice { count });
    }
    if let Some(path) = cli.sidecar.as_ref().filter(|path| path.try_exists().is_ok_and(|exists| !exists)) {
        let path = path.clone();
        return Err(JudgeError::NoSidecar { path });
    }
    let demand = cli.demand();
    let judging = Judging { cli, demand: &demand };
    let logs = match &inputs[..] {
        [only] => vec![judging.judge(only)?],
        many => judging.judge_many(many)?,
    };
    Ok(Report::new(demand, logs))
}

/// What logs are judged by.
#[derive(Clone, Copy)]
struct Judging<'c> {
    cli: &'c Cli,
    demand: &'c Demand,
}

impl Judging<'_> {
    /// Judges logs side by side, but those with many bytes afterwards, one by one: each of them takes all processors.
    fn judge_many(self, inputs: &[Input]) -> Result<Vec<LogReport>, JudgeError> {
        let quick = |input: &Input| input.is_quick().then(|| self.judge(input));
        // What is left is not opened yet: a pipe that is opened and closed again has lost its bytes.
        let judged: Vec<Option<Result<LogReport, JudgeError>>> = match ThreadPoolBuilder::new().build() {
            Ok(threads) => threads.install(|| inputs.par_iter().map(quick).collect()),
            // The system gives no threads.
            Err(_) => inputs.iter().map(quick).collect(),
        };
        let left = |(input, judged): (_, Option<_>)| judged.unwrap_or_else(|| self.judge(input));
        inputs.iter().zip(judged).map(left).collect()
    }

    fn judge(self, input: &Input) -> Result<LogReport, JudgeError> {
        let (path, sidecar, bytes) = match input {
            Input::Empty(path) => return Ok(LogReport::no_logs(path.clone())),
            Input::Unreadable { path, error } => return Ok(LogReport::unreadable(path.clone(), error.clone())),
            Input::Stdin => ("-".to_owned(), None, Ok(Bytes::stdin())),
            Input::Log(path) => {
                let by_default = !self.cli.no_sidecar && self.demand.at.is_none();
                (path.to_string(), by_default.then(|| beside(path)), Bytes::open(path))
            }
        };
        let sidecar = self.cli.sidecar.clone().or(sidecar);
        // The sidecar is read before the log: one that is written meanwhile is then behind, not ahead of it.
        let sidecar = sidecar.map_or(SidecarInput::NotLookedFor, |path| read_sidecar(&path));
        match bytes.and_then(|bytes| feed(bytes, sidecar, self.demand)) {
            Ok((auditor, tail)) => Ok(LogReport::judged(path, auditor.end(tail)?)),
            Err(error) => Ok(LogReport::unreadable(path, error.to_string())),
        }
    }
}

/// Reads a log to its end.
fn feed(bytes: Bytes, sidecar: SidecarInput, demand: &Demand) -> io::Result<(Auditor, Tail)> {
    match Auditor::begin(demand.clone(), sidecar) {
        Begin::Audit(auditor) => take_all(bytes, auditor),
        Begin::Locate(mut locator) => {
            let mut bytes = bytes.twice()?;
            read_all(&mut bytes, |piece| locator.feed(piece))?;
            bytes.rewind()?;
            take_all(bytes, locator.found())
        }
    }
}

fn take_all(mut bytes: impl Read, mut auditor: Auditor) -> io::Result<(Auditor, Tail)> {
    let read = |buffer: &mut [u8]| bytes.read(buffer);
    let tail = survey_stream(read, regard, |piece| {
        auditor.take(piece);
        Ok::<(), io::Error>(())
    })?;
    Ok((auditor, tail))
}

fn read_all(mut bytes: impl Read, mut feed: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => feed(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
