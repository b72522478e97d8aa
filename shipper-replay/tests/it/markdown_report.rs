//! Snapshots show the Markdown reports of the ten real cases. A report stays far below the limit of a job's summary,
//! and states what it omits.

use std::fs;

use crate::support::{TEN, fixtures, replay};
use pulldown_cmark::{Event, Options, Parser, Tag};

fn markdown(args: &[&str]) -> String {
    String::from_utf8(replay(&[&["--format", "markdown"], args].concat()).stdout).expect("UTF-8")
}

/// The reports of the ten real cases.
#[test]
fn markdown_of_the_ten_cases() {
    for (name, args) in TEN {
        let log = format!("real/{name}/events.jsonl");
        insta::assert_snapshot!(format!("markdown_{name}"), markdown(&[&[log.as_str()], args].concat()));
    }
}

/// Names with a meaning in Markdown or on a terminal are shown as code.
#[test]
fn hostile_text_is_shown_as_code() {
    insta::assert_snapshot!(markdown(&["damaged/hostile-text"]));
}

/// With many logs, the most severe are first, and each that is not verified has a collapsed section.
#[test]
fn sections_of_many_logs_are_collapsed() {
    let text = markdown(&["real", "recorded"]);
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| \u{2716}") || line.starts_with("| \u{2714}")).collect();
    let first_verified = rows.iter().position(|row| row.contains("verified")).expect("one is verified");
    assert!(first_verified > 0 && rows.iter().skip(first_verified).all(|row| row.contains("verified")), "{rows:?}");
    let not_verified =
        text.lines().filter(|line| line.starts_with("| \u{2716}") || line.starts_with("| \u{25cb}")).count();
    assert_eq!(text.matches("<details>").count(), not_verified);
    assert_eq!(text.matches("</details>").count(), not_verified);
}

/// Each row of a table has a cell for every column, for any text.
#[test]
fn table_rows_have_every_cell() {
    let text = markdown(&["damaged", "real"]);
    let (mut columns, mut cells, mut rows) = (0, 0, 0);
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableRow) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(pulldown_cmark::TagEnd::TableRow) => {
                assert_eq!(cells, columns);
                rows += 1;
            }
            _ => {}
        }
    }
    assert!(rows > 50, "{rows} rows");
}

/// The table alone is bounded too, for any characters in the paths.
#[test]
fn hostile_paths_are_bounded() {
    let list: Vec<String> = (0..600).map(|number| format!("{}{number}\n", "\u{202e}".repeat(190))).collect();
    let output = crate::support::replay_stdin(&["--format", "markdown", "--files-from", "-"], list.concat().as_bytes());
    assert!(output.stdout.len() < 600_000, "{} bytes", output.stdout.len());
    assert!(String::from_utf8_lossy(&output.stdout).contains("more logs are not listed"));
}

/// A report on a thousand violated logs with long names stays far below 1 MiB, and states what it omits.
#[test]
fn a_thousand_violated_logs_are_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = fs::read_to_string(fixtures().join("real/concurrent-rehearse-one-fails/events.jsonl")).expect("a log");
    let log = log.replace("\"rehearsal\"", &format!("\"{}\"", "|<&@#".repeat(2000)));
    for number in 0..1000 {
        let place = directory.path().join(format!("log-{number:04}"));
        fs::create_dir(&place).expect("a directory");
        fs::write(place.join("events.jsonl"), &log).expect("it can be written");
    }
    let text = markdown(&[directory.path().to_str().expect("UTF-8")]);
    assert!(text.len() < 600_000, "{} bytes", text.len());
    assert!(text.contains("500 more logs are not listed"));
    assert!(text.contains("more logs are not verified and have no section; `--format json` lists all."));
    assert!(text.ends_with("with no audit options; exit status 1.\n"));
}
