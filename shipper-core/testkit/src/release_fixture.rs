//! Fixture of a workspace and two registries, with `shipper-release`. It checks that no token is printed, and that the
//! live registry is reached only with a permission in the log.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::fake_publisher::ends_in_permitted_run;
use crate::log_builder::audit;
use shipper_core::audit::{AuditOptions, Conclusion, LogAudit, SidecarInput};

use crate::program::binary;
use crate::registry::{CargoSandbox, CommandResult, Registry, TOKEN, three_members_for};

/// A workspace of three crates, each of which depends on the one before, and two registries.
pub struct ReleaseFixture {
    pub sandbox: CargoSandbox,
    pub live: Registry,
    pub rehearsal: Registry,
    pub root: PathBuf,
    /// The names of packages that were uploaded to the live registry without a permission in the log.
    pub unauthorized_uploads: Arc<Mutex<Vec<String>>>,
}

impl ReleaseFixture {
    pub fn create() -> Self {
        Self::between(Registry::start(), Registry::start())
    }

    /// Creates a workspace with these registries.
    pub fn between(live: Registry, rehearsal: Registry) -> Self {
        let sandbox = CargoSandbox::with(&[("live", &live), ("rehearsal", &rehearsal)]);
        let root = sandbox.path("fixture");
        three_members_for(&root, "live");
        let fixture = Self { sandbox, live, rehearsal, root, unauthorized_uploads: Arc::default() };
        let (log, unauthorized_uploads) = (fixture.log(), Arc::clone(&fixture.unauthorized_uploads));
        fixture.live.at_upload(move |upload| {
            if !ends_in_permitted_run(&log) {
                unauthorized_uploads.lock().expect("no panic").push(upload.name.clone());
            }
        });
        fixture
    }

    pub fn log(&self) -> PathBuf {
        self.root.join(".shipper/events.jsonl")
    }

    /// The text of the log.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).expect("the log")
    }

    pub fn command(&self, action: &str, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(binary("shipper-core", "shipper-release"));
        command.arg(action).arg("--manifest-path").arg(self.root.join("Cargo.toml"));
        command.args(["--live-registry", "live", "--readiness-limit", "10"]).args(args);
        // CI jobs set these variables, but the tests compare uncoloured messages.
        command.env("CARGO_TERM_COLOR", "always").env("CARGO_TERM_QUIET", "true");
        command
    }

    pub fn run(&self, action: &str, args: &[&str]) -> CommandResult {
        let result = CommandResult::run(&mut self.command(action, args));
        assert!(!result.output.contains(TOKEN), "a token is printed: {}", result.output);
        result
    }

    pub fn rehearse(&self, args: &[&str]) -> CommandResult {
        self.run("rehearse", &[&["--rehearsal-registry", "rehearsal"], args].concat())
    }

    pub fn publish(&self, args: &[&str]) -> CommandResult {
        self.run("publish", &[&["--rehearsal-registry", "rehearsal"], args].concat())
    }

    /// Runs the program, and sends this signal to it when this package arrives at the registry `at`.
    pub fn signalled(&self, action: &str, at: &Registry, package: &'static str, signal: &'static str) -> CommandResult {
        let child: Arc<Mutex<Option<u32>>> = Arc::default();
        let id = Arc::clone(&child);
        at.at_upload(move |upload| {
            if upload.name == package
                && let Some(id) = id.lock().expect("no panic").take()
            {
                assert!(Command::new("kill").args([signal, &id.to_string()]).status().expect("kill").success());
                // The signal arrives before the upload is answered.
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        let mut command = self.command(action, &["--rehearsal-registry", "rehearsal"]);
        let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        *child.lock().expect("no panic") = Some(running.id());
        running.wait_with_output().expect("it ends").into()
    }

    /// Audits the log with the configured registry.
    pub fn audit(&self) -> LogAudit {
        let log = self.log_text();
        assert!(!log.contains(TOKEN), "a token is in the log");
        let path = self.root.join(".shipper/rehearsal.json");
        let sidecar = match std::fs::read(&path) {
            Ok(bytes) => SidecarInput::Found { path: path.display().to_string(), bytes },
            Err(_) => SidecarInput::Absent { path: path.display().to_string() },
        };
        let demand = AuditOptions::default().with_registry("rehearsal".parse().expect("a name"));
        assert_eq!(
            *self.unauthorized_uploads.lock().expect("no panic"),
            Vec::<String>::new(),
            "the live registry was reached"
        );
        audit(log.as_bytes(), sidecar, &demand).expect("no line is demanded")
    }

    pub fn assert_conclusion(&self, conclusion: Conclusion) -> LogAudit {
        let audited = self.audit();
        assert_eq!(audited.conclusion(), conclusion, "{:#?}", audited.findings);
        audited
    }
}
