//! In a browser, every mark of the timeline is at its time from the log, no element comes from the log, and the page is
//! visible on screen and on paper. These tests read the DOM, because readers see it and not the source.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::timeline_reader::{LoggedEvent, Mark, drawn, logged_events, near, of_kind, scale};
use crate::support::{fixtures, replay, report};
use serde_json::Value;
use shipper_testkit::program::installed;

/// The fixtures for the browser: verified, violated with a run and findings, hostile, and with recorded decisions.
const OPENED: [(&str, &str); 4] = [
    ("real/pass-3crate", "verified"),
    ("real/tampered-sidecar", "violated"),
    ("damaged/hostile-text", "violated"),
    ("recorded/refused-and-published", "violated"),
];

/// Opens a page in a new browser without network access, and returns the output.
fn browse(page: &Path, args: &[&str]) -> String {
    let profile = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("chromium");
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(args)
        .arg(format!("file://{}", page.display()));
    let output = command.output().expect("chromium starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Writes the page of a log into a directory.
fn page_of(fixture: &str, directory: &Path) -> std::path::PathBuf {
    let output = replay(&["--format", "html", &format!("{fixture}/events.jsonl")]);
    let path = directory.join("page.html");
    fs::write(&path, &output.stdout).expect("it can be written");
    path
}

/// Returns each fixture with its conclusion, the DOM of its page, and its log.
fn doms() -> Vec<(&'static str, &'static str, String, String)> {
    let dom = |(fixture, conclusion): (&'static str, &'static str)| {
        let directory = tempfile::tempdir().expect("a directory");
        let dom = browse(&page_of(fixture, directory.path()), &["--dump-dom"]);
        let log = fs::read_to_string(fixtures().join(fixture).join("events.jsonl")).expect("the log");
        (fixture, conclusion, dom, log)
    };
    OPENED.map(dom).into()
}

/// Checks that marks have the lines, the positions and the times of these events.
fn check_places<'a>(
    fixture: &str,
    events: &[&LoggedEvent],
    place: impl Fn(i128) -> f64,
    marks: impl Iterator<Item = &'a Mark>,
) {
    let marks: Vec<&Mark> = marks.collect();
    assert_eq!(marks.len(), events.len(), "{fixture}: {marks:#?}");
    for (event, mark) in events.iter().zip(marks) {
        assert_eq!(mark.line, event.line, "{fixture}: {mark:?}");
        assert!(near(mark.left, place(event.nanoseconds)), "{fixture}: {mark:?} is at {}", place(event.nanoseconds));
        assert!(mark.title.contains(&event.timestamp), "{fixture}: {mark:?}");
    }
}

/// Each rehearsal, decision, run and finding with a line is at the position of its time, with this time as title. A bar
/// has its length and its packages, and every link has a target.
#[test]
fn every_mark_is_placed_by_its_time() {
    if !installed(&["chromium"]) {
        return;
    }
    for (fixture, _, dom, log) in doms() {
        let events = logged_events(&log);
        let place = scale(&events);
        let rows = drawn(&dom);
        let of_types = |types: &[&str]| -> Vec<&LoggedEvent> {
            events.iter().filter(|event| types.contains(&event.event_type.as_str())).collect()
        };
        for (kind, start, end, ticks) in [
            (
                "rehearsal",
                "rehearsal_started",
                "rehearsal_complete",
                &["rehearsal_package_published", "rehearsal_package_failed"][..],
            ),
            ("run", "plan_created", "execution_finished", &["package_published"]),
        ] {
            let (starts, ends, ticks) = (of_types(&[start]), of_types(&[end]), of_types(ticks));
            assert!(!starts.is_empty() && starts.len() == ends.len(), "{fixture}: each is finished");
            let rows = of_kind(&rows, kind);
            check_places(fixture, &starts, &place, rows.iter().map(|row| &row.mark));
            for ((start, end), row) in starts.iter().zip(&ends).zip(&rows) {
                let (length, width) =
                    (place(end.nanoseconds) - place(start.nanoseconds), row.mark.width.expect("a bar"));
                assert!(near(width, length), "{fixture}: {kind}: {width} instead of {length}");
                assert_eq!(row.mark.title, format!("{} to {}", start.timestamp, end.timestamp));
                assert_eq!(row.lines, format!("{}\u{2013}{}", start.line, end.line));
            }
            assert!(!ticks.is_empty());
            check_places(fixture, &ticks, &place, rows.iter().flat_map(|row| &row.ticks));
            for (tick, mark) in ticks.iter().zip(rows.iter().flat_map(|row| &row.ticks)) {
                assert!(mark.title.contains(&tick.package), "{mark:?}");
                assert_eq!(mark.class.contains("failed"), tick.event_type.contains("failed"), "{mark:?}");
            }
        }

        let report = report(&[&format!("{fixture}/events.jsonl")]);
        for (kind, member, status) in [("decision", "decisions", "status"), ("finding", "findings", "level")] {
            let expected = report["logs"][0][member].as_array().expect("a list").iter();
            let mut expected: Vec<&Value> = expected.filter(|value| value["line"].is_u64()).collect();
            expected.sort_by_key(|value| value["line"].as_u64());
            let event = |value: &&Value| events.iter().find(|event| Some(event.line) == value["line"].as_u64());
            let events: Vec<&LoggedEvent> = expected.iter().map(|value| event(value).expect("an event")).collect();
            let rows = of_kind(&rows, kind);
            check_places(fixture, &events, &place, rows.iter().map(|row| &row.mark));
            for (value, row) in expected.iter().zip(rows) {
                let is_code = |code: &str| row.text == code;
                assert!(
                    value[status] == *row.status && value["code"].as_str().is_none_or(is_code),
                    "{value} and {row:?}"
                );
            }
        }
        for row in rows {
            let id = format!("id=\"{}\"", row.target.trim_start_matches('#'));
            assert_eq!(dom.matches(&id).count(), 1, "{fixture}: {id}");
        }
    }
}

/// The page has the policy, no script, form, frame, image or event handler, and no address but those of the page
/// itself.
#[test]
fn page_runs_and_fetches_nothing() {
    if !installed(&["chromium"]) {
        return;
    }
    for (fixture, conclusion, dom, _) in doms() {
        assert!(dom.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""), "{fixture}");
        assert!(
            dom.to_lowercase().contains(&format!("<title>{conclusion}: ")),
            "{fixture}: the title is the conclusion"
        );
        let elements = dom.split('<').skip(1).map(|after| {
            let end = after.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(after.len());
            (&after[..end], &after[..after.find('>').expect("its end")])
        });
        for (name, tag) in elements {
            let forbidden =
                ["script", "img", "image", "iframe", "object", "embed", "form", "input", "link", "base", "use"];
            assert!(!forbidden.contains(&name), "{fixture}: {tag}");
            assert!(!tag.split(' ').any(|word| word.starts_with("on") && word.contains('=')), "{fixture}: {tag}");
            assert!(!tag.contains(" src=") && !tag.contains("href=\"h"), "{fixture}: {tag}");
        }
        assert!(!dom.contains('\u{202e}') && !dom.contains('\u{1b}'), "{fixture}");
    }
}

/// A picture of the page is far larger than that of an empty page, on a wide and on a narrow screen. On paper, the page
/// has its conclusion and its last line.
#[test]
fn page_renders_on_screen_and_paper() {
    if !installed(&["chromium"]) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let empty = directory.path().join("empty.html");
    fs::write(&empty, "<!DOCTYPE html><title>empty</title>").expect("it can be written");
    let page = page_of("recorded/refused-and-published", directory.path());
    for size in ["1200,1600", "390,1600"] {
        let seen = |page: &Path| {
            let picture = directory.path().join("seen.png");
            browse(page, &[&format!("--window-size={size}"), &format!("--screenshot={}", picture.display())]);
            fs::read(&picture).expect("a picture").len()
        };
        let (bytes, nothing) = (seen(&page), seen(&empty));
        assert!(bytes > 10 * nothing, "{size}: {bytes} bytes beside {nothing} of an empty page");
    }
    let paper = directory.path().join("page.pdf");
    browse(&page, &["--no-pdf-header-footer", &format!("--print-to-pdf={}", paper.display())]);
    let printed = fs::read(&paper).expect("a document");
    assert!(printed.starts_with(b"%PDF-") && printed.len() > 20_000, "{} bytes", printed.len());
    // If poppler is installed, the text on paper is checked too.
    if let Ok(text) = Command::new("pdftotext").args(["-layout"]).arg(&paper).arg("-").output() {
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        for expected in [
            "2 packages were published by the run on line 7",
            "published-despite-refusal",
            "2026-11-23T09:00:13.000000000Z",
            "Audit options",
        ] {
            assert!(text.contains(expected), "{expected} is not on paper: {text}");
        }
    }
}
