//! The report fits the width of the terminal, and is plain text elsewhere. A report that is piped, stored or read
//! without colours must have the same content.

use std::process::Command;

use crate::support::{fixtures, replay, seen};

const LOG: &str = "real/tampered-sidecar/events.jsonl";

/// Returns the output on a terminal of this width, with these environment variables.
fn on_terminal(columns: u32, variables: &str, args: &str) -> String {
    let program = env!("CARGO_BIN_EXE_shipper-replay");
    let script = format!("stty cols {columns} rows 50; env -u NO_COLOR TERM=xterm {variables} {program} {args}");
    let output = Command::new("script")
        .args(["-qec", &script, "/dev/null"])
        .current_dir(fixtures())
        .output()
        .expect("script, of util-linux, gives the program a terminal");
    String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n")
}

/// Returns the lines of the report that show a line of the log, and those below them.
fn snippets(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains(" | ")).collect()
}

/// An excerpt is cut to the width of the terminal, for any width, and contains the labelled value.
#[test]
fn snippets_fit_the_terminal() {
    for columns in [40, 60, 80, 132, 200] {
        let text = on_terminal(columns, "NO_COLOR=1", LOG);
        let snippets = snippets(&text);
        assert!(snippets.iter().any(|line| line.contains('^')), "{columns}: {text}");
        for line in snippets.iter().filter(|line| line.contains('"')) {
            assert!(line.chars().count() <= columns as usize, "{columns}: {line}");
        }
        let place = snippets.iter().position(|line| line.contains("\"passed\":false")).expect("the other place");
        let (shown, under) = (snippets[place], snippets[place + 1]);
        let column = shown.split("false").next().expect("the value").chars().count();
        assert_eq!(under.find('-'), Some(column), "{columns}: the value is underlined\n{shown}\n{under}");
    }
}

/// Every line fits a terminal of 60 or more columns. A command and a path stay whole, so that a reader can copy them.
#[test]
fn every_line_fits_the_terminal() {
    let logs =
        ["real/pass-3crate", LOG, "recorded/bypassed", "recorded/edited-line", "damaged/torn-tail", "recorded real"];
    for (columns, log) in [60, 80, 132].into_iter().flat_map(|columns| logs.map(|log| (columns, log))) {
        let text = on_terminal(columns, "NO_COLOR=1", log);
        for line in text.lines().filter(|line| line.chars().count() > columns as usize) {
            let is_whole = ["= next: ", "--> ", "::: "].iter().any(|part| line.contains(part));
            assert!(is_whole, "{columns}: {line}\n{text}");
        }
    }
}

/// The line of a log among many wraps after its path, which stays whole, also if it has spaces or is too long. With `-q`,
/// it does not wrap.
#[test]
fn path_of_a_log_among_many_stays_whole() {
    let top = tempfile::tempdir().expect("a directory");
    let (spaced, long) = (top.path().join("two words and more"), top.path().join("x".repeat(70)));
    for directory in [&spaced, &long] {
        std::fs::create_dir(directory).expect("a directory");
        std::fs::copy(fixtures().join(LOG), directory.join("events.jsonl")).expect("a copy");
    }
    let top = top.path().to_str().expect("UTF-8");
    let text = on_terminal(60, "NO_COLOR=1", top);
    for directory in [&spaced, &long] {
        let path = format!("{}: ", directory.join("events.jsonl").to_str().expect("UTF-8"));
        let line = text.lines().find(|line| line.starts_with(path.trim_end())).expect("the line of the log");
        assert!(line.chars().count() <= 60 || line == path.trim_end(), "{line}");
    }
    let quiet = on_terminal(60, "NO_COLOR=1", &format!("-q {top}"));
    assert_eq!(quiet.lines().filter(|line| line.contains("events.jsonl: violated: ")).count(), 2, "{quiet}");
    assert_eq!(quiet.lines().count(), 3, "{quiet}");
}

/// Without a terminal, the width is fixed: the same bytes and options give the same output.
#[test]
fn width_is_fixed_without_a_terminal() {
    let piped = seen(&replay(&[LOG]));
    assert!(snippets(&piped).iter().all(|line| line.chars().count() <= 120 || !line.contains('"')), "{piped}");
    assert!(!piped.contains('\u{1b}'));
    for variable in ["COLUMNS=30", "TERM=xterm-256color"] {
        let (name, value) = variable.split_once('=').expect("a value");
        let output = crate::support::program(&[LOG]).env(name, value).output().expect("it starts");
        assert_eq!(seen(&output), piped, "{variable}");
    }
}

/// Colour appears only on terminals that support it, and as options and variables request.
#[test]
fn colour_follows_terminal_and_options() {
    let colored = |variables: &str, args: &str| on_terminal(80, variables, &format!("{args} {LOG}")).contains('\u{1b}');
    assert!(colored("", ""));
    assert!(colored("NO_COLOR=", ""), "an empty NO_COLOR has no effect");
    assert!(!colored("NO_COLOR=1", ""));
    assert!(!colored("TERM=dumb", ""));
    assert!(!colored("", "--color never"));
    assert!(colored("NO_COLOR=1", "--color always"), "the command line has precedence");
}
