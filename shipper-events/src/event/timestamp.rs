//! RFC 3339 times, kept as written.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// An RFC 3339 time with `T`, any offset, kept as written.
///
/// Timestamps are compared as instants; digits after the ninth of a fraction do not count.
///
/// ```
/// use shipper_events::Timestamp;
/// let utc: Timestamp = "2026-11-23T08:12:26.500Z".parse()?;
/// let cet: Timestamp = "2026-11-23T09:12:26.5+01:00".parse()?;
/// assert_eq!(utc, cet);
/// assert_eq!(cet.to_string(), "2026-11-23T09:12:26.5+01:00");
/// assert!("2026-11-23 08:12:26Z".parse::<Timestamp>().is_err());
/// # Ok::<(), shipper_events::event::ParseTimestampError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timestamp {
    text: Box<str>,
    instant: OffsetDateTime,
}

/// The error for a text that is not an RFC 3339 time with `T`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected an RFC 3339 time such as 2026-11-23T08:12:26.839Z")]
#[non_exhaustive]
pub struct ParseTimestampError;

impl Timestamp {
    /// Returns the instant, exact to one nanosecond.
    pub fn instant(&self) -> OffsetDateTime {
        self.instant
    }

    /// Returns the time as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn from_parts(text: &str, instant: OffsetDateTime) -> Self {
        Self { text: text.into(), instant }
    }
}

/// Parses an RFC 3339 time with `T`; the parser of `time` accepts any separator.
pub(crate) fn parse_instant(text: &str) -> Option<OffsetDateTime> {
    utc(text.as_bytes()).or_else(|| {
        let has_separator = text.as_bytes().get(10) == Some(&b'T');
        let instant = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| has_separator)?;
        // The parser takes a leap second for the last nanosecond of second 59. Readers take it for the next minute.
        let next_minute = instant.checked_add(Duration::NANOSECOND).filter(|_| text.get(17..19) == Some("60"));
        Some(next_minute.unwrap_or(instant))
    })
}

/// Parses a time with `Z` that is not a leap second, as nearly all times in logs. It is several times faster than the
/// general parser.
fn utc(text: &[u8]) -> Option<OffsetDateTime> {
    let (date_time, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *date_time else {
        return None;
    };
    let fraction = match rest {
        b"Z" => &[][..],
        [b'.', fraction @ .., b'Z'] if !fraction.is_empty() => fraction,
        _ => return None,
    };
    let digits = [y0, y1, y2, y3, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1];
    let (mut nano, mut unit, mut are_digits) = (0, 100_000_000, digits.iter().all(u8::is_ascii_digit));
    for digit in fraction {
        are_digits &= digit.is_ascii_digit();
        nano += u64::from(digit.wrapping_sub(b'0')) * unit;
        unit /= 10;
    }
    if !are_digits {
        return None;
    }
    let two = |tens: u8, ones: u8| (tens - b'0') * 10 + (ones - b'0');
    let year = i32::from(two(y0, y1)) * 100 + i32::from(two(y2, y3));
    let date = Date::from_calendar_date(year, Month::try_from(two(m0, m1)).ok()?, two(d0, d1)).ok()?;
    let time = Time::from_hms_nano(two(h0, h1), two(n0, n1), two(s0, s1), u32::try_from(nano).ok()?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let instant = parse_instant(text).ok_or(ParseTimestampError)?;
        Ok(Self::from_parts(text, instant))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.instant == other.instant
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.instant.cmp(&other.instant)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
