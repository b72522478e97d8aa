//! The reader rejects exactly the lines that the format calls corrupt, with column and reason. A lenient reader would
//! let two tools read one log in two ways.

use std::fmt::Write;

use shipper_events::{EventReader, LineError, LineErrorKind, MAX_LINE_LEN, ParsedLine, ReadError, parse_line};
use shipper_testkit::settings::cpu_time;

const STAMP: &str = r#""timestamp":"2026-11-23T08:00:00Z""#;

/// Returns a line with this event type.
fn typed(event_type: &str) -> String {
    format!(r#"{{{STAMP},"event_type":{event_type},"package":"all"}}"#)
}

/// Returns a line with this extra member.
fn with(member: &str) -> String {
    format!(r#"{{{STAMP},"event_type":{{"type":"x"}},"package":"all",{member}}}"#)
}

fn corruption(line: &[u8]) -> LineError {
    match parse_line(line) {
        Err(corruption) => corruption,
        Ok(parsed) => panic!("{} is accepted: {parsed:?}", String::from_utf8_lossy(line)),
    }
}

/// Each rule has a line that breaks it, with the column and the message of the error.
#[test]
fn each_rule_has_its_reason_and_column() {
    let nested = |depth: usize| with(&format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth)));
    let lines: Vec<Vec<u8>> = [
        // Not one object.
        "null".to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
        format!("{}{}", typed(r#"{"type":"x"}"#), typed(r#"{"type":"x"}"#)),
        typed(r#"{"type":"x"}"#) + ",",
        // Grammar.
        with(r#""x":01"#),
        with(r#""x":.5"#),
        with(r#""x":1."#),
        with(r#""x":1e"#),
        with(r#""x":+1"#),
        with(r#""x":NaN"#),
        with(r#""x":True"#),
        with(r#""x":nul"#),
        with(r#""x":'y'"#),
        with(r#""x":[1,]"#),
        with(r#""x":[1 2]"#),
        with(r#""x":{"y":1,}"#),
        with(r#""x":{"y" 1}"#),
        with(r#""x":{y:1}"#),
        with(r#""x":"y"#),
        with(r#""x":"\x41""#),
        with(r#""x":"\u12g4""#),
        with("\"x\":\"\t\""),
        with("\"x\":\"\u{0}\""),
        // Surrogates.
        with(r#""x":"\ud800""#),
        with(r#""x":"\udc00\ud800""#),
        with(r#""x":"\ud83dA""#),
        with(r#""x":"\ud83d\ud83d""#),
        with(r#""\udfff":1"#),
        // Duplicates.
        with(r#""x":1,"x":1"#),
        with(r#""package":"all""#),
        with(r#""x":{"y":[{"z":1,"z":1}]}"#),
        with(r#""é":1,"\u00e9":2"#),
        with(r#""x\/y":1,"x/y":2"#),
        with(r#""😀":1,"\ud83d\ude00":2"#),
        typed(r#"{"type":"x","type":"x"}"#),
        // Depth: the line's object is 1.
        nested(128),
        // Members.
        r#"{"event_type":{"type":"x"},"package":"all"}"#.to_owned(),
        r#"{"timestamp":7,"event_type":{"type":"x"},"package":"all"}"#.to_owned(),
        typed(r#""x""#),
        typed("{}"),
        typed(r#"{"type":null}"#),
        format!(r#"{{{STAMP},"event_type":{{"type":"x"}}}}"#),
        format!(r#"{{{STAMP},"event_type":{{"type":"x"}},"package":null}}"#),
        // Members that are read.
        typed(r#"{"type":"rehearsal_started","registry":"r","plan_id":"p"}"#),
        typed(r#"{"type":"rehearsal_started","registry":"","plan_id":"p","package_count":1}"#),
        typed(r#"{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":-1}"#),
        typed(r#"{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1.0}"#),
        typed(r#"{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1e2}"#),
        typed(r#"{"type":"rehearsal_package_published","name":"a"}"#),
        typed(r#"{"type":"rehearsal_complete","passed":"true","registry":"r","plan_id":"p","summary":""}"#),
        typed(r#"{"type":"rehearsal_complete","passed":true,"registry":"r","plan_id":"p"}"#),
        typed(r#"{"type":"plan_created","plan_id":"p","package_count":null}"#),
        typed(r#"{"type":"plan_created","plan_id":"p","package_count":1,"gate":"7"}"#),
        typed(r#"{"type":"log_adopted","lines":1,"bytes":2}"#),
        typed(r#"{"type":"tail_repaired","bytes":2,"blake3":null}"#),
        typed(r#"{"type":"log_continued","lines":"1","bytes":2,"blake3":""}"#),
        typed(r#"{"type":"gate_evaluated","plan_id":"p"}"#),
        typed(r#"{"type":"gate_evaluated","rules":2,"plan_id":""}"#),
        typed(r#"{"type":"gate_evaluated","rules":1,"plan_id":"p"}"#),
        typed(r#"{"type":"gate_evaluated","rules":1,"plan_id":"p","rehearsal_registry":"","skip":false,"verdict":"x","reasons":[],"basis":{"lines":0,"bytes":0,"blake3":""}}"#),
        typed(r#"{"type":"gate_evaluated","rules":1,"plan_id":"p","skip":false,"verdict":"x","reasons":[1],"basis":{"lines":0,"bytes":0,"blake3":""}}"#),
        typed(r#"{"type":"gate_evaluated","rules":1,"plan_id":"p","skip":false,"verdict":"x","reasons":[],"basis":{"lines":0,"bytes":0}}"#),
    ]
    .map(String::into_bytes)
    .into_iter()
    .chain([
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"x\":\"\xff\"}".to_vec(),
        b"{\"x\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"x\":\"\xc0\xaf\"}".to_vec(),
        vec![b'\x0c'],
    ])
    .collect();
    let mut page = String::new();
    for line in &lines {
        let mut shown = String::from_utf8_lossy(line).replace(STAMP, "STAMP");
        if shown.len() > 200 {
            shown = format!("{}…", shown.chars().take(60).collect::<String>());
        }
        writeln!(page, "{}\n  {}", shown.escape_debug().to_string().replace("\\\"", "\""), corruption(line))
            .expect("a string");
    }
    insta::assert_snapshot!(page);
}

/// Unusual lines that the format allows are accepted.
#[test]
fn unusual_valid_lines_are_accepted() {
    let nested = |depth: usize| with(&format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth)));
    for line in [
        typed(r#"{"type":"x"}"#),
        typed(r#"{"type":""}"#),
        format!(" \t{} \r", typed(r#"{"type":"x"}"#)),
        with(r#""x":-0,"y":1E+2,"z":0.0e-0,"X":[ ],"":{ }"#),
        with(r#""x":"\ud83d\ude00\u0000\u007f""#),
        with("\"x\":\"\u{7f}\u{85}\u{2028}\u{feff}\""),
        with(r#""x":{"type":1},"y":{"type":1}"#),
        with("\"\\u0078\":1,\"x \":1"),
        nested(127),
        typed(
            r#"{"type":"rehearsal_started","registry":" ","plan_id":"\u0000","package_count":99999999999999999999999999}"#,
        ),
        typed(r#"{"type":"rehearsal_package_published","name":"","version":""}"#),
        typed(r#"{"type":"plan_created","plan_id":"p","package_count":0,"gate":null}"#),
        typed(r#"{"type":"plan_created","plan_id":"p","package_count":0,"gate":123456789012345678901234567890}"#),
        typed(r#"{"type":"rehearsal_package_failed"}"#),
        typed(r#"{"type":"rehearsal_smoke_check_started","registry":""}"#),
        typed(r#"{"type":"gate_evaluated","rules":2,"plan_id":"p"}"#),
        typed(r#"{"type":"gate_evaluated","rules":0,"plan_id":"p","reasons":7}"#),
        typed(
            r#"{"type":"gate_evaluated","rules":1,"plan_id":"p","actor":null,"skip":true,"verdict":"","reasons":["?"],"basis":{"lines":0,"bytes":0,"blake3":"no hash"}}"#,
        ),
    ] {
        assert!(
            matches!(parse_line(line.as_bytes()), Ok(ParsedLine::Event(_))),
            "{line}: {:?}",
            parse_line(line.as_bytes())
        );
    }
}

/// A timestamp is RFC 3339 with `T`, in any offset.
#[test]
fn timestamps_are_rfc_3339_with_t() {
    let line = |stamp: &str| format!(r#"{{"timestamp":"{stamp}","event_type":{{"type":"x"}},"package":"all"}}"#);
    for stamp in [
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00z",
        "2026-11-23T08:00:00.1Z",
        "2026-11-23T08:00:00.123456789Z",
        "2026-11-23T08:00:00.12345678901234567890Z",
        "2026-11-23T08:00:00+23:59",
        "2026-11-23T08:00:00-00:00",
        "2024-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
    ] {
        assert!(parse_line(line(stamp).as_bytes()).is_ok(), "{stamp}");
    }
    for stamp in [
        "",
        "2026-11-23",
        "2026-11-23 08:00:00Z",
        "2026-11-23t08:00:00Z",
        "2026-11-23T08:00:00",
        "2026-11-23T08:00Z",
        "2026-11-23T08:00:00.Z",
        "2026-11-23T08:00:00,5Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-13-01T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "2026-11-23T08:00:00+24:00",
        "2026-11-23T08:00:00+01:60",
        "2026-11-23T08:00:00+0100",
        "2026-11-23T08:00:00+01",
        "2026-11-23T08:00:00Z ",
        " 2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00ZZ",
        "26-11-23T08:00:00Z",
        "+2026-11-23T08:00:00Z",
        "2026-11-23T08:00:61Z",
        "2026-11-23T08:00:0\u{0665}Z",
    ] {
        let found = corruption(line(stamp).as_bytes());
        assert!(matches!(found.kind, LineErrorKind::WrongKind { member: "timestamp", .. }), "{stamp}: {found}");
    }
}

/// The length limit includes the LF, and the length is checked before anything else.
#[test]
fn a_line_may_be_16_mib_and_no_longer() {
    let line = |length: usize| {
        let bare = with("\"x\":\"\"").len();
        with(&format!("\"x\":\"{}\"", "y".repeat(length - bare - 1))) + "\n"
    };
    let longest = line(MAX_LINE_LEN);
    assert_eq!(longest.len(), MAX_LINE_LEN);
    assert!(parse_line(longest.as_bytes()).is_ok());
    assert!(EventReader::new(longest.as_bytes()).all(|read| read.is_ok()));
    let too_long = line(MAX_LINE_LEN + 1);
    assert_eq!(corruption(too_long.as_bytes()).kind, LineErrorKind::TooLong);
    let blank = vec![b' '; MAX_LINE_LEN];
    assert_eq!(corruption(&blank).kind, LineErrorKind::TooLong, "the length is checked before blankness");
    assert!(matches!(parse_line(&blank[1..]), Ok(ParsedLine::Blank)));
    let mut read = EventReader::new(too_long.as_bytes());
    assert!(matches!(read.next(), Some(Err(ReadError::Corrupt { line: 1, .. }))));
    assert!(read.next().is_none());
}

/// A blank line is no event and not corrupt; other white space is no white space of JSON.
#[test]
fn blank_lines_are_spaces_tabs_and_cr_only() {
    for blank in ["", " ", "\t\r ", "\r", "\r\n", "\n"] {
        assert_eq!(parse_line(blank.as_bytes()), Ok(ParsedLine::Blank), "{blank:?}");
    }
    for other in ["\u{b}", "\u{a0}", "\u{feff}", "\u{2028}"] {
        assert!(parse_line(other.as_bytes()).is_err(), "{other:?}");
    }
}

/// White space of JSON that would break an event into several lines is rejected in it.
#[test]
fn line_feed_inside_an_event_is_rejected() {
    let line = typed(r#"{"type":"x"}"#).replace(',', ",\n");
    assert_eq!(corruption(line.as_bytes()).kind, LineErrorKind::LineFeed);
    assert!(line.parse::<shipper_events::Event>().is_err());
}

/// The time for comparing the members of an object does not grow with the square of their number. The error names the
/// first duplicate in the text.
#[test]
fn many_members_are_compared_in_subquadratic_time() {
    let mut members = String::new();
    for number in 0..400_000 {
        write!(members, "\"m{number}\":0,").expect("a string");
    }
    let line = with(&format!("\"x\":{{{members}\"\\u006d77\":1,\"m5\":1}}"));
    let started = cpu_time();
    assert_eq!(corruption(line.as_bytes()).kind, LineErrorKind::DuplicateName { name: "m77".to_owned() });
    let taken = cpu_time() - started;
    assert!(taken.as_secs() < 20, "{taken:?}");
    assert!(parse_line(with(&format!("\"x\":{{{members}\"last\":1}}")).as_bytes()).is_ok());
}
