//! The scale: from an instant to a place on the drawing, and the ticks that say which is where.
//!
//! It is computed in whole numbers, so that the same log gives the same drawing on every machine.

use std::fmt;

use time::{Date, Month, OffsetDateTime, Time};

use super::text_width;

/// How wide the drawing is, in its own units; as many pixels where there is room.
pub(super) const WIDTH: i64 = 1000;

/// How much of that is left free at either side.
const MARGIN: i64 = 14;

/// How much stands free between the labels of two ticks, at least.
const BETWEEN: i64 = 24;

const SECOND: i128 = 1_000_000_000;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

/// A place or a length on the drawing: hundredths of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(i64);

impl Place {
    pub(super) const fn units(units: i64) -> Self {
        Self(units * 100)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(super) fn times(self, times: usize) -> Self {
        Self(self.0.saturating_mul(i64::try_from(times).unwrap_or(i64::MAX)))
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match rest {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{rest:02}"),
        }
    }
}

/// A stretch of time that is drawn to scale, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    from: i128,
    to: i128,
}

/// A tick of the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AxisTick {
    pub(super) at: Place,
    /// Its time, RFC 3339.
    pub(super) label: String,
}

impl Scale {
    /// The scale on which all these instants have a place; none without instants. Where all are the same, it is drawn
    /// in the middle of a second.
    pub(super) fn over(instants: impl IntoIterator<Item = i128>) -> Option<Self> {
        let both = |range: Option<(i128, i128)>, instant: i128| {
            Some(range.map_or((instant, instant), |(from, to)| (from.min(instant), to.max(instant))))
        };
        let (from, to) = instants.into_iter().fold(None, both)?;
        let half = if from == to { SECOND / 2 } else { 0 };
        Some(Self { from: from - half, to: to + half })
    }

    /// Where an instant is drawn.
    pub(super) fn place(self, instant: i128) -> Place {
        let room = i128::from((WIDTH - 2 * MARGIN) * 100);
        let along = (instant - self.from).clamp(0, self.to - self.from) * room / (self.to - self.from);
        Place(i64::try_from(along).unwrap_or(0)).plus(Place::units(MARGIN))
    }

    /// How long it is, in words.
    pub(super) fn length(self) -> String {
        duration(self.to - self.from)
    }

    /// As many ticks at round times as have room.
    pub(super) fn ticks(self) -> Vec<AxisTick> {
        for step in Step::all() {
            // Also what is too fine to be listed is refused here.
            if (self.to - self.from) / step.at_least() > i128::from(WIDTH) / 50 {
                continue;
            }
            let ticks: Vec<AxisTick> = step
                .within(self.from, self.to)
                .into_iter()
                .filter_map(|at| Some(AxisTick { at: self.place(at), label: rfc3339(at, step.digits())? }))
                .collect();
            let widest = ticks.iter().map(|tick| text_width(&tick.label)).max().unwrap_or(0);
            let needed = Place::units(widest + BETWEEN);
            let apart = |pair: &[AxisTick]| match pair {
                [one, next] => next.at.minus(one.at) >= needed,
                _ => true,
            };
            if ticks.windows(2).all(apart) {
                return ticks;
            }
        }
        Vec::new()
    }
}

/// How far a tick is from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nanoseconds(i128),
    Months(i32),
}

impl Step {
    /// Every step that a person counts in, the smallest first.
    fn all() -> impl Iterator<Item = Self> {
        let fractions = (0..9).flat_map(|zeros| [1, 2, 5].map(|digit| digit * 10_i128.pow(zeros)));
        let clock = [1, 2, 5, 10, 15, 30].map(|seconds| seconds * SECOND);
        let minutes = [1, 2, 5, 10, 15, 30].map(|minutes| minutes * MINUTE);
        let hours = [1, 2, 3, 6, 12].map(|hours| hours * HOUR);
        let days = [1, 2, 7, 14].map(|days| days * DAY);
        let months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 24_000, 60_000];
        let even = fractions.chain(clock).chain(minutes).chain(hours).chain(days).map(Self::Nanoseconds);
        even.chain(months.map(Self::Months))
    }

    /// The shortest that it can be.
    fn at_least(self) -> i128 {
        match self {
            Self::Nanoseconds(nanoseconds) => nanoseconds,
            Self::Months(months) => i128::from(months) * 28 * DAY,
        }
    }

    /// How many digits of a second its times have.
    fn digits(self) -> usize {
        match self {
            Self::Nanoseconds(step) => {
                (0..9).find(|digits| step % 10_i128.pow(9 - digits) == 0).map_or(9, |n| n as usize)
            }
            Self::Months(_) => 0,
        }
    }

    /// Its multiples in a stretch of time.
    fn within(self, from: i128, to: i128) -> Vec<i128> {
        match self {
            Self::Nanoseconds(step) => {
                let first = from.div_euclid(step) + i128::from(from.rem_euclid(step) != 0);
                (first..).map(|multiple| multiple * step).take_while(|at| *at <= to).collect()
            }
            Self::Months(step) => {
                let year = |at| OffsetDateTime::from_unix_timestamp_nanos(at).map_or(0, OffsetDateTime::year);
                let first = (year(from) * 12).div_euclid(step);
                let last = (year(to) * 12 + 12).div_euclid(step);
                (first..=last)
                    .filter_map(|multiple| month(multiple * step))
                    .filter(|at| (from..=to).contains(at))
                    .collect()
            }
        }
    }
}

/// The first instant of a month, counted from that of the year 0.
fn month(months: i32) -> Option<i128> {
    let month = Month::try_from(u8::try_from(months.rem_euclid(12)).ok()? + 1).ok()?;
    let date = Date::from_calendar_date(months.div_euclid(12), month, 1).ok()?;
    Some(date.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp_nanos())
}

/// An instant as RFC 3339, with so many digits of a second.
fn rfc3339(nanoseconds: i128, digits: usize) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
    let (year, month, day) = (u16::try_from(at.year()).ok()?, u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    let fraction: String = format!("{:09}", at.nanosecond()).chars().take(digits).collect();
    let point = if digits > 0 { "." } else { "" };
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}Z"))
}

/// A duration in its two largest units.
pub(super) fn duration(nanoseconds: i128) -> String {
    let units = [(365 * DAY, "years"), (DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let of = |(position, (unit, name)): (usize, &(i128, &str))| {
        let next = units.get(position + 1).filter(|_| *unit > SECOND)?;
        let (whole, rest) = (nanoseconds / unit, nanoseconds % unit / next.0);
        let rest = if rest > 0 { format!(" {rest} {}", next.1) } else { String::new() };
        (whole > 0).then(|| format!("{whole} {name}{rest}"))
    };
    let fraction = || match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => decimal(nanoseconds, 1_000, "µs"),
        1_000_000..SECOND => decimal(nanoseconds, 1_000_000, "ms"),
        _ => decimal(nanoseconds, SECOND, "s"),
    };
    units.iter().enumerate().find_map(of).unwrap_or_else(fraction)
}

/// A number of units with at most one digit after the point.
fn decimal(nanoseconds: i128, unit: i128, name: &str) -> String {
    let (whole, tenth) = (nanoseconds / unit, nanoseconds % unit * 10 / unit);
    if tenth > 0 { format!("{whole}.{tenth} {name}") } else { format!("{whole} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i128 {
        text.parse::<shipper_events::Timestamp>().unwrap().instant().unix_timestamp_nanos()
    }

    fn ticks(from: &str, to: &str) -> Vec<String> {
        Scale::over([at(from), at(to)]).unwrap().ticks().into_iter().map(|tick| tick.label).collect()
    }

    /// (Pass) Ticks stand at round times, whatever the stretch is.
    #[test]
    fn ticks_stand_at_round_times() {
        let seconds = ticks("2026-11-23T08:12:26.839276350Z", "2026-11-23T08:12:27.994691944Z");
        assert_eq!(seconds, ["2026-11-23T08:12:27.0Z", "2026-11-23T08:12:27.5Z"]);
        let years = ["2020-01-01T00:00:00Z", "2022-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];
        assert_eq!(ticks("2019-12-31T00:00:00Z", "2026-05-01T00:00:00Z"), years);
        let months = ticks("2026-01-20T00:00:00Z", "2026-07-02T00:00:00Z");
        assert_eq!(months, (2..=7).map(|month| format!("2026-{month:02}-01T00:00:00Z")).collect::<Vec<_>>());
    }

    /// (Pass) From a nanosecond to all the years that can be written, there are ticks, in order and inside, and their
    /// labels do not touch.
    #[test]
    fn every_stretch_has_ticks() {
        let start = at("0000-01-01T00:00:00Z");
        let end = at("9999-12-31T23:59:59.999999999Z");
        let mut length = 1;
        while start + length < end {
            for from in [start, at("1969-12-31T23:59:59.999999999Z"), at("2026-11-23T08:12:26.839276350Z")] {
                let scale = Scale::over([from, (from + length).min(end)]).unwrap();
                let ticks = scale.ticks();
                assert!(ticks.len() <= 12, "{length}: {ticks:?}");
                assert!(!ticks.is_empty() || length < 4, "{length}: no tick");
                for pair in ticks.windows(2) {
                    assert!(pair[1].at.minus(pair[0].at) > Place::units(text_width(&pair[0].label)), "{ticks:?}");
                }
            }
            length = length * 7 / 3 + 1;
        }
    }

    /// (Pass) Places are in proportion to time, to a hundredth of a unit.
    #[test]
    fn places_are_in_proportion() {
        let scale = Scale::over([1000, 3000, 2000]).unwrap();
        assert_eq!(scale.place(1000), Place::units(MARGIN));
        assert_eq!(scale.place(2000), Place::units(WIDTH / 2));
        assert_eq!(scale.place(3000), Place::units(WIDTH - MARGIN));
        assert_eq!(Scale::over([5, 5]).unwrap().place(5), Place::units(WIDTH / 2), "one instant stands in the middle");
        assert_eq!(Scale::over([]), None);
    }

    /// (Pass) Durations are said in units that people use.
    #[test]
    fn durations_read_well() {
        let said =
            [0, 999, 1_500, 12_000_000, 1_155_415_594, 12 * SECOND, 90 * SECOND, 49 * HOUR, 800 * DAY].map(duration);
        assert_eq!(
            said,
            ["0 ns", "999 ns", "1.5 µs", "12 ms", "1.1 s", "12 s", "1 min 30 s", "2 d 1 h", "2 years 70 d"]
        );
    }
}
