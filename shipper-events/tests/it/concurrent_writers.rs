//! Processes that append to one log at once lose no event, tear no line and break no link. A process that is killed at
//! any system call loses nothing that it acknowledged.

use std::io::Write;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;
use shipper_events::write::{FsStorage, LogWriter, WriterOptions};
use shipper_events::{EventReader, Head, HeadHasher, LogEntry};
use shipper_testkit::lines::split_lines;
use shipper_testkit::program::{example_program, installed};
use shipper_testkit::settings::{print_figure, scaled};
use shipper_testkit::syscall_killer::kill_at_syscalls;

const PROCESSES: usize = 8;

/// Returns the head of the first `lines` lines of a log.
fn head(log: &[u8], lines: u64) -> Head {
    let mut prefix = HeadHasher::new();
    for line in split_lines(log).0.take(usize::try_from(lines).expect("small")) {
        prefix.push_line(line);
    }
    prefix.head()
}

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

/// `append` is killed at every system call, while it adopts an unchained line and appends.
#[cfg(target_os = "linux")]
#[test]
fn killed_append_loses_nothing_acknowledged() {
    if !installed(&["strace"]) {
        return;
    }
    let input = "{\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n".repeat(2);
    let prepare = || {
        let directory = tempfile::tempdir().expect("a directory");
        let foreign = "{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"x\"},\"package\":\"all\"}\n";
        std::fs::write(directory.path().join("events.jsonl"), foreign).expect("a log");
        directory
    };
    let kills = kill_at_syscalls(
        &example_program("shipper-events", "append"),
        &["--adopt", "DIR/events.jsonl"],
        &input,
        prepare,
        |directory, stdout| {
            let path = Utf8PathBuf::try_from(directory.join("events.jsonl")).expect("UTF-8");
            let options = WriterOptions::default().repair_torn_tail(true).adopt_unchained(true);
            let log = LogWriter::open(FsStorage, &path, options, ()).expect("it opens after any kill");
            let bytes = std::fs::read(&path).expect("the log");
            // The kill may truncate the last head.
            for acknowledged in stdout.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
                let acknowledged: Head = acknowledged.parse().expect("a head");
                assert_eq!(head(&bytes, acknowledged.lines), acknowledged, "an acknowledged event is gone");
            }
            assert_eq!(log.head(), head(&bytes, log.head().lines));
            assert!(EventReader::new(&bytes[..]).all(|read| read.is_ok()));
        },
    );
    print_figure(&format!("append was killed at {kills} system calls: nothing acknowledged was lost"));
    assert!(kills > 20);
}
