//! The time axis: from an instant to a percentage of its length, and the times that label it.
//!
//! It is computed in whole numbers, so that the same log gives the same page on every machine.

use std::fmt;

use time::OffsetDateTime;

const SECOND: i128 = 1_000_000_000;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

/// A position on the axis, or a length, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Percent(pub(super) i64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}%", self.0 / 100, self.0 % 100)
    }
}

/// The time that the axis spans, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    from: i128,
    to: i128,
}

impl Scale {
    /// Returns the scale from the earliest of some instants to the latest, or `None` without instants. If all are equal,
    /// they are in the middle of a second.
    pub(super) fn over(instants: impl Iterator<Item = i128> + Clone) -> Option<Self> {
        let (from, to) = (instants.clone().min()?, instants.max()?);
        let half = if from == to { SECOND / 2 } else { 0 };
        Some(Self { from: from - half, to: to + half })
    }

    /// Returns the position of an instant.
    pub(super) fn position(self, instant: i128) -> Percent {
        let length = self.to - self.from;
        let along = (instant - self.from).clamp(0, length) * 10_000 / length;
        Percent(i64::try_from(along).unwrap_or(0))
    }

    /// Returns the length in words.
    pub(super) fn length(self) -> String {
        duration(self.to - self.from)
    }

    /// Returns round times with their positions: as many as have room for their labels.
    pub(super) fn ticks(self) -> Vec<(Percent, String)> {
        let length = self.to - self.from;
        // The labels of the others have the date, or many digits.
        let most = |step| if (SECOND / 1000..HOUR).contains(&step) { 8 } else { 5 };
        let fractions = (0..9).flat_map(|zeros| [1, 2, 5].map(|digit| digit * 10_i128.pow(zeros)));
        let clock = [SECOND, MINUTE].into_iter().flat_map(|unit| [1, 2, 5, 10, 15, 30].map(|count| count * unit));
        let hours = [1, 2, 3, 6, 12].map(|count| count * HOUR);
        let days = (0..7).flat_map(|zeros| [1, 2, 5].map(|digit| digit * 10_i128.pow(zeros) * DAY));
        let step =
            fractions.chain(clock).chain(hours).chain(days).find(|step| step * most(*step) >= length).unwrap_or(length);
        let first = self.from.div_euclid(step) + i128::from(self.from.rem_euclid(step) != 0);
        let instants = (first..).map(|multiple| multiple * step).take_while(|at| *at <= self.to);
        instants.filter_map(|at| Some((self.position(at), tick_label(at, step)?))).collect()
    }
}

/// Labels an instant as exactly as the step demands: a date, a date and an hour, or a time within the day.
fn tick_label(instant: i128, step: i128) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(instant).ok()?;
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    if step >= DAY {
        return Some(format!("{year:04}-{month:02}-{day:02}"));
    }
    if step >= HOUR {
        return Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z"));
    }
    let digits = (0..9).find(|digits| step % 10_i128.pow(9 - digits) == 0).map_or(9, |digits| digits as usize);
    let fraction: String =
        format!(".{:09}", at.nanosecond()).chars().take(if digits > 0 { 1 + digits } else { 0 }).collect();
    Some(format!("{hour:02}:{minute:02}:{second:02}{fraction}Z"))
}

/// Words a duration in its two largest units.
fn duration(nanoseconds: i128) -> String {
    let units = [(365 * DAY, "years"), (DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let of = |(position, (unit, name)): (usize, &(i128, &str))| {
        let (next, next_name) = units.get(position + 1)?;
        let (whole, rest) = (nanoseconds / unit, nanoseconds % unit / next);
        let rest = if rest > 0 { format!(" {rest} {next_name}") } else { String::new() };
        (whole > 0).then(|| format!("{whole} {name}{rest}"))
    };
    let short = || match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => decimal(nanoseconds, 1_000, "µs"),
        1_000_000..SECOND => decimal(nanoseconds, 1_000_000, "ms"),
        _ => decimal(nanoseconds, SECOND, "s"),
    };
    units.iter().enumerate().find_map(of).unwrap_or_else(short)
}

/// Words a number of units with at most one decimal.
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

    /// (Pass) Ticks are at round times, and their labels name what differs between them.
    #[test]
    fn ticks_are_at_round_times() {
        for (from, to, labels) in [
            (
                "2026-11-23T08:12:26.839Z",
                "2026-11-23T08:12:27.994Z",
                &["08:12:27.0Z", "08:12:27.2Z", "08:12:27.4Z", "08:12:27.6Z", "08:12:27.8Z"][..],
            ),
            (
                "2026-11-23T08:12:26Z",
                "2026-11-23T09:01:00Z",
                &["08:20:00Z", "08:30:00Z", "08:40:00Z", "08:50:00Z", "09:00:00Z"],
            ),
            (
                "2019-12-31T00:00:00Z",
                "2026-05-01T00:00:00Z",
                &["2020-08-26", "2022-01-08", "2023-05-23", "2024-10-04", "2026-02-16"],
            ),
        ] {
            let ticks = Scale::over([at(from), at(to)].into_iter()).unwrap().ticks();
            assert!(ticks.iter().zip(labels).all(|((_, label), part)| label == part), "{ticks:?}");
            assert_eq!(ticks.len(), labels.len(), "{ticks:?}");
        }
    }

    /// (Pass) From a nanosecond to all the years that can be written, there are ticks, and their labels do not touch.
    #[test]
    fn every_length_has_ticks() {
        let (start, end) = (at("0000-01-01T00:00:00Z"), at("9999-12-31T23:59:59.999999999Z"));
        let mut length = 1;
        while start + length < end {
            for from in [start, at("1969-12-31T23:59:59.999999999Z"), at("2026-11-23T08:12:26.839276350Z")] {
                let ticks = Scale::over([from, (from + length).min(end)].into_iter()).unwrap().ticks();
                assert!(!ticks.is_empty() && ticks.len() <= 9, "{length}: {ticks:?}");
                // A character takes less than a hundredth of the narrowest drawing.
                let apart = |pair: &[(Percent, String)]| {
                    pair[1].0.0 - pair[0].0.0 > 100 * i64::try_from(pair[0].1.len()).unwrap()
                };
                assert!(ticks.windows(2).all(apart), "{length}: {ticks:?}");
            }
            length = length * 7 / 3 + 1;
        }
    }

    /// (Pass) Positions are in proportion to time, and one instant is in the middle.
    #[test]
    fn positions_are_in_proportion() {
        let scale = Scale::over([1000, 3000, 2000].into_iter()).unwrap();
        assert_eq!([1000, 2001, 3000].map(|at| scale.position(at).to_string()), ["0.00%", "50.05%", "100.00%"]);
        assert_eq!(Scale::over([5, 5].into_iter()).unwrap().position(5), Percent(5000));
        assert_eq!(Scale::over([].into_iter()), None);
    }

    /// (Pass) Durations are in units that people use.
    #[test]
    fn durations_are_readable() {
        let words =
            [0, 999, 1_500, 12_000_000, 1_155_415_594, 12 * SECOND, 90 * SECOND, 49 * HOUR, 800 * DAY].map(duration);
        assert_eq!(
            words,
            ["0 ns", "999 ns", "1.5 µs", "12 ms", "1.1 s", "12 s", "1 min 30 s", "2 d 1 h", "2 years 70 d"]
        );
    }
}
