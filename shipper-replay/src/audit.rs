//! The audit of all inputs: from the command line to a [`ReportView`], or to a stream of ndjson.

use std::collections::HashMap;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use fs_err::File;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use shipper_core::audit::{
    AsOf, AuditError, AuditOptions, Auditor, Duplicate, LogAudit, LogReport, Report, SidecarInput, resolve_as_of,
};
use shipper_events::display_safe;
use thiserror::Error;

use crate::cli::Cli;
use crate::explain::ExplainFormatError;
use crate::file_list::{FileListError, collect_inputs, dedup};
use crate::formats::{detailed_logs, finding_filter, ndjson, timeline};
use crate::inputs::{Input, read_sidecar, sidecar_path};
use crate::log_source::LogSource;
use crate::merge::MergeCommandError;
use crate::progress::Progress;
use crate::statement::{StatementBuilder, StatementError};
use crate::view::ReportView;

/// Most inputs that are audited before their reports are passed on.
const BATCH: usize = 1024;

/// The command has no report.
#[derive(Debug, Error)]
pub(crate) enum AuditCommandError {
    /// Options for exactly one log, with another number of logs.
    #[error("{options} wants exactly one log, and what was given holds {count}; name the one that you mean")]
    NotOneLog { options: String, count: usize },
    /// The file of `--sidecar` does not exist.
    #[error("the sidecar {} does not exist; name one that does, or use --no-sidecar", display_safe(path.as_str()).quoted())]
    NoSidecar { path: Utf8PathBuf },
    /// The list of `--files-from` cannot be read.
    #[error(transparent)]
    FileList(#[from] FileListError),
    /// The reports cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeCommandError),
    /// Standard input is given more than once.
    #[error("standard input (-) was given {count} times; name it once")]
    StdinTwice { count: usize },
    /// The log has no line as `--at` names it.
    #[error("--at: {problem}; name a line up to that")]
    At { problem: AuditError },
    /// `--follow` with an option that needs the log twice.
    #[error("--follow reads a log to its end; leave out what names another place")]
    NotFollowed,
    /// `--explain` has no output in the requested format.
    #[error(transparent)]
    Explain(#[from] ExplainFormatError),
    /// The statement cannot be made.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The output cannot be written.
    #[error("the report could not be written")]
    Write { source: io::Error },
}

impl From<AuditError> for AuditCommandError {
    fn from(problem: AuditError) -> Self {
        Self::At { problem }
    }
}

impl AuditCommandError {
    pub(crate) fn write(source: io::Error) -> Self {
        Self::Write { source }
    }
}

/// Audits all inputs.
pub(crate) fn run_audit(cli: &Cli) -> Result<ReportView, AuditCommandError> {
    let statement = StatementBuilder::from_cli(cli)?;
    let (inputs, duplicates) = select_inputs(cli)?;
    let filter = finding_filter(cli);
    let needs_copy = filter.is_some() || statement.is_some();
    let job = AuditJob::new(cli, needs_copy, statement.as_ref());
    let mut copies = HashMap::new();
    let mut logs = Vec::with_capacity(inputs.len());
    job.run(&inputs, |(log, copy)| {
        copies.extend(copy.map(|copy| (logs.len(), copy)));
        logs.push(log);
        Ok(())
    })?;
    let mut view = ReportView::new(Report::new(job.options, logs));
    view.duplicates = duplicates;
    view.statement = statement.map(|statement| statement.finish(&view.report, copies.remove(&0))).transpose()?;
    if let Some(filter) = filter {
        let logs = detailed_logs(&view.report, cli);
        view.load_excerpts(filter, &logs, copies);
    }
    Ok(view)
}

/// Audits all inputs, writes the report of each as one line of ndjson, and returns the exit status.
pub(crate) fn stream_audit(cli: &Cli, out: impl Write) -> Result<u8, AuditCommandError> {
    let (inputs, duplicates) = select_inputs(cli)?;
    let job = AuditJob::new(cli, false, None);
    let mut writer = ndjson::NdjsonWriter::new(job.options.clone(), out);
    job.run(&inputs, |(log, _)| writer.write_log(&log).map_err(AuditCommandError::write))?;
    for duplicate in duplicates {
        writer.add_duplicate(&duplicate.path, duplicate.repeats);
    }
    writer.finish().map_err(AuditCommandError::write)
}

/// Returns the inputs, each once, and those that were given more than once.
///
/// # Errors
///
/// The inputs contradict the options, or the list cannot be read.
pub(crate) fn select_inputs(cli: &Cli) -> Result<(Vec<Input>, Vec<Duplicate>), AuditCommandError> {
    let list_is_stdin = cli.files_from.as_ref().is_some_and(|list| list == "-");
    let check_stdin = |logs: usize| match logs + usize::from(list_is_stdin) {
        0 | 1 => Ok(()),
        count => Err(AuditCommandError::StdinTwice { count }),
    };
    // The list is not read from standard input where a log is, too: that would block.
    check_stdin(cli.logs.iter().filter(|path| *path == "-").count())?;
    let inputs = collect_inputs(cli)?;
    let options = cli.single_log_options();
    let count = inputs.iter().filter(|input| matches!(input, Input::Log(_) | Input::Stdin)).count();
    if !options.is_empty() && (count, inputs.len()) != (1, 1) {
        return Err(AuditCommandError::NotOneLog { options: options.join(", "), count });
    }
    check_stdin(inputs.iter().filter(|input| **input == Input::Stdin).count())?;
    if let Some(path) = cli.sidecar.as_ref().filter(|path| path.try_exists().is_ok_and(|exists| !exists)) {
        return Err(AuditCommandError::NoSidecar { path: path.clone() });
    }
    Ok(dedup(inputs))
}

/// The report of one input, and the copy of a stream that is needed again.
type AuditedLog = (LogReport, Option<File>);

/// Settings of the audits of all inputs.
struct AuditJob<'c> {
    cli: &'c Cli,
    options: AuditOptions,
    /// True if the bytes of a log may be needed again after its audit.
    needs_copy: bool,
    statement: Option<&'c StatementBuilder>,
}

impl<'c> AuditJob<'c> {
    fn new(cli: &'c Cli, needs_copy: bool, statement: Option<&'c StatementBuilder>) -> Self {
        Self { cli, options: cli.audit_options(), needs_copy, statement }
    }

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
            // The others are not opened yet: a pipe that is opened and closed again loses its bytes.
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
        let unreadable = |path: &str, error: String| Ok((LogReport::unreadable(path, error), None));
        let (source, default_sidecar) = match input {
            Input::EmptyDirectory(path) => return Ok((LogReport::no_logs(path.clone()), None)),
            Input::Unreadable { path, error } => return unreadable(path, error.clone()),
            Input::Stdin => (Ok(LogSource::stdin()), None),
            Input::Log(path) => {
                let by_default = !self.cli.no_sidecar && self.options.at.is_none();
                (LogSource::open(path), by_default.then(|| sidecar_path(path)))
            }
        };
        let sidecar = self.cli.sidecar.clone().or(default_sidecar);
        // The sidecar is read before the log: if both are written meanwhile, the sidecar is not ahead of the log.
        let sidecar = sidecar.map_or(SidecarInput::NotRequested, |path| read_sidecar(&path));
        if let Some(statement) = self.statement {
            statement.record_sidecar(&sidecar);
        }
        match source.map_err(AuditError::from).and_then(|source| self.read(source, sidecar)) {
            Ok((audit, copy)) => Ok((LogReport::audited(input.path(), audit), copy)),
            Err(AuditError::Read { source }) => unreadable(input.path(), source.to_string()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a log to its end, twice if `--at` is a timestamp. Also returns the copy of its bytes, if one was needed.
    fn read(&self, source: LogSource, sidecar: SidecarInput) -> Result<(LogAudit, Option<File>), AuditError> {
        let mut source = if self.needs_copy { source.with_copy() } else { source };
        let mut options = self.options.clone();
        if let Some(AsOf::Timestamp(until)) = &options.at {
            source = source.with_copy();
            options.at = Some(AsOf::Line(resolve_as_of(&mut source, until)?));
            source = source.rewind()?;
        }
        let auditor = Auditor::new(options, sidecar)?;
        let auditor = if timeline(self.cli) { auditor.with_timeline() } else { auditor };
        let audit = auditor.read_to_end(&mut source)?;
        Ok((audit, source.into_copy().filter(|_| self.needs_copy)))
    }
}
