//! `shipper-release plan|rehearse|publish|status`: rehearses a workspace on another registry, or publishes it if the gate permits.
//!
//! ```sh
//! shipper-release rehearse --manifest-path Cargo.toml --rehearsal-registry rehearsal
//! shipper-release publish --manifest-path Cargo.toml --rehearsal-registry rehearsal
//! ```
//!
//! Registries are those of cargo's configuration. Exit status 0: success. 1: the rehearsal failed, the gate refused, or the
//! run failed; a log that can be trusted records the reason. 2: nothing was started, or a step could not be recorded.

mod progress;
mod status;

use std::error::Error;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use shipper_core::SkipRequest;
use shipper_core::release::cargo::{CargoPublisher, Workspace, WorkspaceOptions};
use shipper_core::release::{
    CancelToken, FailureClass, Limits, Plan, PlannedPackage, PublishError, PublishOptions, RehearseOptions, StoppedAt,
    error_chain, publish, rehearse,
};
use shipper_core::state_dir::{LOG_FILE_NAME, StateOptions, create_state_directory};
use shipper_events::write::{AccessRisk, FsStorage};
use shipper_events::{Head, display_safe};

use crate::progress::StderrProgress;
use crate::status::Status;

/// The end of the help of the program.
const EXIT_STATUSES: &str = "\
Exit status:
  0  The rehearsal passed, or the run succeeded. With status: a publish would begin, or nothing is left to publish.
  1  The rehearsal failed, the gate refused, or the run failed. The log has the reason, except for untrusted-log.
  2  Nothing was started, or a step could not be recorded.";

/// Rehearse and publish the packages of a workspace, and record every step in a log
#[derive(Parser)]
#[command(name = "shipper-release", version, after_help = EXIT_STATUSES)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Publish every package to the rehearsal registry, and check that the registry shows it
    Rehearse {
        #[command(flatten)]
        common: Common,
        /// Registry to rehearse on
        #[arg(long, value_name = "NAME")]
        rehearsal_registry: String,
        /// Install the program of this package from the rehearsal registry at the end
        #[arg(long, value_name = "PACKAGE")]
        smoke_install: Option<String>,
    },
    /// Publish every package to the live registry, if the gate permits it
    Publish {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        gate: GateArgs,
    },
    /// Print the plan ID, and the text whose BLAKE3 hash it is
    Plan {
        #[command(flatten)]
        common: Common,
    },
    /// Show which packages are published, what the gate would answer, and what to do next; records nothing
    Status {
        #[command(flatten)]
        common: Common,
        /// Registry on which the plan must have been rehearsed
        #[arg(long, value_name = "NAME")]
        rehearsal_registry: Option<String>,
    },
}

impl Action {
    fn common(&self) -> &Common {
        match self {
            Self::Rehearse { common, .. }
            | Self::Publish { common, .. }
            | Self::Plan { common }
            | Self::Status { common, .. } => common,
        }
    }
}

/// The format of the result on standard output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people
    Human,
    /// One JSON object
    Json,
}

/// Prints the result as lines, or as one JSON object.
fn print_as(format: Format, lines: &str, object: &Value) {
    match format {
        Format::Human => print_result(lines),
        Format::Json => print_result(&object.to_string()),
    }
}

/// The question to the gate.
#[derive(Args)]
struct GateArgs {
    /// Registry on which the plan must have been rehearsed; without it, the gate requires no rehearsal
    #[arg(long, value_name = "NAME")]
    rehearsal_registry: Option<String>,
    /// Require that the log begins with the bytes of a kept head, LINES:BYTES:BLAKE3
    #[arg(long, value_name = "HEAD")]
    extends: Option<Head>,
    /// Publish without a rehearsal; the log records the actor and the justification
    #[arg(long, requires_all = ["actor", "justification", "rehearsal_registry"])]
    skip_rehearsal: bool,
    /// Person or program that requests the skip
    #[arg(long, value_name = "NAME", requires = "skip_rehearsal")]
    actor: Option<String>,
    /// Reason for the skip
    #[arg(long, value_name = "TEXT", requires = "skip_rehearsal")]
    justification: Option<String>,
}

#[derive(Args)]
struct Common {
    /// Manifest of the workspace or of a member [default: Cargo.toml here or in the nearest directory above]
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
    /// Format of the result on standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Plan only this member; may be given several times
    #[arg(short, long = "package", value_name = "NAME")]
    packages: Vec<String>,
    /// Do not plan this member, whose version on the live registry is then used; may be given several times
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Registry that `publish` publishes to
    #[arg(long, value_name = "NAME", default_value = "crates-io")]
    live_registry: String,
    /// Directory of the log [default: .shipper in the workspace]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<Utf8PathBuf>,
    /// Write to a log that the shipper tool writes, although that tool can then no longer read it
    #[arg(long)]
    adopt: bool,
    /// Use a log that other users can change
    #[arg(long)]
    allow_foreign_owner: bool,
    /// Allow uncommitted files
    #[arg(long)]
    allow_dirty: bool,
    /// Time limit for one package, with its build and all attempts
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    time_limit: u64,
    /// Time limit for a registry to show a package
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    readiness_limit: u64,
    /// Print the output of cargo
    #[arg(short, long)]
    verbose: bool,
}

/// The state of a rehearsal or a publish.
struct Session {
    state_dir: Utf8PathBuf,
    state: StateOptions,
    plan: Plan,
    publisher: CargoPublisher,
    limits: Limits,
    progress: StderrProgress,
    cancel: CancelToken,
}

impl Common {
    /// Returns the options that the next command needs, too, as they are written on a command line.
    fn repeated_options(&self, rehearsal_registry: Option<&str>) -> String {
        let live = Some(self.live_registry.as_str()).filter(|name| *name != "crates-io");
        let given = [
            ("--live-registry", live),
            ("--rehearsal-registry", rehearsal_registry),
            ("--manifest-path", self.manifest_path.as_deref().map(Utf8Path::as_str)),
            ("--state-dir", self.state_dir.as_deref().map(Utf8Path::as_str)),
        ];
        let given = given.into_iter().filter_map(|(option, value)| Some((option, value?)));
        let packages = self.packages.iter().map(|name| ("--package", name.as_str()));
        let excluded = self.exclude.iter().map(|name| ("--exclude", name.as_str()));
        given
            .chain(packages)
            .chain(excluded)
            .map(|(option, value)| format!(" {option} {}", shell_word(value)))
            .collect()
    }

    fn read_workspace(&self, allow_dirty: bool) -> Result<(Workspace, CancelToken), Box<dyn Error>> {
        let cancel = CancelToken::default();
        let on_signal = cancel.clone();
        ctrlc::set_handler(move || on_signal.cancel())?;
        let options = WorkspaceOptions::new(&*self.live_registry).allow_dirty(allow_dirty);
        let options = options.packages(self.packages.clone()).exclude(self.exclude.clone());
        Ok((Workspace::read(&self.manifest()?, &options, &cancel, &mut self.progress())?, cancel))
    }

    fn progress(&self) -> StderrProgress {
        StderrProgress { terminal: stderr().is_terminal(), verbose: self.verbose }
    }

    /// Returns the named manifest, or the nearest one in the current directory and those above it.
    fn manifest(&self) -> Result<Utf8PathBuf, Box<dyn Error>> {
        if let Some(path) = &self.manifest_path {
            return Ok(path.clone());
        }
        let directory = Utf8PathBuf::try_from(std::env::current_dir()?)?;
        let found = directory.ancestors().map(|above| above.join("Cargo.toml")).find(|path| path.is_file());
        found.ok_or_else(|| format!("no Cargo.toml in {directory} or above; name it with --manifest-path").into())
    }

    fn state_dir(&self, workspace: &Workspace) -> Utf8PathBuf {
        self.state_dir.clone().unwrap_or_else(|| workspace.root().join(".shipper"))
    }

    fn start(&self) -> Result<Session, Box<dyn Error>> {
        let (workspace, cancel) = self.read_workspace(self.allow_dirty)?;
        let state_dir = self.state_dir(&workspace);
        create_state_directory(&state_dir)?;
        if let Some(PlannedPackage { name, .. }) = workspace.package_containing(&state_dir) {
            return Err(format!(
                "the log in {state_dir} would be packed into {name}; exclude it there, or use another --state-dir"
            )
            .into());
        }
        let limits = Limits {
            command_timeout: Duration::from_secs(self.time_limit),
            visibility_timeout: Duration::from_secs(self.readiness_limit),
            ..Limits::default()
        };
        let progress = self.progress();
        let plan = workspace.plan().clone();
        let publisher = CargoPublisher::new(workspace)?;
        let state = StateOptions::default().adopt_unchained(self.adopt).allow_foreign_owner(self.allow_foreign_owner);
        Ok(Session { state_dir, state, plan, publisher, limits, progress, cancel })
    }
}

/// Quotes a word for a shell, unless each of its characters has no meaning there.
fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", display_safe(word).max_chars(400).to_string().replace('\'', "'\\''"))
}

/// Runs the command. Returns `true` if the exit status is 0.
fn run(cli: Cli) -> Result<bool, Box<dyn Error>> {
    match cli.action {
        Action::Plan { common } => print_plan(&common),
        Action::Status { common, rehearsal_registry } => {
            let (workspace, cancel) = common.read_workspace(true)?;
            let log = common.state_dir(&workspace).join(LOG_FILE_NAME);
            let mut publisher = CargoPublisher::new(workspace)?;
            let options = common.repeated_options(rehearsal_registry.as_deref());
            let status = Status::read(&mut publisher, &log, rehearsal_registry.as_deref(), &cancel)?;
            let status = status.with_options(options, common.allow_dirty);
            print_as(common.format, &status.to_text(), &status.to_json());
            Ok(status.is_ready())
        }
        Action::Rehearse { common, rehearsal_registry, smoke_install } => {
            rehearse_workspace(&common, &rehearsal_registry, smoke_install)
        }
        Action::Publish { common, gate } => publish_workspace(&common, gate),
    }
}

fn print_plan(common: &Common) -> Result<bool, Box<dyn Error>> {
    // Nothing is published.
    let (workspace, _) = common.read_workspace(true)?;
    let plan = workspace.plan();
    let (id, form) = (plan.plan_id(), plan.canonical_form());
    let packages = plan.packages().iter();
    let packages = packages.map(|one| json!({ "package": one.id(), "content": one.content().to_string() }));
    let packages: Vec<Value> = packages.collect();
    let object = json!({ "plan_id": id.to_string(), "packages": packages, "canonical_form": form });
    print_as(common.format, &format!("{id}\n{}", form.trim_end()), &object);
    Ok(true)
}

fn rehearse_workspace(
    common: &Common,
    rehearsal_registry: &str,
    smoke_install: Option<String>,
) -> Result<bool, Box<dyn Error>> {
    let Session { state_dir, state, plan, mut publisher, limits, mut progress, cancel } = common.start()?;
    let mut options = RehearseOptions::new(publisher.workspace().registry(rehearsal_registry)?);
    options.smoke_install = smoke_install;
    options.limits = limits;
    options.state = state;
    let done = rehearse(FsStorage, &state_dir, &plan, &options, &mut publisher, &cancel, &mut progress)?;
    let (summary, passed) = (&done.receipt.summary, done.receipt.is_valid_evidence());
    let (id, head) = (plan.plan_id().to_string(), done.head.to_string());
    let object = json!({ "plan_id": id, "passed": passed, "summary": summary, "head": head });
    print_as(common.format, &format!("plan {id}\n{summary}\nhead {head}"), &object);
    print_access(&done.warnings);
    if let Some(error) = &done.sidecar {
        print_note(&format!("warning: {error}: {}", error.source));
    }
    Ok(passed)
}

fn publish_workspace(common: &Common, gate: GateArgs) -> Result<bool, Box<dyn Error>> {
    let GateArgs { rehearsal_registry, extends, skip_rehearsal, actor, justification } = gate;
    let Session { state_dir, state, plan, mut publisher, limits, mut progress, cancel } = common.start()?;
    let mut options = PublishOptions::default();
    options.rehearsal = rehearsal_registry.map(|name| publisher.workspace().registry(&name)).transpose()?;
    options.skip = skip_rehearsal.then_some(SkipRequest::new(actor, justification));
    options.expected_head = extends;
    options.limits = limits;
    options.state = state.repair_torn_tail(true);
    let id = plan.plan_id().to_string();
    match publish(FsStorage, &state_dir, &plan, &options, &mut publisher, &cancel, &mut progress) {
        Ok(outcome) => {
            let (head, failure) = (outcome.head.to_string(), outcome.failure.as_ref());
            let failed = failure.map(|one| json!({ "package": one.package, "message": one.failure.message }));
            let object = json!({ "plan_id": id, "head": head, "refused": Value::Null, "failure": failed });
            print_as(common.format, &format!("plan {id}\nhead {head}"), &object);
            if let Some(StoppedAt { package, failure, .. }) = failure {
                let help = match failure.class {
                    FailureClass::Permanent => "mend this, then publish again; a changed package needs a new rehearsal",
                    _ => "publish again to continue",
                };
                print_note(&format!("error: {package}: {failure}\nhelp: {help}"));
            }
            Ok(failure.is_none())
        }
        Err(PublishError::Refused(gate)) => {
            print_access(gate.warnings());
            let reasons: Vec<String> = gate.verdict().reason_codes().iter().map(ToString::to_string).collect();
            // Of a log that cannot be trusted, there is no head.
            let head = gate.head().map(|head| head.to_string());
            let lines = head.as_ref().map_or(format!("plan {id}"), |head| format!("plan {id}\nhead {head}"));
            let object = json!({ "plan_id": id, "head": head, "refused": reasons, "failure": Value::Null });
            print_as(common.format, &lines, &object);
            print_note(&format!("error: {}", PublishError::Refused(gate)));
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints the result. If that fails, the log and the exit status still report it.
fn print_result(result: &str) {
    if let Err(error) = writeln!(stdout(), "{result}") {
        print_note(&format!("warning: cannot print the result, which is in the log: {error}"));
    }
}

/// Prints a warning for each way in which other users can change the log.
fn print_access(risks: &[AccessRisk]) {
    for risk in risks {
        print_note(&format!("warning: {risk}"));
    }
}

/// Prints an error or a warning. The exit status reports it also if standard error is closed.
fn print_note(note: &str) {
    let _ = writeln!(stderr(), "{note}");
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.action.common().format;
    match run(cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let error = error_chain(&*error);
            if format == Format::Json {
                print_result(&json!({ "error": error }).to_string());
            }
            print_note(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}
