//! The fast path gives the same result for every line as the slow path. A scan that skipped a corrupt line or a broken
//! link would hide a damaged log.
//!
//! The slow path works line by line: `parse_line`, `HeadHasher` and the rules of the chain, in `chain_oracle`.

use std::io::{self, Read};
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use shipper_events::scan::{Interest, LineContent, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::{ChainLink, EventKind, LineError, MAX_LINE_LEN, Tail, parse_line};
use shipper_testkit::chain_oracle::{Collector, Verified, verify};
use shipper_testkit::lines::split_lines;
use shipper_testkit::settings::proptest_config;

const TRACKED: u64 = 3;

fn interest(type_name: &str) -> Interest {
    match type_name {
        "package_attempted" | "package_published" | "from_tomorrow" => Interest::PackageOnly,
        "execution_started" => Interest::Full,
        _ if EventKind::from_name(type_name).is_none() => Interest::Full,
        _ => Interest::Skip,
    }
}

/// Returns the result of the fast path; `scan` feeds it the log.
fn scanned(scanner: LogScanner, scan: impl FnOnce(&mut LogScanner, &mut Collector)) -> Verified {
    Collector::scan(scanner, TRACKED, interest, scan)
}

/// Feeds the fast path with blocks of these numbers of lines, in turn.
fn in_blocks(log: &[u8], blocks: &[usize], cutoff: Option<u64>) -> Verified {
    let scanner = cutoff.map_or_else(LogScanner::new, |cutoff| LogScanner::new().with_cutoff(cutoff));
    scanned(scanner, |scanner, collector| {
        let lines: Vec<&[u8]> = split_lines(log).0.collect();
        let (mut rest, mut turn) = (&lines[..], 0);
        while !rest.is_empty() {
            let count = blocks[turn % blocks.len()].clamp(1, rest.len());
            turn += 1;
            assert!(scanner.feed(&rest[..count].concat(), collector).is_continue());
            rest = &rest[count..];
        }
    })
}

/// Feeds the fast path with pieces of these sizes in bytes, in turn.
fn in_pieces(log: &[u8], sizes: &[usize]) -> (Verified, Tail) {
    let mut tail = Tail::Clean;
    let verified = scanned(LogScanner::new(), |scanner, collector| {
        let (mut rest, mut turn) = (log, 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes[turn % sizes.len()].clamp(1, rest.len()));
            turn += 1;
            assert!(scanner.feed(piece, collector).is_continue());
            rest = after;
        }
        tail = scanner.tail();
    });
    (verified, tail)
}

/// A stream whose reads give pieces of these sizes in bytes, in turn.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.sizes[self.turn % self.sizes.len()].clamp(1, buffer.len()).min(self.rest.len());
        self.turn += 1;
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        Ok(count)
    }
}

/// Feeds the fast path from a stream, on all processors.
fn streamed(log: &[u8], sizes: &[usize]) -> (Verified, Tail) {
    let mut tail = Tail::Clean;
    let verified = scanned(LogScanner::new(), |scanner, collector| {
        let stream = Pieces { rest: log, sizes, turn: 0 };
        assert!(scanner.read_to_end(stream, collector).expect("nothing fails").is_continue());
        tail = scanner.tail();
    });
    (verified, tail)
}

fn line_by_line(log: &[u8]) -> Verified {
    verify(log, interest, TRACKED, u64::MAX)
}

/// Asserts that both results are equal, and reports the first line at which they differ.
fn same(fast: Verified, slow: Verified) {
    for (fast, slow) in fast.lines.iter().zip(&slow.lines) {
        assert_eq!(fast, slow);
    }
    let rest = |verified: Verified| Verified { lines: Vec::new(), ..verified };
    assert_eq!(fast.lines.len(), slow.lines.len());
    assert_eq!(rest(fast), rest(slow));
}

/// Values at the limits of JSON and beyond them.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => select(vec![
            "0", "7", "12", "-1", "1.5", "1e9", "01", "1.", "-", "true", "false", "null", "nul", "True", "\"\"", "\"a\"",
            "184467440737095516160", "\"é\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\udc00\"", "\"\\n\"",
            "\"\\\\\"", "\"\\\"\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u001b[32m\"", "\"tab\there\"", "\"\\\\\\\"\"", "\"\\/\"",
            r#"{"commit":"3f2a","dirty":true}"#, r#"{"commit":"X","dirty":true}"#, r#"{"commit":"3f2a"}"#,
            "[]", "{}", "[1,2]", "[1,]", "{\"a\":1}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"\":{\"\":[]}}",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,20}".prop_map(|text| format!("\"{}\"", text.replace(['"', '\\'], "'"))),
        1 => (0_usize..40).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
        1 => (120_usize..135).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
    ];
    leaf.boxed()
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "attempt",
        "visible",
        "method",
        "duration_ms",
        "type",
        "",
        "a",
        "\\u0061",
        "package",
        "timestamp",
        "event_type",
        "a_name_of_some_length",
        "a_name_of_sime_length",
        "b_name_of_some_length",
        "seq",
        "prev",
        "é",
        "name",
        "version",
        "plan_id",
        "registry",
        "package_count",
        "passed",
        "summary",
        "git",
        "already_published",
        "content",
        "eight_by",
        "seven_b",
    ])
}

fn timestamp() -> impl Strategy<Value = &'static str> {
    select(vec![
        "2026-11-23T08:12:26Z",
        "2026-11-23T08:12:26.839276350Z",
        "2026-11-23T08:12:26.8392763501234567890123Z",
        "2026-11-23T08:12:59Z",
        "2026-11-23T08:12:60Z",
        "2016-12-31T23:59:60Z",
        "2026-11-23t08:12:26Z",
        "2026-11-23T08:12:26z",
        "2026-11-23T08:12:26+01:00",
        "2026-02-30T08:12:26Z",
        "2026-11-23T24:12:26Z",
        "2026-11-23T08:12:26.Z",
        "2026-11-23T08:12:26",
        "0000-01-01T00:00:00Z",
        "2026-11-23 08:12:26Z",
        "",
    ])
}

/// A line that differs in at most a few places from what a writer writes.
fn line() -> impl Strategy<Value = String> {
    let types = select(vec![
        "readiness_poll",
        "package_output",
        "package_attempted",
        "package_published",
        "execution_started",
        "from_the_future",
        "rehearsal_started",
        "rehearsal_package_published",
        "rehearsal_complete",
        "gate_evaluated",
        "log_adopted",
        "log_continued",
        "package\\u005foutput",
        "preflight_complete",
    ]);
    let stamp = prop_oneof![9 => Just("2026-11-23T08:12:26.5Z"), 2 => timestamp()];
    let members = vec((name(), value()), 0..5);
    let package =
        prop_oneof![6 => Just("\"a@0.1.0\""), 1 => Just("\"\\u0061@0.1.0\""), 1 => Just("\"é\""), 1 => Just("7")];
    let extra = prop_oneof![9 => Just(None), 1 => (name(), value()).prop_map(Some)];
    let odd = select(vec!["", "", "", "", "", "", "", "", " ", "\t", "\r", "\u{feff}", "}", "x"]);
    (types, stamp, members, package, extra, odd, any::<Index>()).prop_map(
        |(type_name, stamp, members, package, extra, odd, place)| {
            let members: String = members.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
            let extra = extra.map(|(name, value)| format!(",\"{name}\":{value}")).unwrap_or_default();
            let mut line = format!(
                r#"{{"timestamp":"{stamp}","event_type":{{"type":"{type_name}"{members}}},"package":{package}{extra}}}"#
            );
            let places: Vec<usize> = (0..=line.len()).filter(|at| line.is_char_boundary(*at)).collect();
            line.insert_str(places[place.index(places.len())], odd);
            line
        },
    )
}

/// A line whose optional members are read on chained lines only.
fn line_with_optional_members() -> impl Strategy<Value = String> {
    let types = select(vec![
        r#""rehearsal_started","registry":"r","plan_id":"p","package_count":1"#,
        r#""plan_created","plan_id":"p","package_count":1"#,
        r#""gate_evaluated","rules":1,"plan_id":"p","skip":false,"verdict":"x","reasons":[],"basis":{"lines":0,"bytes":0,"blake3":""}"#,
        r#""gate_evaluated","rules":2,"plan_id":"p""#,
        r#""rehearsal_package_published","name":"a","version":"1""#,
        r#""package_published""#,
    ]);
    let name = select(vec!["git", "already_published", "content", "\\u0067it"]);
    (types, vec((name, value()), 0..3)).prop_map(|(members, optional)| {
        let optional: String = optional.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!(r#"{{"timestamp":"2026-11-23T08:12:26Z","event_type":{{"type":{members}{optional}}},"package":"all"}}"#)
    })
}

/// A line whose members mostly have the names of other such lines, in the same order. Some have a name twice.
fn line_with_known_names() -> impl Strategy<Value = String> {
    const NAMES: [&str; 4] = ["a", "attempt", "twelve_bytes", "thirteen_byte"];
    let types = select(vec!["readiness_poll", "package_attempted", "execution_started"]);
    let extra = prop_oneof![5 => Just(None), 1 => select(vec!["a", "attempt", "type", "", "\\u0061"]).prop_map(Some)];
    let value = || select(vec!["0", "12", "123456789", "\"x\"", "\"\\\"\"", "{\"a\":1}", "[\"a\"]", "true", "01"]);
    (types, subsequence(NAMES.to_vec(), 0..=4), extra, vec(value(), 5)).prop_map(|(type_name, names, extra, values)| {
        let members = names.into_iter().chain(extra).zip(values);
        let members: String = members.map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!(
            r#"{{"timestamp":"2026-11-23T08:12:26Z","event_type":{{"type":"{type_name}"{members}}},"package":"all"}}"#
        )
    })
}

/// `None` for an unchained line, else `Some(true)` for a link that matches and `Some(false)` for one that does not.
fn links() -> impl Strategy<Value = Option<bool>> {
    prop_oneof![4 => Just(None), 4 => Just(Some(true)), 1 => Just(Some(false))]
}

fn log_of(lines: &[(String, Option<bool>)]) -> Vec<u8> {
    let (mut log, mut previous) = (Vec::new(), Vec::new());
    for (position, (line, link)) in lines.iter().enumerate() {
        let line = match link {
            Some(fits) => {
                let link = ChainLink::to_previous(position as u64 + u64::from(!fits), &previous);
                format!("{link}{}\n", line.strip_prefix('{').unwrap_or(line))
            }
            None => format!("{line}\n"),
        };
        log.extend_from_slice(line.as_bytes());
        previous = line.into_bytes();
    }
    log
}

#[derive(Debug, Clone)]
enum Change {
    Put(Index, u8),
    Insert(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let byte = || prop_oneof![4 => select(b"\"\\{}[]:,\n\r\t 0u\xff\xc3".to_vec()), 1 => any::<u8>()];
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        (any::<Index>(), 1_usize..30).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), 1_usize..80).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn mutate(log: &mut Vec<u8>, change: &Change) {
    if log.is_empty() {
        return;
    }
    match change {
        Change::Put(at, byte) => {
            let at = at.index(log.len());
            log[at] = *byte;
        }
        Change::Insert(at, byte) => log.insert(at.index(log.len()), *byte),
        Change::Remove(at, count) => {
            let at = at.index(log.len());
            log.drain(at..(at + count).min(log.len()));
        }
        Change::Repeat(at, count) => {
            let at = at.index(log.len());
            let part = log[at..(at + count).min(log.len())].to_vec();
            log.splice(at..at, part);
        }
    }
}

/// Returns all valid lines of all fixtures.
fn valid_lines() -> Vec<u8> {
    let logs = fixtures();
    let lines = logs.iter().flat_map(|log| split_lines(log).0);
    lines.filter(|line| parse_line(line).is_ok()).collect::<Vec<&[u8]>>().concat()
}

/// Returns the logs of all fixtures: real, damaged and recorded.
fn fixtures() -> Vec<Vec<u8>> {
    let root = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut logs = Vec::new();
    for kind in ["real", "damaged", "recorded"] {
        for case in std::fs::read_dir(root.join(kind)).expect("the fixtures") {
            logs.push(std::fs::read(case.expect("a case").path().join("events.jsonl")).expect("a log"));
        }
    }
    assert!(logs.len() > 50);
    logs
}

proptest! {
    #![proptest_config(proptest_config(2_000))]

    /// Generated lines, chained and unchained, valid and invalid, in blocks of any size.
    #[test]
    fn generated_logs_agree(lines in vec((line(), links()), 1..12), blocks in vec(1_usize..8, 1..4)) {
        let log = log_of(&lines);
        same(in_blocks(&log, &blocks, None), line_by_line(&log));
    }

    /// Lines with members that are read on chained lines only.
    #[test]
    fn optional_members_agree(lines in vec((line_with_optional_members(), links()), 1..8), blocks in vec(1_usize..8, 1..4)) {
        let log = log_of(&lines);
        same(in_blocks(&log, &blocks, None), line_by_line(&log));
    }

    /// Lines with the names of earlier lines of their type.
    #[test]
    fn known_names_agree(lines in vec((line_with_known_names(), links()), 2..16), blocks in vec(1_usize..8, 1..4)) {
        let log = log_of(&lines);
        same(in_blocks(&log, &blocks, None), line_by_line(&log));
    }

    /// Real and damaged logs with random changes.
    #[test]
    fn mutated_logs_agree(log in select(fixtures()), changes in vec(change(), 0..4), blocks in vec(1_usize..30, 1..4)) {
        let mut log = log;
        for change in &changes {
            mutate(&mut log, change);
        }
        same(in_blocks(&log, &blocks, None), line_by_line(&log));
    }

    /// A log in pieces that end anywhere, and its tail.
    #[test]
    fn log_pieces_agree(log in select(fixtures()), changes in vec(change(), 0..2), sizes in vec(1_usize..900, 1..4)) {
        let mut log = log;
        for change in &changes {
            mutate(&mut log, change);
        }
        let (verified, tail) = in_pieces(&log, &sizes);
        same(verified, line_by_line(&log));
        prop_assert_eq!(tail, split_lines(&log).1);
    }

    /// Lines after the cutoff are counted and hashed, and give no other result.
    #[test]
    fn cutoff_is_applied(lines in vec((line(), links()), 1..12), blocks in vec(1_usize..8, 1..4), cutoff in 0_u64..14) {
        let log = log_of(&lines);
        same(in_blocks(&log, &blocks, Some(cutoff)), verify(&log, interest, TRACKED, cutoff));
    }
}

proptest! {
    #![proptest_config(proptest_config(12))]

    /// Logs of some megabytes, read in pieces of any size and scanned on all processors.
    #[test]
    fn parallel_scan_of_long_logs_agrees(changes in vec(change(), 0..3), sizes in vec(1_usize..400_000, 1..4), tail in "[a-z]{0,9}") {
        let lines = valid_lines();
        let mut log = lines.repeat(2_000_000 / lines.len());
        for change in &changes {
            mutate(&mut log, change);
        }
        log.extend(tail.as_bytes());
        let (verified, tail) = streamed(&log, &sizes);
        same(verified, line_by_line(&log));
        prop_assert_eq!(tail, split_lines(&log).1);
    }
}

/// Every line of every fixture, alone in its block.
#[test]
fn single_fixture_lines_agree() {
    for log in fixtures() {
        same(in_blocks(&log, &[1], None), line_by_line(&log));
        same(in_blocks(&log, &[usize::MAX], None), line_by_line(&log));
    }
}

/// A line of a stream above the length limit is corrupt, whatever its content. A line of exactly the limit is not.
#[test]
fn oversized_lines_are_corrupt() {
    let line = |bytes: usize| {
        let rest = r#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_output","stdout_tail":""},"package":"a"}"#;
        rest.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - rest.len() - 1))) + "\n"
    };
    for (bytes, expected) in [(MAX_LINE_LEN, None), (MAX_LINE_LEN + 1, Some(2))] {
        let log = line(400) + &line(bytes) + &line(400);
        for sizes in [&[usize::MAX][..], &[1 << 16], &[MAX_LINE_LEN - 1, 1, 1, 1]] {
            for (verified, tail) in [in_pieces(log.as_bytes(), sizes), streamed(log.as_bytes(), sizes)] {
                let corrupt = verified.lines.iter().find_map(|line| match &line.content {
                    Some(LineContent::Corrupt(error)) => Some((line.line, error.as_ref().clone())),
                    _ => None,
                });
                assert_eq!(corrupt, expected.map(|line| (line, LineError::too_long())), "{bytes} bytes");
                assert_eq!((verified.head, tail), (line_by_line(log.as_bytes()).head, Tail::Clean), "{bytes} bytes");
            }
        }
    }
}

/// A visitor that breaks at the first line.
struct Once(u32);

impl LogVisitor for Once {
    fn interest(&self) -> fn(&str) -> Interest {
        |_| Interest::Skip
    }

    fn visit(&mut self, _: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
        self.0 += 1;
        ControlFlow::Break(())
    }
}

/// A visitor that breaks ends the reading.
#[test]
fn a_break_ends_the_reading() {
    let log = "x\n".repeat(2_000_000) + "y";
    let mut stream = log.as_bytes();
    let mut visits = Once(0);
    let mut scanner = LogScanner::new();
    assert!(scanner.read_to_end(&mut stream, &mut visits).expect("nothing fails").is_break());
    assert_eq!((visits.0, scanner.lines()), (1, 0));
    assert!(!stream.is_empty(), "it stopped reading");
}

fn line_of_output() -> String {
    r#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_output","stdout_tail":"done\n"},"package":"a"}"#
        .to_owned()
        + "\n"
}

/// An empty piece changes nothing: the next line links to the latest line before the piece.
#[test]
fn an_empty_piece_changes_nothing() {
    let lines = vec![(line_of_output().trim_end().to_owned(), Some(true)); 2];
    let log = log_of(&lines);
    let (first, second) = log.split_at(split_lines(&log).0.next().expect("a line").len());
    let verified = scanned(LogScanner::new(), |scanner, collector| {
        for piece in [first, b"", &second[..9], b"", &second[9..]] {
            assert!(scanner.feed(piece, collector).is_continue());
        }
    });
    same(verified, line_by_line(&log));
}
