//! What a person reads fits the terminal it is read on, and is plain text everywhere else: a report that is piped, kept
//! or read on a screen without colours must say the same.

use std::process::Command;

use crate::support::{fixtures, replay, seen};

const LOG: &str = "real/tampered-sidecar/events.jsonl";

/// What the program writes to a terminal of so many columns, with these variables set.
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

/// The lines that show a line of the log, and those under it.
fn snippets(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains(" | ")).collect()
}

/// (Pass) A line of the log is cut around its place to the width of the terminal, whatever that is; the place is shown.
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

/// (Pass) Where there is no terminal, the width is always the same: the same bytes and flags give the same output.
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

/// (Pass) Colour is for terminals that have it and for readers who want it.
#[test]
fn colour_follows_terminal_and_options() {
    let colored = |variables: &str, args: &str| on_terminal(80, variables, &format!("{args} {LOG}")).contains('\u{1b}');
    assert!(colored("", ""));
    assert!(colored("NO_COLOR=", ""), "an empty NO_COLOR asks for nothing");
    assert!(!colored("NO_COLOR=1", ""));
    assert!(!colored("TERM=dumb", ""));
    assert!(!colored("", "--color never"));
    assert!(colored("NO_COLOR=1", "--color always"), "the command line has the last word");
}
