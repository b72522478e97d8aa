//! Rate limits of registries: how long a release waits, and how long a release to crates-io takes at least.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::registry::{CRATES_IO, Registry};

/// A registry's refusal of an upload because of too many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimit {
    /// The time that the registry asks to wait; `None` if it names none.
    pub retry_after: Option<Duration>,
}

/// A decision about an attempt that a registry refused because of its rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitDecision {
    /// The registry names no time, so the refusal counts as an attempt.
    CountAsAttempt,
    /// The next attempt follows after this time, and the refused one does not count.
    Wait(Duration),
    /// The registry asks for this time, which is longer than the time limit.
    TooLong(Duration),
}

/// The longest time that is added to a wait because the registry refused again after the time that it named.
const MAX_MINIMUM: Duration = Duration::from_secs(10 * 60);

/// Decides about a refused attempt after `waits` waits for the same package. The wait is at least `pause`, twice as long
/// after each wait, and ends before `left` has passed.
pub(super) fn decide_wait(limit: RateLimit, waits: u32, pause: Duration, left: Duration) -> WaitDecision {
    let Some(retry_after) = limit.retry_after else {
        return WaitDecision::CountAsAttempt;
    };
    let minimum = pause.saturating_mul(2_u32.saturating_pow(waits)).min(MAX_MINIMUM.max(pause));
    let wait = retry_after.max(minimum);
    if wait < left { WaitDecision::Wait(wait) } else { WaitDecision::TooLong(wait) }
}

/// The state of a package's upload before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadKind {
    /// The registry has no version of the package.
    NewCrate,
    /// The registry has other versions of the package.
    NewVersion,
    /// The registry has this version, so nothing is uploaded.
    Published,
}

/// The uploads of a run to crates-io, and the time that its rate limits make them take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UploadEstimate {
    /// The number of packages of which crates-io has no version.
    pub new_crates: u64,
    /// The number of packages of which it has other versions.
    pub new_versions: u64,
}

/// The documented limits of crates-io: the number of uploads at once, and the time for each further one.
const NEW_CRATES: (u64, Duration) = (5, Duration::from_secs(10 * 60));
const NEW_VERSIONS: (u64, Duration) = (30, Duration::from_secs(60));

impl UploadEstimate {
    /// Adds an upload.
    pub(super) fn add(&mut self, kind: UploadKind) {
        match kind {
            UploadKind::NewCrate => self.new_crates += 1,
            UploadKind::NewVersion => self.new_versions += 1,
            UploadKind::Published => {}
        }
    }

    /// Returns the time that the documented limits make the uploads take at least. The account may have other limits, or
    /// may have used a part of them.
    pub fn least_time(&self) -> Duration {
        let wait = |count: u64, (at_once, each): (u64, Duration)| {
            each.saturating_mul(u32::try_from(count.saturating_sub(at_once)).unwrap_or(u32::MAX))
        };
        // One limit recovers while the release waits for the other.
        wait(self.new_crates, NEW_CRATES).max(wait(self.new_versions, NEW_VERSIONS))
    }
}

/// Returns `true` for crates-io, whose limits are known.
pub(super) fn has_known_limits(registry: &Registry) -> bool {
    registry.name.as_str() == CRATES_IO
}

/// Returns a time as RFC 3339 text in UTC; `None` if it is out of the range of such text.
pub(super) fn rfc3339(time: SystemTime) -> Option<String> {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::try_from(since_1970.as_nanos()).ok()?).ok()?;
    time.format(&Rfc3339).ok()
}

#[cfg(test)]
#[path = "../../tests/unit/rate_limit.rs"]
mod tests;
