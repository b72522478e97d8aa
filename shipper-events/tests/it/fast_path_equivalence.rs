//! The short way says of every line what the long way says: a survey that passed over a corrupt line, or a broken link,
//! would let a log lie at full speed.
//!
//! The long way is line by line: `parse_line`, `Chain` and `HeadHasher`.

use std::io;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use shipper_events::{
    Chain, ChainError, ChainLink, EventType, Follower, Head, HeadHasher, LineError, MAX_LINE_LEN, ParsedLine, Piece,
    Regard, Survey, Tail, What, parse_line, scan, survey, survey_stream,
};
use shipper_testkit::settings::proptest_config;

/// Everything that following a log tells.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    seen: Vec<OneLine>,
    head: Head,
    kept: Option<Head>,
    any_chained: bool,
    any_foreign: bool,
}

/// What is told of one line; its head where it is an event that was built.
#[derive(Debug, Clone, PartialEq)]
struct OneLine {
    line: u64,
    what: Option<What<u8>>,
    breaks: Vec<ChainError>,
    begins_foreign_stretch: bool,
    head: Option<Head>,
}

const KEPT: u64 = 3;

fn regard(type_name: &str) -> Regard<u8> {
    match type_name {
        "package_attempted" => Regard::Brief(1),
        "package_published" => Regard::Brief(2),
        "execution_started" => Regard::Whole,
        _ if !EventType::is_known(type_name) => Regard::Whole,
        _ => Regard::Quiet,
    }
}

/// Types with members that are read: they are built whatever anybody wants of them.
const READ: [&str; 8] = [
    "plan_created",
    "rehearsal_started",
    "rehearsal_package_published",
    "rehearsal_complete",
    "gate_evaluated",
    "log_adopted",
    "tail_repaired",
    "log_continued",
];

/// The long way.
fn line_by_line(log: &[u8]) -> Told {
    let (mut chain, mut prefix, mut seen, mut corrupt) = (Chain::new(), HeadHasher::new(), Vec::new(), false);
    let mut kept = None;
    for bytes in scan(log).0 {
        let line = prefix.lines() + 1;
        let mut told = OneLine { line, what: None, breaks: Vec::new(), begins_foreign_stretch: false, head: None };
        match parse_line(bytes) {
            _ if corrupt => {}
            Err(corruption) => {
                corrupt = true;
                told.what = Some(What::Corrupt(Box::new(corruption)));
            }
            Ok(parsed) => {
                let followed = chain.follow(bytes, &parsed, &prefix);
                (told.breaks, told.begins_foreign_stretch) = (followed.breaks, followed.begins_foreign_stretch);
                told.what = match parsed {
                    ParsedLine::Blank => Some(What::Blank),
                    ParsedLine::Event(record) if READ.contains(&record.type_name()) => {
                        Some(What::Event(Box::new(record.into_event())))
                    }
                    ParsedLine::Event(record) => match regard(record.type_name()) {
                        Regard::Quiet => None,
                        Regard::Brief(kind) => Some(What::Brief { kind, package: record.package().into() }),
                        Regard::Whole => Some(What::Event(Box::new(record.into_event()))),
                    },
                };
            }
        }
        prefix.push_line(bytes);
        if matches!(told.what, Some(What::Event(_))) {
            told.head = Some(prefix.head());
        }
        if line == KEPT {
            kept = Some(prefix.head());
        }
        if told.what.is_some() || !told.breaks.is_empty() || told.begins_foreign_stretch {
            seen.push(told);
        }
    }
    Told { seen, head: prefix.head(), kept, any_chained: chain.any_chained(), any_foreign: chain.any_foreign() }
}

/// The short way, put together block by block; after a corrupt line only bytes count.
#[derive(Default)]
struct Following {
    follower: Option<Follower>,
    seen: Vec<OneLine>,
    corrupt: bool,
}

impl Following {
    fn take(&mut self, block: Survey<'_, u8>) {
        let follower = self.follower.get_or_insert_with(|| {
            let mut follower = Follower::new();
            follower.keep(KEPT);
            follower
        });
        if self.corrupt {
            return follower.pass(block.bytes());
        }
        let (seen, corrupt) = (&mut self.seen, &mut self.corrupt);
        let taken = follower.take(block, |told, place| {
            *corrupt |= matches!(told.what, Some(What::Corrupt(_)));
            let head = matches!(told.what, Some(What::Event(_))).then(|| place.head());
            let (breaks, begins_foreign_stretch) = (told.followed.breaks, told.followed.begins_foreign_stretch);
            seen.push(OneLine { line: told.line, what: told.what, breaks, begins_foreign_stretch, head });
            Ok::<(), ()>(())
        });
        taken.expect("nothing here fails");
    }

    fn told(self) -> Told {
        let follower = self.follower.unwrap_or_default();
        Told {
            seen: self.seen,
            head: follower.head(),
            kept: follower.kept(KEPT),
            any_chained: follower.chain().any_chained(),
            any_foreign: follower.chain().any_foreign(),
        }
    }
}

/// The short way, in blocks of so many lines in turn.
fn surveyed(log: &[u8], blocks: &[usize]) -> Told {
    let mut following = Following::default();
    let lines: Vec<&[u8]> = scan(log).0.collect();
    let (mut rest, mut turn) = (&lines[..], 0);
    while !rest.is_empty() {
        let count = blocks[turn % blocks.len()].clamp(1, rest.len());
        turn += 1;
        following.take(survey(&rest[..count].concat(), regard));
        rest = &rest[count..];
    }
    following.told()
}

/// The short way, from a stream that gives so many bytes at a time, on all processors.
fn streamed(log: &[u8], sizes: &[usize]) -> (Told, Tail) {
    let (mut following, mut rest, mut turn) = (Following::default(), log, 0);
    let read = |buffer: &mut [u8]| {
        let count = sizes[turn % sizes.len()].clamp(1, buffer.len()).min(rest.len());
        turn += 1;
        buffer[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        Ok(count)
    };
    let tail = survey_stream(read, regard, |piece| {
        if let Piece::Lines(block) = piece {
            following.take(block);
        }
        Ok::<(), io::Error>(())
    });
    (following.told(), tail.expect("nothing here fails"))
}

/// Stops at the first line of which they tell differently.
fn same(short: Told, long: Told) {
    for (short, long) in short.seen.iter().zip(&long.seen) {
        assert_eq!(short, long);
    }
    let rest = |told: Told| (told.seen.len(), told.head, told.kept, told.any_chained, told.any_foreign);
    assert_eq!(rest(short), rest(long));
}

/// Values, near the edges of JSON and beyond them.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => select(vec![
            "0", "7", "12", "-1", "1.5", "1e9", "01", "1.", "-", "true", "false", "null", "nul", "True", "\"\"", "\"a\"",
            "184467440737095516160", "\"é\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\udc00\"", "\"\\n\"",
            "\"\\\\\"", "\"\\\"\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u001b[32m\"", "\"tab\there\"", "\"\\\\\\\"\"", "\"\\/\"",
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

/// One line, most often as a writer writes it but for one thing or two.
fn line() -> impl Strategy<Value = String> {
    let types = select(vec![
        "readiness_poll",
        "package_output",
        "package_attempted",
        "package_published",
        "execution_started",
        "from_the_future",
        "rehearsal_started",
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

/// Whether a line is chained, and whether its link is made to fit.
fn links() -> impl Strategy<Value = Option<bool>> {
    prop_oneof![4 => Just(None), 4 => Just(Some(true)), 1 => Just(Some(false))]
}

fn log_of(lines: &[(String, Option<bool>)]) -> Vec<u8> {
    let (mut log, mut previous) = (Vec::new(), Vec::new());
    for (position, (line, link)) in lines.iter().enumerate() {
        let line = match link {
            Some(fits) => {
                let link = ChainLink::after(position as u64 + u64::from(!fits), &previous);
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

/// All lines of all logs that are not corrupt.
fn whole_lines() -> Vec<u8> {
    let logs = fixtures();
    let lines = logs.iter().flat_map(|log| scan(log).0);
    lines.filter(|line| parse_line(line).is_ok()).collect::<Vec<&[u8]>>().concat()
}

/// Logs that a real tool wrote, damaged ones, and recorded ones.
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
    #![proptest_config(proptest_config(4000))]

    /// (Pass) Generated lines, chained and not, right and wrong, in blocks of any size.
    #[test]
    fn generated_logs_agree(lines in vec((line(), links()), 1..12), blocks in vec(1_usize..8, 1..4)) {
        let log = log_of(&lines);
        same(surveyed(&log, &blocks), line_by_line(&log));
    }

    /// (Pass) Real and damaged logs, changed at random.
    #[test]
    fn mutated_logs_agree(log in select(fixtures()), changes in vec(change(), 0..4), blocks in vec(1_usize..30, 1..4)) {
        let mut log = log;
        for change in &changes {
            mutate(&mut log, change);
        }
        same(surveyed(&log, &blocks), line_by_line(&log));
    }
}

proptest! {
    #![proptest_config(proptest_config(12))]

    /// (Pass) Logs of some megabytes, read in pieces of any size and surveyed on all processors.
    #[test]
    fn parallel_scan_of_long_logs_agrees(changes in vec(change(), 0..3), sizes in vec(1_usize..400_000, 1..4), tail in "[a-z]{0,9}") {
        let whole = whole_lines();
        let mut log = whole.repeat(2_000_000 / whole.len());
        for change in &changes {
            mutate(&mut log, change);
        }
        log.extend(tail.as_bytes());
        let (told, torn) = streamed(&log, &sizes);
        same(told, line_by_line(&log));
        prop_assert_eq!(torn, scan(&log).1);
    }
}

/// (Pass) Every line of every fixture, alone in its block.
#[test]
fn single_fixture_lines_agree() {
    for log in fixtures() {
        same(surveyed(&log, &[1]), line_by_line(&log));
        same(surveyed(&log, &[usize::MAX]), line_by_line(&log));
    }
}

/// (Fail) A line that is longer than a line may be is corrupt from a stream, too, whatever it holds; one that is exactly so
/// long is not.
#[test]
fn oversized_lines_are_corrupt() {
    let line = |bytes: usize| {
        let rest = r#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_output","stdout_tail":""},"package":"a"}"#;
        rest.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - rest.len() - 1))) + "\n"
    };
    for (bytes, expected) in [(MAX_LINE_LEN, None), (MAX_LINE_LEN + 1, Some(LineError::too_long()))] {
        let log = line(400) + &line(bytes) + &line(400);
        let mut corrupt = None;
        let (mut lines, mut rest) = (0, log.as_bytes());
        let read = |buffer: &mut [u8]| io::Read::read(&mut rest, buffer);
        let tail = survey_stream(read, regard, |piece| {
            match piece {
                Piece::Lines(block) => {
                    lines += block.lines();
                    if let Some(What::Corrupt(found)) = block.notables().last().map(|last| &last.what) {
                        corrupt = Some(found.as_ref().clone());
                    }
                }
                Piece::LongPart { ends_line, .. } if ends_line => {
                    (lines, corrupt) = (lines + 1, Some(LineError::too_long()));
                }
                Piece::LongPart { .. } => {}
            }
            Ok::<(), io::Error>(())
        });
        assert_eq!((tail.expect("nothing fails"), lines, corrupt), (Tail::Clean, 3, expected), "{bytes} bytes");
    }
}

/// (Pass) An error of whoever takes the pieces ends the reading, and comes back.
#[test]
fn visitor_error_stops_the_scan() {
    let log = line_of_output().repeat(200_000);
    let (mut rest, mut taken) = (log.as_bytes(), 0);
    let ended = survey_stream(
        |buffer| io::Read::read(&mut rest, buffer),
        regard,
        |_| {
            taken += 1;
            if taken < 3 { Ok(()) } else { Err(io::Error::other("enough")) }
        },
    );
    assert_eq!(ended.expect_err("it was ended").to_string(), "enough");
    assert_eq!(taken, 3);
    assert!(!rest.is_empty(), "it stopped reading");
}

fn line_of_output() -> String {
    r#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_output","stdout_tail":"done\n"},"package":"a"}"#
        .to_owned()
        + "\n"
}

/// (Pass) A block without a line changes nothing: the next line follows the last one that there was.
#[test]
fn empty_block_changes_nothing() {
    let lines = vec![(line_of_output().trim_end().to_owned(), Some(true)); 2];
    let log = log_of(&lines);
    let first = scan(&log).0.next().expect("a line").len();
    let mut following = Following::default();
    for block in [&log[..first], b"", b"half a li", &log[first..]] {
        following.take(survey(block, regard));
    }
    same(following.told(), line_by_line(&log));
    let whole = survey(&log, regard);
    assert_eq!(whole.split(1), log.split_at(first));
    assert_eq!(whole.split(3), (&log[..], &b""[..]));
}
