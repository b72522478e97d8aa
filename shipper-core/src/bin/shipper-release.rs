//! `shipper-release plan|rehearse|publish`: rehearses a workspace on another registry, or publishes it if the gate permits.
//!
//! ```sh
//! shipper-release rehearse --manifest-path Cargo.toml --rehearsal-registry rehearsal
//! shipper-release publish --manifest-path Cargo.toml --rehearsal-registry rehearsal
//! ```
//!
//! Registries are those of cargo's configuration. Exit status 0: success. 1: the rehearsal failed, the gate refused, or the
//! run failed; a log that can be trusted records the reason. 2: nothing was started, or a step could not be recorded.

use std::error::Error;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use shipper_core::gate::SidecarUpdate;
use shipper_core::release::cargo::{CargoPublisher, Workspace};
use shipper_core::release::{
    CancelToken, Failure, Limits, Plan, PlannedPackage, Progress, PublishError, PublishOptions, RehearseOptions, Step,
    StoppedAt, publish, rehearse,
};
use shipper_core::state_dir::{StateOptions, create_state_directory};
use shipper_core::{GateAnswer, SkipRequest, VerdictKind};
use shipper_events::Head;
use shipper_events::write::{AccessRisk, FsStorage};

/// Rehearse and publish the packages of a workspace, and record every step in a log
#[derive(Parser)]
#[command(name = "shipper-release")]
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
    },
    /// Print the plan ID, and the text whose BLAKE3 hash it is
    Plan {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// Manifest of the workspace or of a member
    #[arg(long, value_name = "PATH", default_value = "Cargo.toml")]
    manifest_path: Utf8PathBuf,
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
    fn read_workspace(&self) -> Result<(Workspace, CancelToken), Box<dyn Error>> {
        let cancel = CancelToken::default();
        let on_signal = cancel.clone();
        ctrlc::set_handler(move || on_signal.cancel())?;
        Ok((Workspace::read(&self.manifest_path, &self.live_registry, &cancel)?, cancel))
    }

    fn start(&self) -> Result<Session, Box<dyn Error>> {
        let (workspace, cancel) = self.read_workspace()?;
        let state_dir = self.state_dir.clone().unwrap_or_else(|| workspace.root().join(".shipper"));
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
        let progress = StderrProgress { terminal: stderr().is_terminal(), verbose: self.verbose };
        let plan = workspace.plan().clone();
        let publisher = CargoPublisher::new(workspace, self.allow_dirty)?;
        let state = StateOptions::default().adopt_unchained(self.adopt).allow_foreign_owner(self.allow_foreign_owner);
        Ok(Session { state_dir, state, plan, publisher, limits, progress, cancel })
    }
}

/// Runs the command. Returns `true` if the exit status is 0.
fn run(cli: Cli) -> Result<bool, Box<dyn Error>> {
    match cli.action {
        Action::Plan { common } => {
            let (workspace, _) = common.read_workspace()?;
            let plan = workspace.plan();
            writeln!(stdout(), "{}\n{}", plan.plan_id(), plan.canonical_form().trim_end())?;
            Ok(true)
        }
        Action::Rehearse { common, rehearsal_registry, smoke_install } => {
            let Session { state_dir, state, plan, mut publisher, limits, mut progress, cancel } = common.start()?;
            let mut options = RehearseOptions::new(publisher.workspace().registry(&rehearsal_registry)?);
            options.smoke_install = smoke_install;
            options.limits = limits;
            options.state = state;
            let done = rehearse(FsStorage, &state_dir, &plan, &options, &mut publisher, &cancel, &mut progress)?;
            let (summary, passed) = (&done.receipt.summary, done.receipt.is_valid_evidence());
            print_result(&format!("plan {}\n{summary}\nhead {}", plan.plan_id(), done.head));
            print_access(&done.warnings);
            if let Some(error) = &done.sidecar {
                print_note(&format!("warning: {error}: {}", error.source));
            }
            if !passed {
                print_note(&format!("error: {summary}"));
            }
            Ok(passed)
        }
        Action::Publish { common, rehearsal_registry, extends, actor, justification, skip_rehearsal } => {
            let Session { state_dir, state, plan, mut publisher, limits, mut progress, cancel } = common.start()?;
            let mut options = PublishOptions::default();
            options.rehearsal = rehearsal_registry.map(|name| publisher.workspace().registry(&name)).transpose()?;
            options.skip = skip_rehearsal.then_some(SkipRequest::new(actor, justification));
            options.expected_head = extends;
            options.limits = limits;
            options.state = state;
            match publish(FsStorage, &state_dir, &plan, &options, &mut publisher, &cancel, &mut progress) {
                Ok(outcome) => {
                    print_result(&format!("plan {}\nhead {}", plan.plan_id(), outcome.head));
                    if let Some(StoppedAt { package, failure, .. }) = &outcome.failure {
                        print_note(&format!("error: {package}: {failure}\nhelp: publish again to continue"));
                    }
                    Ok(outcome.failure.is_none())
                }
                Err(PublishError::Refused(gate)) => {
                    print_access(gate.warnings());
                    let refused = PublishError::Refused(gate);
                    print_note(&format!("error: {refused}"));
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        }
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

/// Prints the steps to standard error. On a terminal, the current step has one line, which its end replaces.
struct StderrProgress {
    terminal: bool,
    verbose: bool,
}

impl StderrProgress {
    fn print(&self, line: &str) {
        self.write(line, "\n");
    }

    fn write(&self, line: &str, end: &str) {
        let (begin, end) = if self.terminal { ("\r\u{1b}[K", end) } else { ("", "\n") };
        // The release continues if its progress cannot be printed.
        let _ = write!(stderr(), "{begin}{line}{end}");
    }
}

fn step_text(step: Step) -> &'static str {
    match step {
        Step::Publish => "publishing",
        Step::WaitUntilVisible => "waiting for",
        Step::Install => "installing",
        Step::Skip => "already published:",
        Step::VerifyBuild => "already published, building",
        _ => "working on",
    }
}

impl Progress for StderrProgress {
    fn gate_passed(&mut self, gate: &GateAnswer) {
        for risk in gate.warnings() {
            self.print(&format!("warning: {risk}"));
        }
        match gate.verdict().code() {
            VerdictKind::Bypassed => {
                self.print("WARNING: the gate was bypassed; no rehearsal backs this plan");
            }
            VerdictKind::Dormant => {
                self.print("warning: the gate is dormant without --rehearsal-registry; no rehearsal backs this plan");
            }
            _ => {}
        }
        match gate {
            GateAnswer::Recorded { sidecar: SidecarUpdate::Rewritten, .. } => {
                self.print("note: rehearsal.json was missing or did not match the log, and was rewritten");
            }
            GateAnswer::Recorded { sidecar: SidecarUpdate::WriteFailed(error), .. } => {
                self.print(&format!("warning: {error}: {}", error.source));
            }
            GateAnswer::Recorded { sidecar: SidecarUpdate::Orphan, .. } => {
                self.print("warning: rehearsal.json exists, but the log has no completed rehearsal");
            }
            _ => {}
        }
    }

    fn step_started(&mut self, step: Step, package: &PlannedPackage) {
        self.write(&format!("{} {}", step_text(step), package.id()), if step == Step::Skip { "\n" } else { "" });
    }

    fn step_finished(&mut self, step: Step, package: &PlannedPackage, took: Duration, failure: Option<&Failure>) {
        let (step, id, took) = (step_text(step), package.id(), took.as_secs_f32());
        self.print(&match failure {
            None => format!("{step} {id}: done in {took:.1} s"),
            Some(failure) => format!("{step} {id}: failed after {took:.1} s: {failure}"),
        });
    }

    fn warning(&mut self, warning: &str) {
        self.print(&format!("warning: {warning}"));
    }

    fn output_line(&mut self, line: &str) {
        if self.verbose {
            self.print(&format!("  {}", shipper_events::display_safe(line).max_chars(400)));
        }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let causes = std::iter::successors(error.source(), |&cause| cause.source());
            let message = causes.fold(error.to_string(), |message, cause| format!("{message}: {cause}"));
            print_note(&format!("error: {message}"));
            ExitCode::from(2)
        }
    }
}
