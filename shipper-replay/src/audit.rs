//! The audit of all inputs, from the command line to a [`ReportView`] or a stream of ndjson.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use shipper_core::audit::{
    AsOf, AuditError, AuditOptions, Auditor, ComparedFiles, Duplicate, LogAudit, LogReport, LogSurroundings,
    PacketInput, Report, SidecarInput, resolve_as_of,
};
use shipper_core::packet::PacketKind;
use shipper_core::state_dir::SIDECAR_FILE_NAME;
use shipper_events::display_safe;
use thiserror::Error;

use crate::bundle::{self, Bundle, BundleOut, BundleWriteError};
use crate::cli::Cli;
use crate::explain::ExplainFormatError;
use crate::formats::{detailed_logs, finding_filter, ndjson, timeline};
use crate::index_files::{IndexFiles, IndexFilesError, Keep};
use crate::inputs::{Input, InputsError, check_stdin, collect_inputs, dedup, is_moved_aside, read_sidecar};
use crate::log_source::LogSource;
use crate::merge::MergeCommandError;
use crate::policy_file::{PolicyFileError, with_policy_file};
use crate::progress::Progress;
use crate::signed_head::{self, SignedHead, SignedHeadError};
use crate::statement::{StatementError, StatementInputs, audited_digests};
use crate::view::ReportView;

/// Number of inputs that are audited before their reports are passed on.
const BATCH: usize = 1024;

/// Most inputs of a call whose bundles keep an open copy of their log, for excerpts: a process has a limit of open files.
const MAX_COPIES: usize = 256;

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
    #[error("the packet {} is not a directory", display_safe(path.as_str()).quoted())]
    NoPacket { path: Utf8PathBuf },
    #[error(transparent)]
    Index(#[from] IndexFilesError),
    #[error(transparent)]
    Inputs(#[from] InputsError),
    #[error(transparent)]
    Merge(#[from] MergeCommandError),
    #[error("--accept cannot be used with --require authorized")]
    AcceptWithVerdict,
    #[error("--at cannot be used with --require sealed")]
    SealedPart,
    #[error("--compare requires exactly two logs, not {count}")]
    NotTwoLogs { count: usize },
    #[error("--compare requires --format human or json")]
    CompareFormat,
    #[error("cannot read {}", display_safe(path).quoted())]
    UnreadableLog { path: String, source: io::Error },
    #[error(transparent)]
    SignedHead(#[from] SignedHeadError),
    #[error("--at: {problem}")]
    At { problem: AuditError },
    #[error(transparent)]
    Explain(#[from] ExplainFormatError),
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error(transparent)]
    Bundle(#[from] BundleWriteError),
    #[error("--follow cannot read a bundle")]
    FollowBundle,
    #[error("cannot write the report")]
    Write(#[from] io::Error),
}

impl AuditCommandError {
    /// Returns the remedy, or `None` if the message is enough.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotOneLog { .. } => "pass one log file, and audit other logs separately",
            Self::NoSidecar { .. } => "pass the path of a sidecar, or use --no-sidecar",
            Self::NoPacket { .. } => "pass the directory of state.json and receipt.json, or use --no-packet",
            Self::BaselineFormat => "leave out --baseline or --format",
            Self::FollowFormat => "leave out --follow or --format",
            Self::At { .. } => "pass a line of the log, or a time",
            Self::Explain(_) => "use --format human, or --format markdown for a term or for all",
            Self::Index(_) => "pass files of a sparse index as downloaded, or a directory of them",
            Self::Inputs(InputsError::StdinTwice { .. }) => "pass - only once",
            Self::AcceptWithVerdict => "leave out --accept: the verdict of the gate alone decides",
            Self::NotTwoLogs { .. } => "pass the paths of two log files",
            Self::CompareFormat => "leave out --format, or use --format json",
            Self::SealedPart => "leave out --at: a seal covers the whole log",
            Self::Statement(error) => return error.help(),
            Self::Bundle(error) => return error.help(),
            Self::FollowBundle => "leave out --follow: the log in a bundle does not grow",
            Self::SignedHead(error) => return error.help(),
            Self::Policy(error) => return error.help(),
            Self::Merge(MergeCommandError::Vsa) => "make the statement with an audit of the log",
            Self::Merge(MergeCommandError::Missing { .. }) => "audit the missing logs, then merge again",
            Self::Inputs(_) | Self::Merge(_) | Self::UnreadableLog { .. } | Self::Write(_) => return None,
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
    let (options, signed) = audit_options(cli)?;
    let bundle = BundleOut::from_cli(cli)?.map(|bundle| bundle.with_signed_head(signed.as_ref()));
    let statement = statement.map(|statement| statement.with_signed_head(signed));
    let filter = finding_filter(cli);
    let needs_copy = filter.is_some() || statement.is_some();
    let keep = match (&bundle, &statement) {
        (Some(_), _) => Keep::Contents,
        (None, Some(_)) => Keep::Digests,
        (None, None) => Keep::Nothing,
    };
    let index = IndexFiles::read(&cli.index.paths, keep)?;
    let (statement_ref, bundle_ref) = (statement.as_ref(), bundle.as_ref());
    let keeps_copies = inputs.len() <= MAX_COPIES;
    let job =
        AuditJob { cli, options, needs_copy, keeps_copies, statement: statement_ref, bundle: bundle_ref, keep, index };
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
    if let (Some(bundle), Some(log)) = (&bundle, copies.get(&0)) {
        bundle.write(&view, log)?;
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
    let (options, _) = audit_options(cli)?;
    let index = IndexFiles::read(&cli.index.paths, Keep::Nothing)?;
    let (needs_copy, keeps_copies, keep) = (false, false, Keep::Nothing);
    let job = AuditJob { cli, options, needs_copy, keeps_copies, statement: None, bundle: None, keep, index };
    let mut writer = ndjson::NdjsonWriter::new(job.options.clone(), out);
    job.run(&inputs, |(mut log, _)| {
        log.acknowledge(&job.options);
        Ok(writer.write_log(&log)?)
    })?;
    Ok(writer.finish(&duplicates)?)
}

/// Returns the options of the audit, and the signed head that is a part of them.
///
/// # Errors
///
/// [`AuditCommandError::Policy`], [`AuditCommandError::AcceptWithVerdict`], [`AuditCommandError::SealedPart`] and
/// [`AuditCommandError::SignedHead`].
pub(crate) fn audit_options(cli: &Cli) -> Result<(AuditOptions, Option<SignedHead>), AuditCommandError> {
    let mut options = with_policy_file(cli.audit_options(), cli)?;
    if options.require.is_some() && !options.accept.is_empty() {
        return Err(AuditCommandError::AcceptWithVerdict);
    }
    if options.require_sealed && options.at.is_some() {
        return Err(AuditCommandError::SealedPart);
    }
    let signed = signed_head::read(&cli.heads)?;
    if let Some(SignedHead { head, signer, .. }) = &signed {
        (options.extends, options.head_signer) = (Some(*head), Some(signer.clone()));
    }
    Ok((options, signed))
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
    // Another error than a missing directory is in the report, as for a sidecar.
    let is_dir = |path: &&Utf8PathBuf| path.metadata().map_or_else(|error| !is_missing(&error), |found| found.is_dir());
    if let Some(path) = cli.packet.packet.as_ref().filter(|path| !is_dir(path)) {
        return Err(AuditCommandError::NoPacket { path: path.clone() });
    }
    let duplicates = dedup(&mut inputs);
    Ok((inputs, duplicates))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The report of one input, and the copy of a stream that is needed again.
type AuditedLog = (LogReport, Option<File>);

/// Settings of the audits of all inputs.
struct AuditJob<'c> {
    cli: &'c Cli,
    options: AuditOptions,
    /// True if the bytes of a log may be needed again after its audit.
    needs_copy: bool,
    /// True if the copy of the log in a bundle is kept after its audit.
    keeps_copies: bool,
    statement: Option<&'c StatementInputs>,
    /// The bundle that is written after the audit.
    bundle: Option<&'c BundleOut<'c>>,
    /// The part of an index's files that is kept.
    keep: Keep,
    index: Option<IndexFiles>,
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
        let unreadable = |cause: String| Ok((LogReport::unreadable(path.as_str(), cause), None));
        let opened = bundle::open(path).and_then(|found| {
            let index =
                found.as_ref().filter(|_| self.index.is_none()).map(|found| found.index(self.keep)).transpose()?;
            Ok((found, index.flatten()))
        });
        let (found, bundled_index) = match opened {
            Ok(opened) => opened,
            Err(error) => return unreadable(error.to_string()),
        };
        let is_read_twice = self.needs_copy || matches!(self.options.at, Some(AsOf::Timestamp(_)));
        let source = match &found {
            Some(found) => found.log_source(),
            None if self.bundle.is_some() => LogSource::snapshot(path),
            None => LogSource::open(path, is_read_twice),
        };
        let index = self.index.as_ref().or(bundled_index.as_ref());
        let files = self.read_files(path, found.as_ref(), index);
        if let Some(statement) = self.statement {
            statement.record_files(&files, index.map_or(&[], |index| &index.digests));
        }
        if let Some(bundle) = self.bundle {
            bundle.record(&files, index);
        }
        match source.map_err(AuditError::from).and_then(|source| self.read(path, source, files, found.as_ref())) {
            Ok((audit, copy)) => {
                let copy = copy.filter(|_| found.is_none() || self.keeps_copies);
                Ok((LogReport::audited(path.as_str(), audit), copy))
            }
            Err(AuditError::Read { source }) => unreadable(source.to_string()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the files that the audit compares with a log. Reading them before the log keeps them from being ahead of it
    /// if a writer changes both; writers change the log first, then the state, then the receipt. The files in a bundle are
    /// those beside its log.
    fn read_files(&self, log: &Utf8Path, bundle: Option<&Bundle>, index: Option<&IndexFiles>) -> ComparedFiles {
        let by_default = log != "-" && !is_moved_aside(log) && self.options.at.is_none();
        let read =
            |given: Option<Utf8PathBuf>, is_excluded: bool, name: &str, bundled: &dyn Fn(&Bundle) -> SidecarInput| {
                match (given, bundle) {
                    (Some(path), _) => read_sidecar(&path),
                    (None, _) if is_excluded || !by_default => SidecarInput::NotRequested,
                    (None, Some(bundle)) => bundled(bundle),
                    (None, None) => read_sidecar(&log.with_file_name(name)),
                }
            };
        let read_packet = |kind: PacketKind| {
            let given = self.cli.packet.packet.as_ref().map(|dir| dir.join(kind.file_name()));
            read(given, self.cli.packet.no_packet, kind.file_name(), &|bundle| bundle.packet(kind))
        };
        let receipt = read_packet(PacketKind::Receipt);
        let packet = PacketInput { state: read_packet(PacketKind::State), receipt };
        let sidecar = read(self.cli.sidecar.clone(), self.cli.no_sidecar, SIDECAR_FILE_NAME, &Bundle::sidecar);
        ComparedFiles { sidecar, packet, index: index.map(|files| Arc::clone(&files.index)) }
    }

    /// Reads a log to its end, twice if `--at` is a timestamp. Also returns the copy of its bytes, if there is one.
    fn read(
        &self,
        path: &Utf8Path,
        mut source: LogSource,
        files: ComparedFiles,
        bundle: Option<&Bundle>,
    ) -> Result<(LogAudit, Option<File>), AuditError> {
        let read = || {
            let mut options = self.options.clone();
            if let Some(AsOf::Timestamp(until)) = &options.at {
                options.at = Some(AsOf::Line(resolve_as_of(&mut source, until)?));
                source = source.rewind()?;
            }
            let auditor = Auditor::new(options, files)?;
            let mut auditor = if timeline(self.cli) { auditor.with_timeline() } else { auditor };
            auditor.feed_all(&mut source)?;
            Ok::<_, AuditError>((auditor, source))
        };
        let ((auditor, source), surroundings) = match bundle {
            Some(bundle) => (read()?, bundle.surroundings()),
            // Standard input has no files beside it.
            None if path == "-" => (read()?, LogSurroundings::default()),
            None => LogSurroundings::around(path, read)?,
        };
        let mut audit = auditor.with_surroundings(surroundings).finish()?;
        audit.compression = source.compression;
        audit.bundle = bundle.map(Bundle::report);
        Ok((audit, source.into_copy()))
    }
}
