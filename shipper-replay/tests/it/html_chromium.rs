//! The page opens in a browser: what a browser makes of it, not what we wrote, holds every mark of the timeline where the
//! log's own times put it, nothing that the log smuggled in, and something to see on the screen and on paper.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::timeline_reader::{Told, drawn, near, scale, told};
use crate::support::{fixtures, replay, report};
use shipper_testkit::program::installed;

/// The fixtures that are opened: verified, violated with a run and findings, hostile, and with recorded decisions.
const OPENED: [(&str, &str); 4] = [
    ("real/pass-3crate", "verified"),
    ("real/tampered-sidecar", "violated"),
    ("damaged/hostile-text", "inconclusive"),
    ("recorded/refused-and-published", "violated"),
];

/// Opens a page in a browser of its own that reaches no network, and gives what it prints.
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

/// The page of a log, in a directory of its own.
fn page_of(fixture: &str, directory: &Path) -> std::path::PathBuf {
    let output = replay(&["--format", "html", &format!("{fixture}/events.jsonl")]);
    let path = directory.join("page.html");
    fs::write(&path, &output.stdout).expect("it can be written");
    path
}

/// What stands in the DOM of the page of each fixture, and its log.
fn doms() -> Vec<(&'static str, &'static str, String, String)> {
    let dom = |(fixture, conclusion): (&'static str, &'static str)| {
        let directory = tempfile::tempdir().expect("a directory");
        let dom = browse(&page_of(fixture, directory.path()), &["--dump-dom"]);
        let log = fs::read_to_string(fixtures().join(fixture).join("events.jsonl")).expect("the log");
        (fixture, conclusion, dom, log)
    };
    OPENED.map(dom).into()
}

/// The lines and places that a lane must have, and those that it has.
fn check_places(fixture: &str, what: &str, expected: &[(u64, f64)], marks: &[crate::support::timeline_reader::Mark]) {
    assert_eq!(marks.len(), expected.len(), "{fixture}: {what}: {marks:#?}");
    for ((line, x), mark) in expected.iter().zip(marks) {
        assert_eq!(mark.line, *line, "{fixture}: {what}");
        assert!(near(mark.left, *x), "{fixture}: {what}: line {line} is at {} instead of {x}", mark.left);
        assert!(
            mark.title.starts_with(&format!("line {line}")) || mark.title.starts_with(&format!("lines {line} to "))
        );
        assert!(mark.target.starts_with("#log-1-"), "{mark:?}");
    }
}

/// (Pass) Every mark of every lane is in the DOM, at the place that the log's own times give, with a title that names
/// line and time; a bar is as long as its time; and every link leads somewhere on the page.
#[test]
fn every_mark_is_placed_by_its_time() {
    if !installed(&["chromium"]) {
        return;
    }
    for (fixture, _, dom, log) in doms() {
        let told = told(&log);
        let place = scale(&told);
        let lanes = drawn(&dom);
        let of_types = |types: &[&str]| -> Vec<&Told> {
            told.iter().filter(|told| types.contains(&told.event_type.as_str())).collect()
        };
        let places = |of: &[&Told]| of.iter().map(|told| (told.line, place(told.nanoseconds))).collect::<Vec<_>>();

        for (lane, start, end, ticks) in [
            (
                "rehearsals",
                "rehearsal_started",
                "rehearsal_complete",
                &["rehearsal_package_published", "rehearsal_package_failed"][..],
            ),
            ("publishes", "plan_created", "execution_finished", &["package_published"]),
        ] {
            let starts = of_types(&[start]);
            let ends = of_types(&[end]);
            assert!(!starts.is_empty() && starts.len() == ends.len(), "{fixture}: each is finished");
            check_places(fixture, lane, &places(&starts), &lanes[lane].marks);
            for ((start, end), mark) in starts.iter().zip(&ends).zip(&lanes[lane].marks) {
                let length = place(end.nanoseconds) - place(start.nanoseconds);
                let width = mark.width.expect("a bar");
                assert!(near(width, length), "{fixture}: {lane}: {width} instead of {length}");
                assert!(mark.title.contains(&start.timestamp) && mark.title.contains(&end.timestamp), "{}", mark.title);
            }
            let ticks = of_types(ticks);
            assert!(!ticks.is_empty());
            check_places(fixture, lane, &places(&ticks), &lanes[lane].ticks);
            for (tick, mark) in ticks.iter().zip(&lanes[lane].ticks) {
                assert!(mark.title.contains(&tick.package) && mark.title.ends_with(&tick.timestamp), "{}", mark.title);
            }
        }

        let report = report(&[&format!("{fixture}/events.jsonl")]);
        let decisions = report["logs"][0]["decisions"].as_array().expect("decisions");
        let at = |line: u64| place(told.iter().find(|told| told.line == line).expect("an event").nanoseconds);
        let line_of = |value: &serde_json::Value| value["line"].as_u64();
        let asked: Vec<(u64, f64)> = decisions.iter().filter_map(line_of).map(|line| (line, at(line))).collect();
        check_places(fixture, "decisions", &asked, &lanes["decisions"].marks);
        for (decision, mark) in decisions.iter().zip(&lanes["decisions"].marks) {
            let status = decision["status"].as_str().expect("a status");
            assert!(mark.title.contains(&format!("decision {status}")), "{}", mark.title);
        }

        let findings = report["logs"][0]["findings"].as_array().expect("findings");
        let found: Vec<(u64, f64)> = findings.iter().filter_map(line_of).map(|line| (line, at(line))).collect();
        let marks = lanes.get("findings").map_or(&[][..], |lane| &lane.marks);
        check_places(fixture, "findings", &found, marks);
        for (finding, mark) in findings.iter().filter(|finding| finding["line"].is_u64()).zip(marks) {
            assert!(mark.title.contains(finding["code"].as_str().expect("a code")), "{}", mark.title);
        }

        let all = lanes.values().flat_map(|lane| lane.marks.iter().chain(&lane.ticks));
        for mark in all {
            let id = format!("id=\"{}\"", mark.target.trim_start_matches('#'));
            assert_eq!(dom.matches(&id).count(), 1, "{fixture}: {id}");
        }
    }
}

/// (Pass) The browser sees the policy, no script, no form, no frame, no image, no address but those on the page, and no
/// handler: neither ours nor the log's.
#[test]
fn page_runs_and_fetches_nothing() {
    if !installed(&["chromium"]) {
        return;
    }
    for (fixture, conclusion, dom, _) in doms() {
        assert!(dom.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""), "{fixture}");
        assert!(dom.contains(&format!("<title>{conclusion}, ")), "{fixture}: the title is the conclusion");
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

/// (Pass) Something is seen: a picture of the page holds far more than one of an empty page, on a wide screen and on a
/// narrow one; and it prints, conclusion and last line included.
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
    // Where poppler is there, the text on paper is looked at too.
    if let Ok(text) = Command::new("pdftotext").args(["-layout"]).arg(&paper).arg("-").output() {
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        for expected in ["published-despite-refusal on line 7", "2026-11-23T09:00:13.000000000Z", "What was asked"] {
            assert!(text.contains(expected), "{expected} is not on paper: {text}");
        }
    }
}
