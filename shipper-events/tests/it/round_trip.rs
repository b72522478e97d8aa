//! An event that is read can be written again: real lines byte for byte, unknown members and types included. A
//! rewritten log must keep its meaning.

use proptest::prelude::*;
use shipper_events::event::Lenient;
use shipper_events::{Event, EventReader, EventType, LogEntry};
use shipper_testkit::lines::split_lines;
use shipper_testkit::settings::{print_figure, proptest_config};

fn real_logs() -> Vec<(String, Vec<u8>)> {
    let real = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/real");
    let mut logs: Vec<_> = std::fs::read_dir(real)
        .expect("the fixtures are there")
        .map(|case| case.expect("it can be listed").path().join("events.jsonl"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a log")))
        .collect();
    logs.sort();
    logs
}

/// Every event line of every real log is rewritten unchanged; one other line is blank, and one is torn.
#[test]
fn real_lines_come_back_byte_for_byte() {
    let (mut events, mut others) = (0, 0);
    for (path, log) in real_logs() {
        for line in split_lines(&log).0 {
            let line = std::str::from_utf8(line).expect("UTF-8").trim_end_matches('\n');
            match line.parse::<Event>() {
                Ok(event) => {
                    assert_eq!(event.to_line(), line, "{path}");
                    events += 1;
                }
                Err(_) => others += 1,
            }
        }
    }
    print_figure(&format!("{events} real lines came back byte for byte, {others} are no events"));
    assert_eq!((events, others), (3056, 2));
}

/// Each member of each known event type has a typed value in every real event. A lenient member in raw JSON would show
/// that the library's types differ from what the tool writes.
#[test]
fn real_members_have_the_kinds_that_the_types_say() {
    for (path, log) in real_logs() {
        for LogEntry { line, event } in EventReader::new(&log[..]).map_while(Result::ok) {
            let debug = format!("{:?}", event.event_type);
            let raw = debug.contains("Other(RawJson");
            assert!(!raw, "{path}:{line}: {debug}");
            assert!(event.event_type.kind().is_some() || path.contains("unknown-event"), "{path}:{line}");
        }
    }
}

/// Unknown members and types survive at every level, with numbers that no integer or float type can represent.
#[test]
fn unknown_members_and_types_survive() {
    for line in [
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"package_uploaded","etag":"x"},"package":"a@1.0.0","trace":{"id":[1,2.50,1e400]}}"#,
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"moon_phase_observed","phase":-0.0,"deep":[[[{}]]]},"package":"all"}"#,
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"readiness_poll","attempt":"third","visible":1},"package":"all"}"#,
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"package_published","duration_ms":340282366920938463463374607431768211456},"package":"all"}"#,
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"registry_policy_applied","evidence":{"posture":"strict","shard":7}},"package":"all"}"#,
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"gate_evaluated","rules":2,"plan_id":"p","quorum":["a","b"]},"package":"all"}"#,
        r#"{"seq":3,"prev":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"gate_evaluated","rules":1,"plan_id":"p","rehearsal_registry":null,"skip":false,"verdict":"dormant","reasons":[],"basis":{"lines":3,"bytes":9,"blake3":"x"},"mood":"good"},"package":"all"}"#,
        r#"{"seq":36893488147419103232,"prev":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}"#,
        r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all","seq":1,"prev":"not a link"}"#,
    ] {
        let event: Event = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(event.to_line(), line);
    }
}

/// A member with an unexpected shape is kept, and is distinct from a missing one.
#[test]
fn unknown_value_shapes_are_kept() {
    let line = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"readiness_poll","visible":"soon"},"package":"all"}"#;
    let event: Event = line.parse().expect("an unexpected shape is no error");
    let EventType::ReadinessPoll(poll) = event.event_type else { panic!("the type is known") };
    assert_eq!(poll.attempt, Lenient::Absent);
    assert!(matches!(&poll.visible, Lenient::Other(json) if json.text() == "\"soon\""));
}

proptest! {
    #![proptest_config(proptest_config(256))]

    /// Any text in any string member has the same meaning after a rewrite, whatever its escapes. A second rewrite
    /// changes nothing.
    #[test]
    fn rewriting_is_lossless_and_idempotent(
        package in any::<String>(), message in any::<String>(), name in "[a-z_]{1,9}", more in any::<String>(),
    ) {
        let json = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        let line = format!(
            r#" {{ "package" : {}, "x_{name}":{}, "event_type":{{"class":null,"message":{},"type":"package_failed"}} ,"timestamp":"2026-11-23t08:00:00Z"}} "#,
            json(&package), json(&more), json(&message),
        ).replace("23t08", "23T08");
        let event: Event = line.parse().expect("one object");
        let written = event.to_line();
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        prop_assert_eq!(value(&written), value(&line));
        let again: Event = written.parse().expect("what is written can be read");
        prop_assert_eq!(&again, &event);
        prop_assert_eq!(again.to_line(), written);
    }
}

/// With serde, an event is the JSON object of its line, whatever its numbers, and a corrupt line is an error.
#[test]
fn serde_form_is_the_line() {
    let line = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"moon_phase_observed","phase":1e400},"package":"all","n":340282366920938463463374607431768211456}"#;
    let event: Event = serde_json::from_str(line).expect("an event");
    assert_eq!(event, line.parse().expect("an event"));
    assert_eq!(serde_json::to_string(&[&event, &event]).expect("JSON"), format!("[{line},{line}]"));
    let error = serde_json::from_str::<Event>(&line.replace("\"n\"", "\"package\"")).expect_err("a name twice");
    assert!(error.to_string().contains("duplicate member \"package\""), "{error}");
}
