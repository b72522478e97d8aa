//! `shipper-release plan|rehearse|publish`: rehearses a workspace on another registry, or publishes it if the gate permits.
//!
//! ```sh
//! shipper-release rehearse --manifest-path Cargo.toml --rehearsal-registry rehearsal
//! shipper-release publish --manifest-path Cargo.toml --rehearsal-registry rehearsal
//! ```
//!
//! Registries are those of cargo's configuration. Exit status 0 when it went well; 1 when the rehearsal failed, the gate
//! refused, or the run did not finish well, all of which is in the log; 2 when nothing was begun, or could not be recorded.

use std::error::Error;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use shipper_core::release::cargo::{Cargo, Workspace};
use shipper_core::release::{
    Failed, Failure, Limits, PlannedPackage, Progress, PublishError, PublishOptions, RehearseOptions, Step, Stop,
    publish, rehearse,
};
use shipper_core::{Enforced, SidecarUpdate, SkipRequest, VerdictKind, create_state_directory};
use shipper_events::Head;
use shipper_events::write::{FsStorage, LockOptions};

/// Rehearses and publishes a workspace, with every step in a log that can be audited.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Publish every package to the rehearsal registry, and see that it is there
    Rehearse {
        #[command(flatten)]
        common: Common,
        /// The registry to rehearse on
        #[arg(long, value_name = "NAME")]
        rehearsal_registry: String,
        /// Install this package's program from the rehearsal registry at the end
        #[arg(long, value_name = "PACKAGE")]
        smoke_install: Option<String>,
    },
    /// Publish every package for real, if the gate lets this plan go
    Publish {
        #[command(flatten)]
        common: Common,
        /// The registry that the plan must have been rehearsed on; without it the gate is dormant, and the log says so
        #[arg(long, value_name = "NAME")]
        rehearsal_registry: Option<String>,
        /// Publish only if the log begins with the bytes of this head, kept elsewhere: LINES:BYTES:BLAKE3
        #[arg(long, value_name = "HEAD")]
        extends: Option<Head>,
        /// Skip the gate; who and why is recorded
        #[arg(long, requires_all = ["actor", "justification", "rehearsal_registry"])]
        skip_rehearsal: bool,
        /// Who skips the gate
        #[arg(long, value_name = "WHO", requires = "skip_rehearsal")]
        actor: Option<String>,
        /// Why the gate is skipped
        #[arg(long, value_name = "WHY", requires = "skip_rehearsal")]
        justification: Option<String>,
    },
    /// Print the plan: its name, and the text of which that is the BLAKE3
    Plan {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// The manifest of the workspace, or of one of its packages
    #[arg(long, value_name = "PATH", default_value = "Cargo.toml")]
    manifest_path: Utf8PathBuf,
    /// The registry to publish to
    #[arg(long, value_name = "NAME", default_value = "crates-io")]
    live_registry: String,
    /// Where the log is kept; by default .shipper in the workspace
    #[arg(long, value_name = "DIR")]
    state_dir: Option<Utf8PathBuf>,
    /// Publish also what is not committed
    #[arg(long)]
    allow_dirty: bool,
    /// How long one package may take with its build and all attempts, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    time_limit: u64,
    /// How long a registry may take to show what was published, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    readiness_limit: u64,
    /// Print what cargo prints
    #[arg(short, long)]
    verbose: bool,
}

/// What both actions work with.
struct Ready {
    state: Utf8PathBuf,
    cargo: Cargo,
    limits: Limits,
    progress: Shown,
    stop: Stop,
}

impl Common {
    fn read(&self) -> Result<(Workspace, Stop), Box<dyn Error>> {
        let stop = Stop::default();
        let ask = stop.clone();
        ctrlc::set_handler(move || ask.ask())?;
        Ok((Workspace::read(&self.manifest_path, &self.live_registry, &stop)?, stop))
    }

    fn ready(&self) -> Result<Ready, Box<dyn Error>> {
        let (workspace, stop) = self.read()?;
        let state = self.state_dir.clone().unwrap_or_else(|| workspace.root().join(".shipper"));
        create_state_directory(&state)?;
        if let Some(package) = workspace.package_with(&state) {
            let package = &package.name;
            return Err(format!(
                "the log in {state} would be packed into {package}, and every event would change the plan; exclude it there, or keep it elsewhere (--state-dir)"
            )
            .into());
        }
        let mut cargo = Cargo::new(workspace);
        if self.allow_dirty {
            cargo = cargo.allow_dirty();
        }
        let limits = Limits {
            command: Duration::from_secs(self.time_limit),
            readiness: Duration::from_secs(self.readiness_limit),
            ..Limits::default()
        };
        let progress = Shown { terminal: stderr().is_terminal(), verbose: self.verbose };
        Ok(Ready { state, cargo, limits, progress, stop })
    }
}

fn run(cli: &Cli) -> Result<bool, Box<dyn Error>> {
    match &cli.action {
        Action::Plan { common } => {
            let (workspace, _) = common.read()?;
            let plan = workspace.plan();
            writeln!(stdout(), "{}\n{}", plan.plan_id(), plan.canonical_form().trim_end())?;
            Ok(true)
        }
        Action::Rehearse { common, rehearsal_registry, smoke_install } => {
            let Ready { state, mut cargo, limits, mut progress, stop } = common.ready()?;
            let rehearsal = cargo.workspace().registry(rehearsal_registry)?;
            let plan = cargo.workspace().plan().clone();
            let (smoke_install, lock) = (smoke_install.clone(), LockOptions::default());
            let options = RehearseOptions { rehearsal, smoke_install, limits, lock };
            let done = rehearse(FsStorage, &state, &plan, &options, &mut cargo, &stop, &mut progress)?;
            let receipt = &done.completed.receipt;
            tell(&format!("plan {}\n{}\nhead {}", plan.plan_id(), receipt.summary, done.completed.head));
            if let Some(error) = &done.completed.sidecar {
                let _ = writeln!(stderr(), "warning: {error}: {}", error.source);
            }
            if !receipt.is_valid_evidence() {
                let _ = writeln!(stderr(), "error: {}", receipt.summary);
            }
            Ok(receipt.is_valid_evidence())
        }
        Action::Publish { common, rehearsal_registry, extends, actor, justification, skip_rehearsal } => {
            let Ready { state, mut cargo, limits, mut progress, stop } = common.ready()?;
            let rehearsal = rehearsal_registry.as_ref().map(|name| cargo.workspace().registry(name)).transpose()?;
            let asker = SkipRequest { actor: actor.clone(), justification: justification.clone() };
            let plan = cargo.workspace().plan().clone();
            let skip = skip_rehearsal.then_some(asker);
            let options =
                PublishOptions { rehearsal, skip, limits, lock: LockOptions::default(), expected_head: *extends };
            match publish(FsStorage, &state, &plan, &options, &mut cargo, &stop, &mut progress) {
                Ok(published) => {
                    tell(&format!("plan {}\nhead {}", plan.plan_id(), published.head));
                    if let Some(Failed { package, failure }) = &published.failure {
                        let package = package.as_deref().unwrap_or("the run");
                        let _ = writeln!(stderr(), "error: {package}: {failure}; publish again to go on");
                    }
                    Ok(published.failure.is_none())
                }
                Err(refused @ PublishError::Refused { .. }) => {
                    let _ = writeln!(stderr(), "error: {refused}");
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Tells the result. What was done is in the log, and the exit status says how it went, also where nobody can be told.
fn tell(result: &str) {
    if let Err(error) = writeln!(stdout(), "{result}") {
        let _ = writeln!(stderr(), "warning: the result cannot be printed ({error}); it is in the log");
    }
}

/// Tells of each step on standard error; on a terminal, the step at work stands in one line until it is over.
struct Shown {
    terminal: bool,
    verbose: bool,
}

impl Shown {
    fn line(&self, line: &str, stays: bool) {
        let (begin, end) = match (self.terminal, stays) {
            (true, true) => ("\r\u{1b}[K", "\n"),
            (true, false) => ("\r\u{1b}[K", ""),
            (false, _) => ("", "\n"),
        };
        // Nobody is left to tell when this fails.
        let _ = write!(stderr(), "{begin}{line}{end}");
    }
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Publish => "publishing",
        Step::Await => "waiting for",
        Step::Install => "installing",
        Step::Skip => "is there already:",
        Step::Build => "is there already, building",
        _ => "working on",
    }
}

impl Progress for Shown {
    fn let_go(&mut self, gate: &Enforced) {
        match gate.verdict.code() {
            VerdictKind::Bypassed => {
                self.line("WARNING: the gate was bypassed; nothing shows that this plan was rehearsed", true);
            }
            VerdictKind::Dormant => {
                self.line(
                    "warning: no rehearsal registry was named, so the gate is dormant, and nothing backs this plan",
                    true,
                );
            }
            _ => {}
        }
        match &gate.sidecar {
            SidecarUpdate::Rewritten => {
                self.line("rehearsal.json did not tell of the log's receipt; written anew", true)
            }
            SidecarUpdate::WriteFailed(error) => self.line(&format!("warning: {error}: {}", error.source), true),
            SidecarUpdate::Orphan => {
                self.line("warning: there is a rehearsal.json, and no rehearsal was completed", true);
            }
            SidecarUpdate::Skipped | SidecarUpdate::UpToDate => {}
        }
    }

    fn begins(&mut self, step: Step, package: &PlannedPackage) {
        self.line(&format!("{} {}", doing(step), package.id()), step == Step::Skip);
    }

    fn ends(&mut self, step: Step, package: &PlannedPackage, took: Duration, failure: Option<&Failure>) {
        let took = took.as_secs_f32();
        let line = match failure {
            None => format!("{} {}: done in {took:.1} s", doing(step), package.id()),
            Some(failure) => format!("{} {}: failed after {took:.1} s: {}", doing(step), package.id(), failure.message),
        };
        self.line(&line, true);
    }

    fn output(&mut self, line: &str) {
        if self.verbose {
            self.line(&format!("  {}", shipper_events::display_safe(line).max_chars(400)), true);
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let mut message = error.to_string();
            let mut cause = error.source();
            while let Some(source) = cause {
                message = format!("{message}: {source}");
                cause = source.source();
            }
            let _ = writeln!(stderr(), "error: {message}");
            ExitCode::from(2)
        }
    }
}
