//! Confirmation of uploads: what a registry shows, and whether it is what was uploaded. Each answer is recorded.

use std::time::Instant;

use shipper_events::event::{
    PackageContentMismatch, PublishReconciled, PublishReconciling, RawJson, ReadinessComplete, ReadinessPoll,
    ReadinessStarted, ReadinessTimeout,
};
use shipper_events::write::{AppendError, NewEvent, Storage};

use super::plan::PlannedPackage;
use super::publish::{RunRecorder, StopReason};
use super::publisher::{Failure, FailureClass, PublishedState, Publisher};
use super::session::Visible;
use crate::rehearsal::milliseconds;

impl<P: Publisher, S: Storage> RunRecorder<'_, P, S> {
    /// Looks up a package after an upload whose outcome is unknown.
    pub(super) fn reconcile(
        &mut self,
        package: &PlannedPackage,
    ) -> Result<Result<PublishedState, Failure>, AppendError> {
        let (id, started) = (package.id(), Instant::now());
        self.append(&id, PublishReconciling::new().method("index"))?;
        // A request to stop does not apply: only this lookup shows the outcome.
        let cancel = std::mem::take(&mut self.session.cancel);
        let mut state = self.session.lookup(package);
        // A registry may show an upload later than it arrived.
        let mut attempts = 1;
        while attempts < self.session.limits.max_attempts && state == Ok(PublishedState::Absent) {
            attempts += 1;
            self.session.pause();
            state = self.session.lookup(package);
        }
        self.session.cancel = cancel;
        // These are the outcomes that the shipper tool knows.
        let (outcome, reason) = match &state {
            Ok(PublishedState::SameContent { .. }) => ("published", None),
            Ok(PublishedState::Absent) => ("not_published", None),
            Ok(PublishedState::DifferentContent { .. }) => {
                ("still_unknown", Some("the registry shows this version with another content"))
            }
            Err(failure) => ("still_unknown", Some(&*failure.message)),
        };
        let elapsed = milliseconds(started.elapsed());
        let outcome = match reason {
            None => serde_json::json!({ "outcome": outcome, "attempts": attempts, "elapsed_ms": elapsed }),
            Some(reason) => {
                serde_json::json!({ "outcome": outcome, "attempts": attempts, "elapsed_ms": elapsed, "reason": reason })
            }
        };
        self.append(&id, PublishReconciled::new().outcome(RawJson::from(&outcome)))?;
        Ok(state)
    }

    /// Records that another file was uploaded than was compared with the plan, and fails in that case.
    pub(super) fn check_uploaded(
        &mut self,
        package: &PlannedPackage,
        approved: Option<String>,
        uploaded: Option<String>,
    ) -> Result<(), StopReason> {
        let (Some(expected), Some(found)) = (approved, uploaded) else { return Ok(()) };
        if expected.eq_ignore_ascii_case(&found) {
            return Ok(());
        }
        let message = format!(
            "another file was uploaded ({found}) than was compared with the plan ({expected}); yank this version, and find \
             out which program changed the workspace"
        );
        Err(self.mismatch(package, expected, found, message))
    }

    /// Records other content than was uploaded, and fails in that case. Otherwise returns the checksum in the index.
    pub(super) fn check_shown(
        &mut self,
        package: &PlannedPackage,
        shown: PublishedState,
    ) -> Result<Option<String>, StopReason> {
        match shown {
            PublishedState::DifferentContent { expected, found } => {
                let message = format!(
                    "the registry shows this version with other content than was uploaded ({found}, expected {expected}); \
                     yank it, and find out who changed it"
                );
                Err(self.mismatch(package, expected, found, message))
            }
            PublishedState::SameContent { cksum } => Ok(cksum),
            PublishedState::Absent => Ok(None),
        }
    }

    /// Records a mismatch, and returns the failure with that message, or that of recording.
    fn mismatch(&mut self, package: &PlannedPackage, expected: String, found: String, message: String) -> StopReason {
        let PlannedPackage { name, version, .. } = package;
        match self.append(&package.id(), PackageContentMismatch::new(name, version, expected, found)) {
            Ok(_) => Failure::permanent(message).into(),
            Err(error) => error.into(),
        }
    }

    /// Waits until the registry shows the package, with any content.
    pub(super) fn wait_until_visible(&mut self, package: &PlannedPackage) -> Result<PublishedState, StopReason> {
        let (id, started) = (package.id(), Instant::now());
        self.append(&id, ReadinessStarted::new().method("index"))?;
        let Self { log, session, .. } = self;
        let visible = session.wait_until_visible(package, |attempt, visible| -> Result<(), StopReason> {
            log.append(&[NewEvent::new(ReadinessPoll::new().attempt(attempt).visible(visible), &*id)])?;
            Ok(())
        });
        match &visible {
            Ok(Visible { lookups, .. }) => {
                let took = milliseconds(started.elapsed());
                self.append(&id, ReadinessComplete::new().duration_ms(took).attempts(*lookups))?;
            }
            Err(StopReason::Failed(failure))
                if failure.class == FailureClass::Ambiguous && !self.session.cancel.is_cancelled() =>
            {
                let waited = milliseconds(self.session.limits.visibility_timeout);
                self.append(&id, ReadinessTimeout::new().max_wait_ms(waited))?;
            }
            Err(_) => {}
        }
        visible.map(|visible| visible.state)
    }
}
