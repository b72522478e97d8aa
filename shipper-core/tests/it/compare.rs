//! A comparison finds the first byte that differs, however the logs arrive, and counts exactly what follows the common
//! lines. Otherwise a changed artifact would look like the log of its job.

use std::io::{self, Read};

use proptest::prelude::*;
use shipper_core::audit::{CompareError, LogRelation, TailStatus, compare_logs};
use shipper_testkit::log_builder::LogBuilder;

/// Reader of pieces of a fixed length.
struct Pieces<'b>(&'b [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.1);
        self.0.read(&mut buffer[..count])
    }
}

fn sample() -> LogBuilder {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    log.publish("p");
    log.fail("q", "r");
    log.publish("q");
    log
}

/// A prefix that ends near a line feed is extended by the log, which adds the lines, events and decisions after it.
#[test]
fn prefix_is_extended() {
    let log = sample();
    let bytes = log.bytes();
    let audit = log.audit(&Default::default());
    let is_near = |end: &usize| bytes[end.saturating_sub(2)..bytes.len().min(end + 1)].contains(&b'\n');
    for end in (0..=bytes.len()).filter(is_near).chain([0]) {
        let prefix = &bytes[..end];
        let lines = prefix.iter().filter(|byte| **byte == b'\n').count() as u64;
        for (first, second, relation) in
            [(prefix, bytes, LogRelation::SecondExtendsFirst), (bytes, prefix, LogRelation::FirstExtendsSecond)]
        {
            let compared = compare_logs(Pieces(first, 7), Pieces(second, 1000)).expect("memory can be read");
            let relation = if end == bytes.len() { LogRelation::Identical } else { relation };
            assert_eq!((compared.relation, compared.common.lines), (relation, lines), "{end}");
            let (longer, shorter) = if first.len() > second.len() {
                (&compared.first, &compared.second)
            } else {
                (&compared.second, &compared.first)
            };
            assert_eq!(longer.added.lines, audit.lines - lines, "{end}");
            assert_eq!(longer.added.events.values().sum::<u64>(), audit.lines - lines, "{end}");
            let decisions: Vec<u64> = longer.added.decisions.iter().map(|decision| decision.line).collect();
            let expected = audit.decisions.iter().map(|decision| decision.line).filter(|line| *line > lines);
            assert_eq!(decisions, expected.collect::<Vec<u64>>(), "{end}");
            assert_eq!((shorter.added.lines, shorter.added.events.len()), (0, 0), "{end}");
            let is_torn = !prefix.is_empty() && !prefix.ends_with(b"\n");
            assert_eq!(shorter.tail == TailStatus::Torn, is_torn, "{end}");
            assert_eq!(compared.difference.is_none(), end == bytes.len());
        }
    }
}

/// The line and the column of a changed byte are found, and both logs quote it.
#[test]
fn changed_byte_is_quoted() {
    let log = sample();
    for at in (0..log.bytes().len()).step_by(97) {
        let mut changed = log.bytes().to_vec();
        changed[at] ^= 1;
        let compared = compare_logs(log.bytes(), &changed[..]).expect("memory can be read");
        assert_eq!(compared.relation, LogRelation::Different);
        let before = &log.bytes()[..at];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let difference = compared.difference.expect("there is one");
        assert_eq!(difference.line, before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1);
        assert_eq!(difference.column, (at - start) as u64 + 1);
        let (first, second) = (difference.first.expect("a line"), difference.second.expect("a line"));
        assert!(first != second && first.len() < 140 && second.len() < 300, "{first} {second}");
    }
}

/// A corrupt common line is shown, since later events are not counted.
#[test]
fn corrupt_line_is_shown() {
    let compared = compare_logs(&b"corrupt\n"[..], &b"corrupt\n{}\n"[..]).expect("memory can be read");
    assert_eq!((compared.second.added.corrupt_line, compared.second.added.lines), (Some(1), 1));
    assert!(compared.second.added.events.is_empty());
}

/// Many types of events, with long and hostile names, are counted in bounded memory.
#[test]
fn hostile_types_are_bounded() {
    let name = |number: usize| format!("\\u001b[2J{number}{}", "x".repeat(1000));
    let line = |number| {
        let event = name(number);
        format!(r#"{{"timestamp":"2026-11-23T08:00:00Z","event_type":{{"type":"{event}"}},"package":"all"}}"#) + "\n"
    };
    let log: String = (0..300).map(line).collect();
    let added = compare_logs(&b""[..], log.as_bytes()).expect("memory can be read").second.added;
    assert_eq!((added.events.len(), added.other_events, added.lines), (100, 200, 300));
    assert!(added.events.keys().all(|name| name.len() < 130 && !name.contains('\u{1b}')));
}

/// The error names the log that cannot be read.
#[test]
fn unreadable_log_is_named() {
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }

    assert!(matches!(compare_logs(Broken, &b""[..]), Err(CompareError::First { .. })));
    assert!(matches!(compare_logs(&b""[..], Broken), Err(CompareError::Second { .. })));
    assert!(matches!(compare_logs(&b"x"[..], b"x".chain(Broken)), Err(CompareError::Second { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes in pieces of any length have the relation of the bytes.
    #[test]
    fn relation_is_that_of_the_bytes(
        common in proptest::collection::vec(any::<u8>(), 0..300),
        first in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300),
        second in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300),
        pieces in (1_usize..400, 1_usize..400),
    ) {
        let (first, second) = ([&common[..], &first].concat(), [&common[..], &second].concat());
        let compared = compare_logs(Pieces(&first, pieces.0), Pieces(&second, pieces.1)).expect("memory can be read");
        let expected = match (first.starts_with(&second), second.starts_with(&first)) {
            (true, true) => LogRelation::Identical,
            (true, false) => LogRelation::FirstExtendsSecond,
            (false, true) => LogRelation::SecondExtendsFirst,
            (false, false) => LogRelation::Different,
        };
        prop_assert_eq!(compared.relation, expected);
        let same = first.iter().zip(&second).take_while(|(first, second)| first == second).count();
        let lines = first[..same].iter().filter(|byte| **byte == b'\n').count() as u64;
        prop_assert_eq!(compared.common.lines, lines);
    }
}
