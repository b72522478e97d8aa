//! The audit of all inputs, from the command line to a [`ReportView`] or a stream of ndjson.

use std::collections::HashMap;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use shipper_core::audit::{
    AsOf, AuditError, AuditOptions, Auditor, Duplicate, LogAudit, LogReport, LogSurroundings, Report, SidecarInput,
    resolve_as_of,
};
use shipper_core::state_dir::SIDECAR_FILE_NAME;
use shipper_events::display_safe;
use thiserror::Error;

use crate::cli::Cli;
use crate::explain::ExplainFormatError;
use crate::formats::{detailed_logs, finding_filter, ndjson, timeline};
use crate::inputs::{Input, InputsError, check_stdin, collect_inputs, dedup, is_moved_aside, read_sidecar};
use crate::log_source::LogSource;
use crate::merge::MergeCommandError;
use crate::policy_file::{PolicyFileError, audit_options};
use crate::progress::Progress;
use crate::statement::{StatementError, StatementInputs, audited_digests};
use crate::view::ReportView;

/// Number of inputs that are audited before their reports are passed on.
const BATCH: usize = 1024;

/// The error for a command without a report.
#[derive(Debug, Error)]
pub(crate) enum AuditCommandError {
    #[error("{options} requires exactly one log (inputs: {inputs}, logs: {count})")]
    NotOneLog { options: String, inputs: usize, count: usize },
    #[error("--follow requires --format human or ndjson")]
    FollowFormat,
    #[error("--baseline requires --format human or json")]
    BaselineFormat,
    #[error("the sidecar {} does not exist", display_safe(path.as_str()).quoted())]
    NoSidecar { path: Utf8PathBuf },
    #[error(transparent)]
    Inputs(#[from] InputsError),
    #[error(transparent)]
    Merge(#[from] MergeCommandError),
    #[error("--at: {problem}")]
    At { problem: AuditError },
    #[error(transparent)]
    Explain(#[from] ExplainFormatError),
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error("cannot write the report")]
    Write(#[from] io::Error),
}

impl AuditCommandError {
    /// Returns the remedy, or `None` if the message is enough.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotOneLog { .. } => "pass one log file, and audit other logs separately",
            Self::NoSidecar { .. } => "pass the path of a sidecar, or use --no-sidecar",
            Self::BaselineFormat => "leave out --baseline or --format",
            Self::FollowFormat => "leave out --follow or --format",
            Self::At { .. } => "pass a line of the log, or a time",
            Self::Explain(_) => "use --format human, or --format markdown for a term or for all",
            Self::Inputs(InputsError::StdinTwice { .. }) => "pass - only once",
            Self::Statement(error) => return error.help(),
            Self::Policy(error) => return error.help(),
            Self::Merge(MergeCommandError::Vsa) => "make the statement with an audit of the log",
            Self::Merge(MergeCommandError::Missing { .. }) => "audit the missing logs, then merge again",
            Self::Inputs(_) | Self::Merge(_) | Self::Write(_) => return None,
        })
    }
}

impl From<AuditError> for AuditCommandError {
    fn from(problem: AuditError) -> Self {
        Self::At { problem }
    }
}

/// Audits all inputs.
pub(crate) fn run_audit(cli: &Cli) -> Result<ReportView, AuditCommandError> {
    let statement = StatementInputs::from_cli(cli)?;
    let (inputs, duplicates) = select_inputs(cli)?;
    let filter = finding_filter(cli);
    let needs_copy = filter.is_some() || statement.is_some();
    let job = AuditJob { cli, options: audit_options(cli)?, needs_copy, statement: statement.as_ref() };
    let mut copies = HashMap::new();
    let mut logs = Vec::with_capacity(inputs.len());
    job.run(&inputs, |(log, copy)| {
        copies.extend(copy.map(|copy| (logs.len(), copy)));
        logs.push(log);
        Ok(())
    })?;
    let mut view = ReportView { duplicates, ..ReportView::new(Report::new(job.options, logs)) };
    if let (Some(statement), [log]) = (statement, &view.report.logs[..]) {
        view.statement = Some((statement, audited_digests(log, copies.get(&0))?));
    }
    if let Some(filter) = filter {
        let logs = detailed_logs(&view.report, cli);
        view.load_excerpts(filter, &logs, &copies);
    }
    Ok(view)
}

/// Audits all inputs, writes the report of each as one line of ndjson, and returns the exit status.
pub(crate) fn stream_audit(cli: &Cli, out: impl Write) -> Result<u8, AuditCommandError> {
    let (inputs, duplicates) = select_inputs(cli)?;
    let job = AuditJob { cli, options: audit_options(cli)?, needs_copy: false, statement: None };
    let mut writer = ndjson::NdjsonWriter::new(job.options.clone(), out);
    job.run(&inputs, |(mut log, _)| {
        log.acknowledge(&job.options);
        Ok(writer.write_log(&log)?)
    })?;
    Ok(writer.finish(&duplicates)?)
}

/// Returns the inputs, each once, and those that were given more than once.
///
/// # Errors
///
/// [`AuditCommandError::NotOneLog`], [`AuditCommandError::NoSidecar`] and [`AuditCommandError::Inputs`].
pub(crate) fn select_inputs(cli: &Cli) -> Result<(Vec<Input>, Vec<Duplicate>), AuditCommandError> {
    let mut inputs = collect_inputs(cli)?;
    let options = cli.single_log_options();
    let count = inputs.iter().filter(|input| matches!(input, Input::Log(_))).count();
    if !options.is_empty() && (count, inputs.len()) != (1, 1) {
        return Err(AuditCommandError::NotOneLog { options, inputs: inputs.len(), count });
    }
    // The list may name standard input, too.
    check_stdin(inputs.iter().map(Input::path).chain(cli.files_from.as_ref().map(|list| list.as_str())))?;
    if let Some(path) = cli.sidecar.as_ref().filter(|path| path.try_exists().is_ok_and(|exists| !exists)) {
        return Err(AuditCommandError::NoSidecar { path: path.clone() });
    }
    let duplicates = dedup(&mut inputs);
    Ok((inputs, duplicates))
}

/// The report of one input, and the copy of a stream that is needed again.
type AuditedLog = (LogReport, Option<File>);

/// Settings of the audits of all inputs.
struct AuditJob<'c> {
    cli: &'c Cli,
    options: AuditOptions,
    /// True if the bytes of a log may be needed again after its audit.
    needs_copy: bool,
    statement: Option<&'c StatementInputs>,
}

impl AuditJob<'_> {
    /// Audits the inputs and passes their reports to `take`, in order. Small logs of a batch are audited in parallel,
    /// then the others one by one, since each of them uses all processors.
    fn run(
        &self,
        inputs: &[Input],
        mut take: impl FnMut(AuditedLog) -> Result<(), AuditCommandError>,
    ) -> Result<(), AuditCommandError> {
        let progress = Progress::new(inputs.len(), self.cli);
        let audit = |input: &Input| self.audit(input).inspect(|_| progress.increment());
        if let [only] = inputs {
            return take(audit(only)?);
        }
        // The operating system may refuse threads.
        let threads = ThreadPoolBuilder::new().build().ok();
        for batch in inputs.chunks(BATCH) {
            // The others are not opened yet: a pipe loses its bytes when it is closed.
            let audit_small = |input: &Input| input.is_small_file().then(|| audit(input));
            let small: Vec<Option<Result<AuditedLog, AuditCommandError>>> = match &threads {
                Some(threads) => threads.install(|| batch.par_iter().map(audit_small).collect()),
                None => batch.iter().map(audit_small).collect(),
            };
            for (input, audited) in batch.iter().zip(small) {
                take(audited.unwrap_or_else(|| audit(input))?)?;
            }
        }
        Ok(())
    }

    fn audit(&self, input: &Input) -> Result<AuditedLog, AuditCommandError> {
        let path = match input {
            Input::Log(path) => path,
            Input::Unaudited(path, reason) => return Ok((LogReport::unaudited(path, reason.clone()), None)),
        };
        let is_read_twice = self.needs_copy || matches!(self.options.at, Some(AsOf::Timestamp(_)));
        let source = LogSource::open(path, is_read_twice);
        let by_default = path != "-" && !is_moved_aside(path) && !self.cli.no_sidecar && self.options.at.is_none();
        let sidecar = self.cli.sidecar.clone().or_else(|| by_default.then(|| path.with_file_name(SIDECAR_FILE_NAME)));
        // Reading the sidecar first keeps it from being ahead of the log if a writer changes both.
        let sidecar = sidecar.map_or(SidecarInput::NotRequested, |path| read_sidecar(&path));
        if let Some(statement) = self.statement {
            statement.record_sidecar(&sidecar);
        }
        match source.map_err(AuditError::from).and_then(|source| self.read(path, source, sidecar)) {
            Ok((audit, copy)) => Ok((LogReport::audited(path.as_str(), audit), copy)),
            Err(AuditError::Read { source }) => Ok((LogReport::unreadable(path.as_str(), source.to_string()), None)),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a log to its end, twice if `--at` is a timestamp. Also returns the copy of its bytes, if there is one.
    fn read(
        &self,
        path: &Utf8Path,
        mut source: LogSource,
        sidecar: SidecarInput,
    ) -> Result<(LogAudit, Option<File>), AuditError> {
        let read = || {
            let mut options = self.options.clone();
            if let Some(AsOf::Timestamp(until)) = &options.at {
                options.at = Some(AsOf::Line(resolve_as_of(&mut source, until)?));
                source = source.rewind()?;
            }
            let auditor = Auditor::new(options, sidecar)?;
            let mut auditor = if timeline(self.cli) { auditor.with_timeline() } else { auditor };
            auditor.feed_all(&mut source)?;
            Ok::<_, AuditError>((auditor, source))
        };
        // Standard input has no files beside it.
        let ((auditor, source), surroundings) =
            if path == "-" { (read()?, LogSurroundings::default()) } else { LogSurroundings::around(path, read)? };
        let mut audit = auditor.with_surroundings(surroundings).finish()?;
        audit.compression = source.compression;
        Ok((audit, source.into_copy()))
    }
}
