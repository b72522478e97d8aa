//! The timeline stays true to scale, readable and bounded whatever times a log states: all the same, backwards, years
//! apart, or of hundreds of rehearsals. An auditor must not be led astray by a clock.

use std::collections::HashSet;
use std::fs;

use crate::support::timeline_reader::{Lane, Mark, axis, drawn, near, scale, told};
use crate::support::{fixtures, replay};
use serde_json::{Value, json};

/// The page of a log that consists of these bytes.
fn page(log: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("events.jsonl");
    fs::write(&path, log).expect("it can be written");
    let output = replay(&["--format", "html", path.to_str().expect("UTF-8")]);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A real log, each line stamped anew.
fn restamped(stamp: impl Fn(usize) -> String) -> String {
    let log = fs::read_to_string(fixtures().join("real/pass-3crate/events.jsonl")).expect("a log");
    let lines = log.lines().enumerate().map(|(position, line)| {
        let mut event: Value = serde_json::from_str(line).expect("an event");
        event["timestamp"] = json!(stamp(position + 1));
        event.to_string() + "\n"
    });
    lines.collect()
}

/// Every mark of every lane is where the times put it, and none covers another one of its row.
fn check_scale(page: &str, log: &str) {
    let told = told(log);
    let place = scale(&told);
    for (name, lane) in drawn(page) {
        for mark in lane.marks.iter().chain(&lane.ticks) {
            let event = told.iter().find(|told| told.line == mark.line).expect("an event");
            let bar_may_end_first = mark.width.is_some() && mark.left < place(event.nanoseconds);
            assert!(near(mark.left, place(event.nanoseconds)) || bar_may_end_first, "{name}: {mark:?}");
            assert!(mark.left >= 0.0 && mark.left + mark.width.unwrap_or(0.0) <= 100.0, "{name}: {mark:?}");
        }
        let mut rows: Vec<&Mark> = lane.marks.iter().collect();
        rows.sort_by(|one, other| (one.row, one.left).partial_cmp(&(other.row, other.left)).expect("numbers"));
        for pair in rows.windows(2).filter(|pair| pair[0].row == pair[1].row) {
            assert!(pair[1].left >= pair[0].left + pair[0].width.unwrap_or(0.0).max(0.8), "{name}: {pair:?}");
        }
    }
}

/// (Pass) Where all times are the same, everything is in the middle.
#[test]
fn equal_times_are_drawn_in_the_middle() {
    let page = page(&restamped(|_| "2026-11-23T08:12:26Z".to_owned()));
    for (name, lane) in drawn(&page) {
        for mark in lane.marks.iter().chain(&lane.ticks) {
            assert!(near(mark.left, 50.0) && mark.width.is_none_or(|width| near(width, 0.0)), "{name}: {mark:?}");
        }
    }
    assert!(page.contains("so all stand in the middle of one second"));
}

/// (Pass) A completion that is stamped before its start is a bar between the two that says so.
#[test]
fn backward_times_are_drawn_and_labelled() {
    let log = restamped(|line| format!("2026-11-23T08:{:02}:00Z", if line == 1 { 30 } else { line }));
    let page = page(&log);
    check_scale(&page, &log);
    let rehearsal = &drawn(&page)["rehearsals"].marks[0];
    assert!(rehearsal.label.as_deref().is_some_and(|label| label.ends_with("stamped to end before it begins")));
    let place = scale(&told(&log));
    let minute = |minute: i128| told(&log)[0].nanoseconds + (minute - 30) * 60_000_000_000;
    assert!(near(rehearsal.left, place(minute(6))), "{rehearsal:?}");
    assert!(near(rehearsal.left + rehearsal.width.expect("a bar"), place(minute(30))), "{rehearsal:?}");
    assert!(page.contains("Times go backwards in this log"));
}

/// (Pass) Years between a rehearsal and its publish are years on the drawing, with ticks at days.
#[test]
fn years_are_drawn_to_scale() {
    let log = restamped(|line| {
        if line < 9 { format!("2019-03-01T00:00:{line:02}.5+01:00") } else { format!("2026-06-01T00:00:{line:02}Z") }
    });
    let page = page(&log);
    check_scale(&page, &log);
    let axis = axis(&page);
    assert!(axis.len() >= 2, "{axis:?}");
    for (_, label) in &axis {
        assert!(label.len() == "2026-11-23".len() && label.starts_with("20"), "{axis:?}");
    }
}

/// (Pass) A rehearsal of ten milliseconds in a log of an hour can be seen: bars have a least width.
#[test]
fn short_rehearsal_has_a_visible_width() {
    let log = restamped(|line| {
        if line <= 6 { format!("2026-11-23T08:00:00.{:03}Z", line * 2 - 2) } else { "2026-11-23T09:00:00Z".to_owned() }
    });
    let page = page(&log);
    check_scale(&page, &log);
    assert!(drawn(&page)["rehearsals"].marks[0].width.expect("a bar") < 0.01);
    assert!(page.contains(".bar { height: .75rem; min-width: .4rem;"));
}

/// A log of so many releases, each rehearsed and published, the last but one against a failed rehearsal.
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

/// (Pass) Of hundreds of releases the drawing shows what has room, says how much it leaves out, and never leaves out the
/// one that is violated.
#[test]
fn drawing_is_bounded_and_keeps_the_violated_release() {
    let log = releases(700);
    let page = page(&log);
    check_scale(&page, &log);
    let lanes = drawn(&page);
    let count = |lane: &Lane| lane.marks.len() + lane.ticks.len();
    for (name, all) in [("rehearsals", 1400), ("decisions", 700), ("publishes", 1400)] {
        assert_eq!(count(&lanes[name]), 500, "{name}");
        let said = format!("the 500 marks that weigh most are drawn, {} are left out", all - 500);
        assert!(page.contains(&said), "{name}: {said}");
    }
    let violated = 698 * 6 + 4;
    for name in ["decisions", "publishes"] {
        let mark = lanes[name].marks.iter().find(|mark| mark.line == violated).expect("it is drawn");
        assert!(mark.class.ends_with(" bad"), "{mark:?}");
        assert!(mark.label.as_deref().is_some_and(|label| label.starts_with("violated")), "{mark:?}");
        let row = format!("id=\"{}\"", mark.target.trim_start_matches('#'));
        assert_eq!(page.matches(&row).count(), 1, "the page tells of it");
    }
    let ids: HashSet<&str> = page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for mark in lanes.values().flat_map(|lane| lane.marks.iter().chain(&lane.ticks)) {
        assert!(ids.contains(mark.target.trim_start_matches('#')), "it leads nowhere: {mark:?}");
    }
    let late = |lane: &Lane| lane.marks.iter().filter(|mark| mark.left > 80.0).count();
    for name in ["rehearsals", "decisions", "publishes"] {
        assert!(late(&lanes[name]) > 50, "{name}: what is left out leaves no gap");
    }
    assert!(page.contains("200 decisions more"), "the table says what it leaves out");
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

/// (Pass) A log without any event of the gate has no drawing, and says so.
#[test]
fn an_empty_log_has_no_drawing() {
    let page = page("");
    assert!(!page.contains("class=\"timeline\""));
    assert!(page.contains("there is nothing to draw"));
}
