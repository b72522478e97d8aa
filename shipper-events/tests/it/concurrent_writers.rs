//! Processes that append to one log at once lose no event, tear no line and break no link.

use std::io::Write;
use std::process::{Command, Stdio};

use shipper_events::{EventReader, Head, HeadHasher, LogEntry};
use shipper_testkit::lines::split_lines;
use shipper_testkit::program::example_program;
use shipper_testkit::settings::{print_figure, scaled};

const PROCESSES: usize = 8;

/// Eight processes append a thousand events each.
#[test]
fn eight_processes_append_to_one_log() {
    let each = scaled(1_000, 10_000);
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("events.jsonl");
    let append = example_program("shipper-events", "append");
    let children: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let mut child = Command::new(&append)
                .arg(&log)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("it starts");
            let mut input = child.stdin.take().expect("a standard input");
            let events: String = (0..each)
                .map(|event| {
                    format!(
                        "{{\"event_type\":{{\"type\":\"package_uploaded\"}},\"package\":\"p{process}@{event}.0.0\"}}\n"
                    )
                })
                .collect();
            let writer = std::thread::spawn(move || input.write_all(events.as_bytes()).expect("it reads"));
            (child, writer)
        })
        .collect();
    let mut acknowledged = Vec::new();
    for (child, writer) in children {
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("it read everything");
        assert!(output.status.success());
        let heads = String::from_utf8(output.stdout).expect("UTF-8");
        acknowledged.extend(heads.lines().map(|head| head.parse::<Head>().expect("a head")));
    }
    let bytes = std::fs::read(&log).expect("the log");
    let entries: Vec<LogEntry> = EventReader::new(&bytes[..]).collect::<Result<_, _>>().expect("the chain is unbroken");
    assert_eq!(entries.len(), PROCESSES * each, "each event is in the log once");
    for process in 0..PROCESSES {
        let own = entries.iter().filter(|entry| entry.event.package.starts_with(&format!("p{process}@")));
        let own: Vec<&str> = own.map(|entry| entry.event.package.as_str()).collect();
        let expected: Vec<String> = (0..each).map(|event| format!("p{process}@{event}.0.0")).collect();
        assert_eq!(own, expected, "the events of a process keep their order");
    }
    acknowledged.sort_by_key(|head| head.lines);
    let mut prefix = HeadHasher::new();
    for (line, head) in split_lines(&bytes).0.zip(&acknowledged) {
        prefix.push_line(line);
        assert_eq!(prefix.head(), *head, "each acknowledged head is a head of the log");
    }
    print_figure(&format!(
        "{PROCESSES} processes appended {each} events each: {} lines, none lost, none torn, chain unbroken",
        entries.len()
    ));
}
