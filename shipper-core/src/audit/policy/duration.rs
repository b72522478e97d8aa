//! Durations in a policy, in whole seconds: a number and a unit.

/// The units, the longest first, with their seconds.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The longest duration, in seconds: 100 years of 365 days.
pub(super) const MAX_SECONDS: u64 = 100 * 365 * 86_400;

/// Returns the seconds of a text such as `24h`. `None` unless it is a positive number with a unit, and at most 100 years.
pub(super) fn parse_duration(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let (_, seconds) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
    let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    let total = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=MAX_SECONDS).contains(&total).then_some(total)
}

/// Returns a duration in its two largest units without weeks, such as `2d 3h`, rounded down.
pub(super) fn format_duration(seconds: u64) -> String {
    let (mut rest, mut parts) = (seconds, Vec::new());
    for (unit, length) in UNITS.into_iter().skip(1) {
        if rest / length > 0 {
            parts.push(format!("{}{unit}", rest / length));
        }
        rest %= length;
    }
    parts.truncate(2);
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}
