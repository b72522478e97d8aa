//! The fast timestamp parser gives the same instants as the `time` crate, because an audit compares instants.

use proptest::prelude::*;
use proptest::sample::select;
use shipper_events::Timestamp;
use shipper_testkit::settings::proptest_config;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Text in the shape of a timestamp, near the limits of its fields.
fn shaped() -> impl Strategy<Value = String> {
    let date = (
        select(vec![0, 1, 1900, 1999, 2000, 2016, 2024, 2026, 2100, 9999]),
        prop_oneof![0_u8..15, Just(99)],
        prop_oneof![0_u8..34, Just(99)],
    );
    let time = (prop_oneof![0_u8..26, Just(99)], prop_oneof![0_u8..62, Just(99)], prop_oneof![0_u8..63, Just(99)]);
    let zone = prop_oneof![4 => Just("Z"), 1 => Just("z"), 1 => select(vec!["+00:00", "-00:00", "+23:59", "-12:30", "+24:00"])];
    let fraction = prop_oneof![Just(String::new()), "[0-9]{1,20}".prop_map(|digits| format!(".{digits}"))];
    (date, time, fraction, zone).prop_map(|((year, month, day), (hour, minute, second), fraction, zone)| {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
    })
}

proptest! {
    #![proptest_config(proptest_config(10_000))]

    /// Both parsers accept the same texts, with the same instants.
    #[test]
    fn agrees_with_the_time_crate(text in shaped()) {
        let ours = text.parse::<Timestamp>().ok().map(|timestamp| timestamp.instant());
        prop_assert_eq!(ours, OffsetDateTime::parse(&text, &Rfc3339).ok());
    }
}
