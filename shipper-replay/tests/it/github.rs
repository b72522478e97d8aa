//! The runner of GitHub Actions reads the output of `--format github` as annotations: each finding at its position, the
//! most severe first, since the runner shows few. No text from a log or a path becomes a command.

use std::collections::BTreeMap;
use std::fs;

use crate::support::{TEN, cases, fixtures, program, replay, replay_stdin, report};
use shipper_events::is_display_safe;

/// A command of the runner, parsed from a line.
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    properties: BTreeMap<String, String>,
    message: String,
}

/// Parses a line by the rules of the runner's published source. It skips white space before `::`. The text up to the
/// next `::` is the command and its properties, which are unescaped last.
fn command(line: &str) -> Option<Command> {
    let (info, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let properties = properties.split(',').filter_map(|property| property.split_once('='));
    let unescape = |text: &str, escapes: &[(&str, &str)]| {
        escapes.iter().fold(text.to_owned(), |text, (escape, token)| text.replace(escape, token))
    };
    let of_data = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
    let of_property = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
    Some(Command {
        name: name.to_owned(),
        properties: properties.map(|(name, value)| (name.to_owned(), unescape(value, &of_property))).collect(),
        message: unescape(message, &of_data),
    })
}

fn annotations(args: &[&str]) -> String {
    let output = replay(&[&["--format", "github"], args].concat());
    assert!(output.stderr.is_empty(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the commands of a report, and checks that it contains nothing else. The last line is no command in either
/// form of the runner, and all characters are display-safe.
#[track_caller]
fn commands(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text.strip_suffix('\n').expect("it ends with a line end").split('\n').collect();
    let (last, lines) = lines.split_last().expect("a last line");
    assert!(last.starts_with("shipper-replay: ") && !last.contains("##["), "{last}");
    assert!(text.chars().all(|character| is_display_safe(character) || character == '\n'), "{text:?}");
    let commands: Vec<Command> =
        lines.iter().map(|line| command(line).unwrap_or_else(|| panic!("no command: {line}"))).collect();
    for command in &commands {
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{command:?}");
        let known = ["file", "line", "col", "endColumn", "title"];
        assert!(command.properties.keys().all(|name| known.contains(&name.as_str())), "{command:?}");
        assert!(command.properties["title"].chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{command:?}");
    }
    commands
}

/// Annotations of the ten cases, as the runner shows them.
#[test]
fn annotations_of_the_ten_cases() {
    let shown: Vec<String> = TEN
        .iter()
        .map(|(case, args)| {
            let log = format!("real/{case}/events.jsonl");
            let text = annotations(&[*args, &[log.as_str()]].concat());
            commands(&text);
            format!("$ {} {log}\n{text}", args.join(" "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// Every finding of every fixture is one annotation with its level, line and message, errors first.
#[test]
fn every_finding_is_one_annotation() {
    for case in cases() {
        let log = format!("{case}/events.jsonl");
        let report = report(&[&log]);
        let judged = &report["logs"][0];
        let mut expected: Vec<(u8, String, Option<String>)> = judged["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| {
                let level = match finding["level"].as_str() {
                    Some("error") => 0,
                    Some("warning") => 1,
                    _ => 2,
                };
                let code = finding["code"].as_str().expect("a code").to_owned();
                (level, code, finding["line"].as_u64().map(|line| line.to_string()))
            })
            .collect();
        match judged["conclusion"].as_str() {
            Some("unjudged") => expected.insert(0, (0, "unjudged".to_owned(), None)),
            Some("inconclusive") => expected.insert(0, (1, "inconclusive".to_owned(), None)),
            _ => {}
        }
        expected.sort_by_key(|(level, ..)| *level);
        let found: Vec<(u8, String, Option<String>)> = commands(&annotations(&[&log]))
            .into_iter()
            .map(|mut command| {
                let level = ["error", "warning", "notice"].iter().position(|name| *name == command.name);
                let level = u8::try_from(level.expect("a level")).expect("small");
                let title = command.properties.remove("title").expect("a title");
                (level, title, command.properties.remove("line"))
            })
            .collect();
        assert_eq!(found, expected, "{log}");
    }
}

/// The columns are those of the value that shows the finding.
#[test]
fn columns_point_at_the_value() {
    let commands = commands(&annotations(&["real/tampered-sidecar/events.jsonl"]));
    let place = &commands[0].properties;
    let log = fs::read_to_string(fixtures().join("real/tampered-sidecar/events.jsonl")).expect("the fixture");
    let number = |name: &str| place[name].parse::<usize>().expect("a number");
    let line = log.lines().nth(number("line") - 1).expect("the line");
    let value = &line[number("col") - 1..number("endColumn") - 1];
    assert_eq!(value, "\"5125c3312c8ec7be93c145ce58cee2bca10dc939ed367f60803084f29a66761c\"");
    let sidecar = commands.iter().find(|command| command.properties["title"] == "sidecar-drift").expect("it drifted");
    assert_eq!(sidecar.properties["file"], "real/tampered-sidecar/rehearsal.json");
    assert!(sidecar.message.contains("\nline 4 of the log: "), "{sidecar:?}");
}

/// A log without a result is annotated: an unreadable log with an error, an inconclusive one with a warning.
#[test]
fn unknown_results_are_annotated() {
    let empty = tempfile::tempdir().expect("a directory");
    let empty = empty.path().to_str().expect("UTF-8");
    let found = commands(&annotations(&["real/pass-3crate", empty, "damaged/empty", "nowhere.jsonl"]));
    let found: Vec<(&str, &str)> =
        found.iter().map(|command| (command.name.as_str(), command.properties["title"].as_str())).collect();
    let inconclusive = ("warning", "inconclusive");
    assert_eq!(found, [("error", "unjudged"), inconclusive, inconclusive, ("notice", "self-declared-registry")]);
    let plan = ["--plan-id", "another", "--registry", "rehearsal", "--require", "authorized"];
    let found = commands(&annotations(&[&plan[..], &["real/pass-3crate"]].concat()));
    assert_eq!(found[0].properties["title"], "requirement-not-met");
    assert!(found[0].message.contains("refused (stale-plan)"), "{found:?}");
}

/// Hostile text for a log or a path: line ends, commands in both forms, escapes of both, and characters that look like
/// others.
const HOSTILE: &str = "x\r\n::stop-commands::t\n  ::add-mask::x\n##[add-path]/tmp ##[error]y %0A::warning::z%25,line=1::w \u{202e}\u{1b}[2J\u{85}\u{2028}";

/// A log whose names are all hostile has the same annotations as one with plain names.
#[test]
fn hostile_text_starts_no_command() {
    let log = fs::read_to_string(fixtures().join("damaged/hostile-text/events.jsonl")).expect("the fixture");
    let first: serde_json::Value = serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    let name = first["event_type"]["plan_id"].to_string();
    let as_json = |text: &str| serde_json::to_string(text).expect("JSON");
    let with = |text: &str| {
        let inner = as_json(text);
        let log = log.replace(name.trim_matches('"'), inner.trim_matches('"'));
        // A type is displayed too, and a run without a decision after a rehearsal of another plan names both plans.
        let other = format!("{text}2");
        let line = log
            .lines()
            .next()
            .expect("a line")
            .replace("rehearsal_started", &format!("gate_{}", inner.trim_matches('"')));
        format!(
            "{log}{line}\n{}\n",
            log.lines().nth(8).expect("a plan").replace(inner.trim_matches('"'), as_json(&other).trim_matches('"'))
        )
    };
    let run = |text: &str| {
        let output = replay_stdin(&["--format", "github", "-"], with(text).as_bytes());
        commands(&String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (hostile, tame) = (run(HOSTILE), run("x"));
    let essence = |commands: &[Command]| {
        let of = |command: &Command| (command.name.clone(), command.properties["title"].clone());
        commands.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(essence(&hostile), essence(&tame));
    assert!(
        hostile.iter().any(|command| command.message.contains("stop-commands")),
        "the text is displayed: {hostile:?}"
    );
    assert!(hostile.iter().all(|command| !command.properties.contains_key("file")), "standard input has no file");
}

/// A path is complete if it can name a file of a checkout, and escaped otherwise.
#[test]
fn hostile_paths_start_no_command() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, shown) in [
        ("a b,line=9::c%0A%25;d##[error]e.jsonl", "a b,line=9::c%0A%25;d##[error]e.jsonl"),
        ("::stop-commands::t", "::stop-commands::t"),
        ("new\n::error::line", "new\\n::error::line"),
        ("\u{202e}lnosj.stneve", "\\u{202e}lnosj.stneve"),
        ("snötchen.jsonl", "snötchen.jsonl"),
    ] {
        fs::write(directory.path().join(name), b"").expect("it can be written");
        let output =
            program(&["--format", "github", "--", name]).current_dir(directory.path()).output().expect("the program");
        let commands = commands(&String::from_utf8(output.stdout).expect("UTF-8"));
        assert_eq!(commands.len(), 1, "{commands:?}");
        assert_eq!(commands[0].properties["file"], shown);
        assert_eq!(commands[0].properties["title"], "inconclusive");
    }
}

/// The last line counts the annotations above it.
#[test]
fn last_line_is_the_summary() {
    let text = annotations(&["real", "damaged", "recorded"]);
    let commands = commands(&text);
    let of = |name: &str| commands.iter().filter(|command| command.name == name).count();
    let (errors, warnings, notes) = (of("error"), of("warning"), of("notice"));
    let sum = format!(
        "shipper-replay: violated (exit status 1): 58 logs, {errors} errors, {warnings} warnings, {notes} notes"
    );
    assert_eq!(text.lines().last(), Some(sum.as_str()));
}
