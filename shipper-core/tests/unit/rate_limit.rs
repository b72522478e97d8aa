//! A rate limit delays a release and does not fail it, but never longer than its time limit.

use proptest::prelude::*;

use super::*;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The release waits as long as the registry asks, and longer after each refusal.
#[test]
fn wait_is_as_long_as_the_registry_asks() {
    use WaitDecision::{CountAsAttempt, TooLong, Wait};
    for (retry_after, waits, left, decision) in [
        (None, 0, 1800, CountAsAttempt),
        (Some(600), 0, 1800, Wait(secs(600))),
        (Some(0), 0, 1800, Wait(secs(2))),
        (Some(0), 3, 1800, Wait(secs(16))),
        (Some(0), 40, 1800, Wait(secs(600))),
        (Some(1800), 0, 1800, TooLong(secs(1800))),
        (Some(u64::MAX), 0, 1800, TooLong(secs(u64::MAX))),
    ] {
        let limit = RateLimit { retry_after: retry_after.map(secs) };
        assert_eq!(decide_wait(limit, waits, secs(2), secs(left)), decision, "{retry_after:?} {waits}");
    }
}

proptest! {
    /// Repeated refusals end within the time limit, after few attempts.
    #[test]
    fn repeated_refusals_end_within_the_time_limit(asked in 0..2000_u64, limit in 0..4000_u64) {
        let (mut left, mut waits) = (secs(limit), 0);
        while let WaitDecision::Wait(wait) = decide_wait(RateLimit { retry_after: Some(secs(asked)) }, waits, secs(2), left) {
            prop_assert!(wait >= secs(asked) && wait < left);
            (left, waits) = (left - wait, waits + 1);
        }
        prop_assert!(waits <= 20, "{waits}");
    }
}

/// The estimate is that of the documented limits.
#[test]
fn estimate_is_that_of_the_documented_limits() {
    for (new_crates, new_versions, least) in
        [(0, 0, 0), (5, 30, 0), (6, 30, 600), (8, 31, 1800), (5, 35, 300), (6, 50, 1200)]
    {
        let estimate = UploadEstimate { new_crates, new_versions };
        assert_eq!(estimate.least_time(), secs(least), "{estimate:?}");
    }
}

/// A time is text with a time zone.
#[test]
fn time_is_written_in_utc() {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
    assert_eq!(rfc3339(time).as_deref(), Some("1970-01-01T00:00:01.5Z"));
    assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + secs(1 << 62)), None);
}
