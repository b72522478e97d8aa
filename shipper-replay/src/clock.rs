//! The time at which a statement says that it was made: the only place in the program that reads a clock.

use std::env;

use shipper_events::{Timestamp, display_safe};
use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A fixed time, for statements that come out the same again: <https://reproducible-builds.org/specs/source-date-epoch/>.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The time cannot be told.
#[derive(Debug, Error)]
pub(crate) enum ClockError {
    #[error("SOURCE_DATE_EPOCH is {}, and no number of seconds since 1970 up to the year 9999; unset it, or pass --time", display_safe(value).quoted())]
    Epoch { value: String },
    #[error("the time is outside the years 0 to 9999 in UTC; name one inside with --time")]
    OutOfRange,
}

/// The time that was given, else that of `SOURCE_DATE_EPOCH`, else now: RFC 3339, in UTC.
pub(crate) fn time_verified(given: Option<&Timestamp>) -> Result<String, ClockError> {
    let instant = match (given, env::var_os(EPOCH)) {
        (Some(given), _) => given.instant(),
        (None, Some(epoch)) => {
            let value = epoch.to_string_lossy();
            seconds(&value).ok_or_else(|| ClockError::Epoch { value: value.into_owned() })?
        }
        (None, None) => {
            let now = OffsetDateTime::now_utc();
            now.replace_nanosecond(0).unwrap_or(now)
        }
    };
    let utc = instant.checked_to_offset(UtcOffset::UTC).ok_or(ClockError::OutOfRange)?;
    utc.format(&Rfc3339).map_err(|_| ClockError::OutOfRange)
}

fn seconds(text: &str) -> Option<OffsetDateTime> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    OffsetDateTime::from_unix_timestamp(text.parse().ok().filter(|_| digits)?).ok()
}
