//! From the command line to the report.

use std::collections::HashMap;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use fs_err::File;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use shipper_core::audit::{AuditError, AuditOptions, Auditor, Begin, Duplicate, LogReport, Report, SidecarInput};
use shipper_events::display_safe;
use thiserror::Error;

use crate::account::Account;
use crate::attest::{AttestError, Attesting};
use crate::cli::Cli;
use crate::explain::NotExplained;
use crate::formats::{in_full, ndjson, showing, timeline};
use crate::input::{Bytes, Input, beside, read_sidecar};
use crate::list::{NoList, given, once};
use crate::merge::NotMerged;
use crate::progress::Progress;

/// How many logs are judged before those that are done are handed over.
const AT_A_TIME: usize = 1024;

/// No report can be given.
#[derive(Debug, Error)]
pub(crate) enum JudgeError {
    /// Options that speak of one log, and not one log.
    #[error("{options} wants exactly one log, and what was given holds {count}; name the one that you mean")]
    NotOneLog { options: String, count: usize },
    /// A sidecar that was named is not there.
    #[error("the sidecar {} does not exist; name one that does, or use --no-sidecar", display_safe(path.as_str()).quoted())]
    NoSidecar { path: Utf8PathBuf },
    /// The logs to judge are not known.
    #[error(transparent)]
    NoList(#[from] NoList),
    /// Reports cannot be merged.
    #[error(transparent)]
    Merge(#[from] NotMerged),
    /// Standard input can be read once.
    #[error("standard input (-) was given {count} times; name it once")]
    StdinTwice { count: usize },
    /// The line that `--at` names is not there.
    #[error("--at: {problem}; name a line up to that")]
    At { problem: AuditError },
    /// A log that is followed is read to its end.
    #[error("--follow reads a log to its end; leave out what names another place")]
    NotFollowed,
    /// Words are not explained in that form.
    #[error(transparent)]
    NotExplained(#[from] NotExplained),
    /// No statement can be made.
    #[error(transparent)]
    Attest(#[from] AttestError),
    /// The report could not be written.
    #[error("the report could not be written")]
    NotWritten { source: io::Error },
}

impl From<AuditError> for JudgeError {
    fn from(problem: AuditError) -> Self {
        Self::At { problem }
    }
}

/// Judges everything that was given.
pub(crate) fn judge(cli: &Cli) -> Result<Account, JudgeError> {
    let attesting = Attesting::of(cli)?;
    let (inputs, duplicates) = inputs(cli)?;
    let demand = cli.demand();
    let showing = showing(cli);
    let again = showing.is_some() || attesting.is_some();
    let judging = Judging { cli, demand: &demand, again, timeline: timeline(cli), attesting: attesting.as_ref() };
    let mut copies = HashMap::new();
    let mut logs = Vec::with_capacity(inputs.len());
    judging.judge_all(&inputs, |(log, copy)| {
        copies.extend(copy.map(|copy| (logs.len(), copy)));
        logs.push(log);
        Ok(())
    })?;
    let report = Report::new(demand, logs);
    let vouched = attesting.map(|attesting| attesting.vouch(&report, copies.remove(&0))).transpose()?;
    let logs = in_full(&report, cli);
    Ok(Account { vouched, duplicates, ..Account::new(report, copies, showing, &logs) })
}

/// Judges everything that was given and writes it log by log; gives the exit status.
pub(crate) fn judge_and_write(cli: &Cli, out: impl Write) -> Result<u8, JudgeError> {
    let (inputs, duplicates) = inputs(cli)?;
    let demand = cli.demand();
    let judging = Judging { cli, demand: &demand, again: false, timeline: timeline(cli), attesting: None };
    let mut stream = ndjson::Stream::new(demand.clone(), out);
    judging.judge_all(&inputs, |(log, _)| stream.log(&log).map_err(|source| JudgeError::NotWritten { source }))?;
    for duplicate in duplicates {
        stream.again(&duplicate.path, duplicate.again);
    }
    stream.end().map_err(|source| JudgeError::NotWritten { source })
}

/// What is judged, each once, and what was given more than once.
pub(crate) fn inputs(cli: &Cli) -> Result<(Vec<Input>, Vec<Duplicate>), JudgeError> {
    let count = |inputs: &[Input]| {
        let list = usize::from(cli.files_from.as_ref().is_some_and(|list| list == "-"));
        list + inputs.iter().filter(|input| **input == Input::Stdin).count()
    };
    // The list is not waited for where its input is wanted for a log.
    let named = cli.logs.iter().filter(|path| *path == "-").map(|_| Input::Stdin).collect::<Vec<_>>();
    if count(&named) > 1 {
        return Err(JudgeError::StdinTwice { count: count(&named) });
    }
    let inputs = given(cli)?;
    let options = cli.of_one_log();
    let logs = inputs.iter().filter(|input| matches!(input, Input::Log(_) | Input::Stdin)).count();
    if !options.is_empty() && (logs, inputs.len()) != (1, 1) {
        return Err(JudgeError::NotOneLog { options: options.join(", "), count: logs });
    }
    if count(&inputs) > 1 {
        return Err(JudgeError::StdinTwice { count: count(&inputs) });
    }
    if let Some(path) = cli.sidecar.as_ref().filter(|path| path.try_exists().is_ok_and(|exists| !exists)) {
        let path = path.clone();
        return Err(JudgeError::NoSidecar { path });
    }
    Ok(once(inputs))
}

/// A judged log, and its bytes where they are wanted again and can only be read once.
type Judged = (LogReport, Option<File>);

/// What logs are judged by.
#[derive(Clone, Copy)]
struct Judging<'c> {
    cli: &'c Cli,
    demand: &'c AuditOptions,
    /// Whether the bytes may be wanted again.
    again: bool,
    /// Whether the timeline is wanted.
    timeline: bool,
    /// Who keeps what a statement needs.
    attesting: Option<&'c Attesting>,
}

impl Judging<'_> {
    /// Judges logs and hands them over in their order: some at a time side by side, but of those the ones with many
    /// bytes afterwards, one by one, since each of them takes all processors.
    fn judge_all(
        self,
        inputs: &[Input],
        mut take: impl FnMut(Judged) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        let progress = Progress::over(inputs.len(), self.cli);
        let counted = |input: &Input| self.judge(input).inspect(|_| progress.one_more());
        if let [only] = inputs {
            return take(counted(only)?);
        }
        // The system may give no threads.
        let threads = ThreadPoolBuilder::new().build().ok();
        for inputs in inputs.chunks(AT_A_TIME) {
            let quick = |input: &Input| input.is_quick().then(|| counted(input));
            // What is left is not opened yet: a pipe that is opened and closed again has lost its bytes.
            let judged: Vec<Option<Result<Judged, JudgeError>>> = match &threads {
                Some(threads) => threads.install(|| inputs.par_iter().map(quick).collect()),
                None => inputs.iter().map(quick).collect(),
            };
            for (input, judged) in inputs.iter().zip(judged) {
                take(judged.unwrap_or_else(|| counted(input))?)?;
            }
        }
        Ok(())
    }

    fn judge(self, input: &Input) -> Result<Judged, JudgeError> {
        let (path, sidecar, bytes) = match input {
            Input::Empty(path) => return Ok((LogReport::no_logs(path.clone()), None)),
            Input::Unreadable { path, error } => return Ok((LogReport::unreadable(path.clone(), error.clone()), None)),
            Input::Stdin => ("-".to_owned(), None, Ok(Bytes::stdin())),
            Input::Log(path) => {
                let by_default = !self.cli.no_sidecar && self.demand.at.is_none();
                (path.to_string(), by_default.then(|| beside(path)), Bytes::open(path))
            }
        };
        let sidecar = self.cli.sidecar.clone().or(sidecar);
        // The sidecar is read before the log: one that is written meanwhile is then behind, not ahead of it.
        let sidecar = sidecar.map_or(SidecarInput::NotRequested, |path| read_sidecar(&path));
        if let Some(attesting) = self.attesting {
            attesting.note(&sidecar);
        }
        match bytes.and_then(|bytes| self.feed(bytes, sidecar)) {
            Ok((auditor, copy)) => Ok((LogReport::judged(path, auditor.finish()?), copy)),
            Err(error) => Ok((LogReport::unreadable(path, error.to_string()), None)),
        }
    }

    /// Reads a log to its end.
    fn feed(self, bytes: Bytes, sidecar: SidecarInput) -> io::Result<(Auditor, Option<File>)> {
        let bytes = if self.again { bytes.kept() } else { bytes };
        match Auditor::begin(self.demand.clone(), sidecar) {
            Begin::Audit(auditor) => self.take_all(bytes, auditor),
            Begin::Locate(locator) => {
                let mut bytes = bytes.kept();
                let auditor = locator.locate(&mut bytes)?;
                self.take_all(bytes.again()?, auditor)
            }
        }
    }

    fn take_all(self, mut bytes: Bytes, auditor: Auditor) -> io::Result<(Auditor, Option<File>)> {
        let mut auditor = if self.timeline { auditor.with_timeline() } else { auditor };
        auditor.read_to_end(&mut bytes)?;
        let copy = if self.again { bytes.into_copy() } else { None };
        Ok((auditor, copy))
    }
}
