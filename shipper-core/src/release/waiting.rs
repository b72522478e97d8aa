//! Waits of a run for a registry's rate limit, with their events.

use std::time::Instant;

use shipper_events::event::{PublishWaiting, RateLimitObserved};
use shipper_events::write::{AppendError, Storage};

use super::plan::PlannedPackage;
use super::publish::RunRecorder;
use super::publisher::{Failure, Publisher};
use super::rate_limit::{UploadKind, WaitDecision};
use super::session::{AfterRefusal, time_after, too_long};
use crate::rehearsal::milliseconds;

impl<P: Publisher, S: Storage> RunRecorder<'_, P, S> {
    /// Records a registry's rate limit, and waits as the registry asks, after `waits` waits for the same package.
    pub(super) fn wait_for_rate_limit(
        &mut self,
        package: &PlannedPackage,
        failure: Failure,
        waits: u32,
        deadline: Instant,
    ) -> Result<AfterRefusal, AppendError> {
        let Some(limit) = failure.rate_limit else {
            return Ok(AfterRefusal::NoWait(failure));
        };
        let id = package.id();
        let is_new = self.session.upload_kind(package) == Some(UploadKind::NewCrate);
        let mut observed = RateLimitObserved::new().is_new_crate(is_new).message(&*failure.message);
        if let Some(retry_after) = limit.retry_after {
            observed = observed.retry_after_ms(milliseconds(retry_after));
        }
        self.append(&id, observed)?;
        match self.session.decide_wait(&failure, waits, deadline) {
            WaitDecision::CountAsAttempt => Ok(AfterRefusal::NoWait(failure)),
            WaitDecision::TooLong(wait) => Ok(AfterRefusal::Stop(too_long(failure, wait))),
            WaitDecision::Wait(wait) => {
                let waiting = PublishWaiting::new().reason("rate limit").delay_ms(milliseconds(wait));
                self.append(&id, waiting.until(time_after(wait)))?;
                let waited = self.session.wait(package, wait);
                Ok(if waited { AfterRefusal::Waited } else { AfterRefusal::Stop(failure) })
            }
        }
    }
}
