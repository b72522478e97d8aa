//! The timeline is to scale, readable and bounded for any times: equal, backwards, years apart, or of hundreds of
//! rehearsals. A wrong clock must not mislead an auditor.

use std::collections::HashSet;
use std::fs;

use crate::support::timeline_reader::{Mark, Row, drawn, logged_events, near, of_kind, scale};
use crate::support::{fixtures, replay};
use serde_json::{Value, json};

/// Returns the page of a log with this text.
fn page(log: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("events.jsonl");
    fs::write(&path, log).expect("it can be written");
    let output = replay(&["--format", "html", path.to_str().expect("UTF-8")]);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns a real log with a new timestamp on each line.
fn restamped(stamp: impl Fn(usize) -> String) -> String {
    let log = fs::read_to_string(fixtures().join("real/pass-3crate/events.jsonl")).expect("a log");
    let lines = log.lines().enumerate().map(|(position, line)| {
        let mut event: Value = serde_json::from_str(line).expect("an event");
        event["timestamp"] = json!(stamp(position + 1));
        event.to_string() + "\n"
    });
    lines.collect()
}

fn marks(rows: &[Row]) -> impl Iterator<Item = &Mark> {
    rows.iter().flat_map(|row| row.ticks.iter().chain([&row.mark]))
}

/// Checks that every mark is at its time, and that the rows are in the order of the lines.
fn check_scale(page: &str, log: &str) {
    let events = logged_events(log);
    let place = scale(&events);
    let rows = drawn(page);
    for mark in marks(&rows) {
        let event = events.iter().find(|event| event.line == mark.line).expect("an event");
        let bar_may_end_first = mark.width.is_some() && mark.left < place(event.nanoseconds);
        assert!(near(mark.left, place(event.nanoseconds)) || bar_may_end_first, "{mark:?}");
        assert!(mark.left >= 0.0 && mark.left + mark.width.unwrap_or(0.0) <= 100.0, "{mark:?}");
    }
    assert!(rows.is_sorted_by_key(|row| row.mark.line), "{rows:#?}");
}

/// If all times are equal, every mark is in the middle.
#[test]
fn equal_times_are_drawn_in_the_middle() {
    let page = page(&restamped(|_| "2026-11-23T08:12:26Z".to_owned()));
    for mark in marks(&drawn(&page)) {
        assert!(near(mark.left, 50.0) && mark.width.is_none_or(|width| near(width, 0.0)), "{mark:?}");
    }
    assert!(page.contains("so every mark is in the middle"));
}

/// If a completion has an earlier time than its start, the bar lies between the two times and is labelled.
#[test]
fn backward_times_are_drawn_and_labelled() {
    let log = restamped(|line| format!("2026-11-23T08:{:02}:00Z", if line == 1 { 30 } else { line }));
    let page = page(&log);
    check_scale(&page, &log);
    let rows = drawn(&page);
    let rehearsal = of_kind(&rows, "rehearsal")[0];
    assert!(rehearsal.text.ends_with("its end time is before its start time"), "{rehearsal:?}");
    let place = scale(&logged_events(&log));
    let minute = |minute: i128| logged_events(&log)[0].nanoseconds + (minute - 30) * 60_000_000_000;
    assert!(near(rehearsal.mark.left, place(minute(6))), "{rehearsal:?}");
    assert!(near(rehearsal.mark.left + rehearsal.mark.width.expect("a bar"), place(minute(30))), "{rehearsal:?}");
    assert!(page.contains("Times go backwards in this log"));
}

/// Years between a rehearsal and its publish have their length in the drawing.
#[test]
fn years_are_drawn_to_scale() {
    let log = restamped(|line| {
        if line < 9 { format!("2019-03-01T00:00:{line:02}.5+01:00") } else { format!("2026-06-01T00:00:{line:02}Z") }
    });
    let page = page(&log);
    check_scale(&page, &log);
    assert!(page.contains(", 2649.0d, a grid line every 662.3d."), "{page}");
}

/// The page states the length of the axis, from a nanosecond to the maximum.
#[test]
fn every_length_has_a_scale() {
    for (end, length) in [
        ("2026-11-23T08:12:26.000000001Z", "1.0ns, a grid line every 0.0s."),
        ("2026-11-23T08:12:27.155Z", "1.2s, a grid line every 288.8ms."),
        ("2026-11-23T09:12:26Z", "1.0h, a grid line every 15.0m."),
        ("9999-12-31T23:59:59.999999999Z", "2912116.7d, a grid line every 728029.2d."),
    ] {
        let log = restamped(|line| if line < 9 { "2026-11-23T08:12:26Z" } else { end }.to_owned());
        let page = page(&log);
        check_scale(&page, &log);
        assert!(page.contains(length), "{length} is not in {page}");
    }
}

/// A rehearsal of ten milliseconds is visible in a log of an hour, because bars have a minimum width.
#[test]
fn short_rehearsal_has_a_visible_width() {
    let log = restamped(|line| {
        if line <= 6 { format!("2026-11-23T08:00:00.{:03}Z", line * 2 - 2) } else { "2026-11-23T09:00:00Z".to_owned() }
    });
    let page = page(&log);
    check_scale(&page, &log);
    assert!(of_kind(&drawn(&page), "rehearsal")[0].mark.width.expect("a bar") < 0.01);
    assert!(page.contains(".bar { height: .75rem; min-width: .4rem;"));
}

/// Returns a log of `count` releases, each rehearsed and published. The rehearsal of the last but one failed.
fn releases(count: usize) -> String {
    let mut log = String::new();
    let mut second = 0;
    let mut event = |event_type: Value, package: &str| {
        second += 7;
        let (day, hour, minute) = (1 + second / 86_400, second / 3600 % 24, second / 60 % 60);
        let timestamp = format!("2026-01-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60);
        log += &(json!({"timestamp": timestamp, "event_type": event_type, "package": package}).to_string() + "\n");
    };
    for release in 1..=count {
        let (plan, package) = (format!("plan-{release}"), format!("zq-a@0.{release}.0"));
        let passed = release != count - 1;
        event(
            json!({"type": "rehearsal_started", "registry": "rehearsal", "plan_id": plan, "package_count": 1}),
            "all",
        );
        let version = format!("0.{release}.0");
        event(
            json!({"type": "rehearsal_package_published", "name": "zq-a", "version": version, "duration_ms": 1}),
            &package,
        );
        event(
            json!({"type": "rehearsal_complete", "passed": passed, "registry": "rehearsal", "plan_id": plan, "summary": ""}),
            "all",
        );
        event(json!({"type": "plan_created", "plan_id": plan, "package_count": 1}), "all");
        event(json!({"type": "package_published", "duration_ms": 1}), &package);
        event(json!({"type": "execution_finished", "result": "success"}), "all");
    }
    log
}

/// With hundreds of releases, the drawing is bounded, states the number of omitted rows, and always contains the
/// violated release.
#[test]
fn drawing_is_bounded_and_keeps_the_violated_release() {
    let log = releases(700);
    let page = page(&log);
    check_scale(&page, &log);
    let rows = drawn(&page);
    assert_eq!((rows.len(), marks(&rows).count()), (500, 500 + rows.iter().map(|row| row.ticks.len()).sum::<usize>()));
    assert!(page.contains("The page omits 1401 rows."), "{}", rows.len());
    let published = "<span class=\"status published\">published</span> <span class=\"package\">zq-a@0.699.0</span>";
    assert!(page.contains(published), "the package of a violated run is published");
    let violated = 698 * 6 + 4;
    for kind in ["decision", "run"] {
        let of_kind = of_kind(&rows, kind);
        let row = of_kind.iter().find(|row| row.mark.line == violated).expect("it is drawn");
        assert_eq!(row.status, "violated");
        assert!(of_kind.iter().filter(|row| row.mark.left > 80.0).count() > 20, "omitted rows leave no gap");
    }
    let ids: HashSet<&str> = page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for row in &rows {
        assert!(ids.contains(row.target.trim_start_matches('#')), "the link has no target: {row:?}");
    }
    assert!(page.contains("The page omits 200 decisions."), "the table states the number of omitted rows");
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

/// A run after the judged part, an unfinished run and an abandoned rehearsal are drawn dashed.
#[test]
fn unfinished_spans_are_dashed() {
    let log = releases(2);
    let lines: Vec<&str> = log.lines().collect();
    let log = [&lines[..2], &lines[..5], &lines[6..7]].concat().join("\n") + "\n";
    let page = page(&log);
    check_scale(&page, &log);
    let rows: Vec<_> = drawn(&page);
    let spans: Vec<(&str, &str, &str, bool)> = rows
        .iter()
        .filter(|row| row.mark.width.is_some())
        .map(|row| (&*row.kind, &*row.lines, &*row.status, row.mark.class.contains("unfinished")))
        .collect();
    let expected = [
        ("rehearsal", "1\u{2013}2", "abandoned", true),
        ("rehearsal", "3\u{2013}5", "failed", false),
        ("run", "6\u{2013}7", "violated", true),
        ("rehearsal", "8", "open", true),
    ];
    assert_eq!(spans, expected);
}

/// A log without gate events has no drawing, and the page states that.
#[test]
fn an_empty_log_has_no_drawing() {
    let page = page("");
    assert!(!page.contains("class=\"stack timeline\""));
    assert!(page.contains("The timeline is empty"));
}
