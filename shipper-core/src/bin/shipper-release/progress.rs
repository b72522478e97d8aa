//! The progress of a rehearsal or a publish on standard error.

use std::io::{Write, stderr};
use std::time::Duration;

use shipper_core::gate::SidecarUpdate;
use shipper_core::release::{Failure, PlannedPackage, Progress, Step, UploadEstimate, Wait};
use shipper_core::{GateAnswer, VerdictKind};

/// Prints the steps to standard error. On a terminal, the current step has one line, which its end replaces.
pub(crate) struct StderrProgress {
    pub(crate) terminal: bool,
    pub(crate) verbose: bool,
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
        // A wait is short in most cases, and its end has its own line.
        if self.terminal || step != Step::WaitUntilVisible {
            self.write(&format!("{} {}", step_text(step), package.id()), if step == Step::Skip { "\n" } else { "" });
        }
    }

    fn step_finished(&mut self, step: Step, package: &PlannedPackage, took: Duration, failure: Option<&Failure>) {
        let (step, id, took) = (step_text(step), package.id(), took.as_secs_f32());
        self.print(&match failure {
            None => format!("{step} {id}: done in {took:.1} s"),
            Some(failure) => format!("{step} {id}: failed after {took:.1} s: {failure}"),
        });
    }

    fn waiting(&mut self, wait: Wait<'_>) {
        match wait {
            Wait::CargoLock { lock } => {
                let lock = shipper_events::display_safe(lock).max_chars(100);
                self.print(&format!("waiting for another cargo, which locks its {lock}"));
            }
            Wait::RateLimit { package, until, left } => {
                let (id, left) = (package.id(), left.as_secs_f32());
                self.print(&format!(
                    "waiting to publish {id} until {until}, {left:.0} s: the registry limits the rate"
                ));
            }
            _ => {}
        }
    }

    fn uploads_estimated(&mut self, estimate: UploadEstimate) {
        let UploadEstimate { new_crates, new_versions, .. } = estimate;
        let minutes = estimate.least_time().as_secs().div_ceil(60);
        let time = match minutes {
            0 => "within its documented rate limits".to_owned(),
            minutes => format!("its documented rate limits make this take at least {minutes} min"),
        };
        self.print(&format!("crates-io gets {new_crates} new crates and {new_versions} new versions; {time}"));
    }

    fn warning(&mut self, message: &str) {
        self.print(&format!("warning: {message}"));
    }

    fn output_line(&mut self, line: &str) {
        if self.verbose {
            self.print(&format!("  {}", shipper_events::display_safe(line).max_chars(400)));
        }
    }
}
