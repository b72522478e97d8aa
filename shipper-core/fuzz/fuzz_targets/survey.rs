//! A log in blocks: survey and follower say of every line what `parse_line`, `Chain` and `HeadHasher` say line by line.
//!
//! The first bytes say how the log is made and cut. No fuzzer finds hashes, so a line that begins with `#` is given a
//! link that fits, with `%` one whose number is wrong, and with `&` one whose hash is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shipper_events::{
    ChainError, Chain, EventType, Follower, Head, ParsedLine, ChainLink, Piece, HeadHasher, Regard, Survey, What, parse_line, scan, survey,
    survey_stream,
};

const KEPT: u64 = 2;

/// Types with members that are read: they are built whatever anybody wants of them.
const READ: [&str; 8] = [
    "plan_created",
    "rehearsal_started",
    "rehearsal_package_published",
    "rehearsal_complete",
    "gate_evaluated",
    "log_adopted",
    "tail_repaired",
    "log_continued",
];

/// A line's number, what it is, what breaks at it, whether foreign lines begin, and the head of the log with an event.
type Seen = (u64, Option<What<u8>>, Vec<ChainError>, bool, Option<Head>);

/// Lines that are told of, whether a corrupt one ended them, and the first that ends with CR LF.
type Told = (Vec<Seen>, bool, Option<u64>);

/// All of it: what is told, the log's own head and the one kept, and whether any line is chained and any foreign.
type Whole = (Told, Head, Option<Head>, bool, bool);

fn regard(name: &str) -> Regard<u8> {
    match name {
        "package_published" => Regard::Brief(1),
        "package_output" | "registry_policy_applied" => Regard::Whole,
        _ if !EventType::is_known(name) => Regard::Whole,
        _ => Regard::Quiet,
    }
}

fn line_by_line(log: &[u8]) -> Whole {
    let (mut chain, mut prefix, (mut seen, mut corrupt, mut crlf)) = (Chain::new(), HeadHasher::new(), Told::default());
    let mut kept = None;
    for bytes in scan(log).0 {
        let (mut what, mut breaks, mut begins) = (None, Vec::new(), false);
        match parse_line(bytes) {
            _ if corrupt => {}
            Err(corruption) => (what, corrupt) = (Some(What::Corrupt(Box::new(corruption))), true),
            Ok(parsed) => {
                if bytes.ends_with(b"\r\n") {
                    crlf.get_or_insert(prefix.lines() + 1);
                }
                let followed = chain.follow(bytes, &parsed, &prefix);
                (breaks, begins) = (followed.breaks, followed.begins_foreign_stretch);
                what = match parsed {
                    ParsedLine::Blank => Some(What::Blank),
                    ParsedLine::Event(record) => match regard(record.type_name()) {
                        _ if READ.contains(&record.type_name()) => Some(What::Event(Box::new(record.into_event()))),
                        Regard::Quiet => None,
                        Regard::Brief(kind) => Some(What::Brief { kind, package: record.package().into() }),
                        Regard::Whole => Some(What::Event(Box::new(record.into_event()))),
                    },
                };
            }
        }
        prefix.push_line(bytes);
        let head = matches!(what, Some(What::Event(_))).then(|| prefix.head());
        if prefix.lines() == KEPT {
            kept = Some(prefix.head());
        }
        if what.is_some() || !breaks.is_empty() || begins {
            seen.push((prefix.lines(), what, breaks, begins, head));
        }
    }
    ((seen, corrupt, crlf), prefix.head(), kept, chain.any_chained(), chain.any_foreign())
}

fn take(follower: &mut Follower, (seen, corrupt, crlf): &mut Told, block: Survey<'_, u8>) {
    if *corrupt {
        return follower.pass(block.bytes());
    }
    *crlf = crlf.or(block.first_crlf().map(|position| follower.lines() + position + 1));
    let taken = follower.take(block, |told, place| {
        *corrupt |= matches!(told.what, Some(What::Corrupt(_)));
        let head = matches!(told.what, Some(What::Event(_))).then(|| place.head());
        seen.push((told.line, told.what, told.followed.breaks, told.followed.begins_foreign_stretch, head));
        Ok::<(), ()>(())
    });
    taken.expect("nothing here fails");
}

fn whole(cut: impl FnOnce(&mut dyn FnMut(Survey<'_, u8>))) -> Whole {
    let (mut follower, mut told) = (Follower::new(), Told::default());
    follower.keep(KEPT);
    cut(&mut |block| take(&mut follower, &mut told, block));
    let (any_chained, any_foreign) = (follower.chain().any_chained(), follower.chain().any_foreign());
    (told, follower.head(), follower.kept(KEPT), any_chained, any_foreign)
}

/// A filler that moves the rest to the border of a window of 64 KiB, then the lines with their links.
fn made(filler: u8, text: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    if let Some(before) = filler.checked_sub(224) {
        let rest =
            r#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"preflight_complete","x":""},"package":"a"}"#;
        let text = "x".repeat(65_535 - rest.len() - usize::from(before) * 11);
        log.extend_from_slice(rest.replace("\"\"", &format!("\"{text}\"")).as_bytes());
        log.push(b'\n');
    }
    let (mut start, mut lines) = (0, u64::from(!log.is_empty()));
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let mut previous = log.get(start..).unwrap_or_default();
        start = log.len();
        let (wrong, rest) = match line.split_first() {
            Some((b'#', rest)) => (0, rest),
            Some((b'%', rest)) => (3, rest),
            Some((b'&', rest)) => {
                previous = b"another line";
                (0, rest)
            }
            _ => {
                log.extend_from_slice(line);
                lines += 1;
                continue;
            }
        };
        let link = ChainLink::after(lines + wrong, previous).to_string();
        log.extend_from_slice(link.as_bytes());
        log.extend_from_slice(rest);
        lines += 1;
    }
    log
}

fuzz_target!(|bytes: &[u8]| {
    let Some(([filler, one, other, piece], text)) = bytes.split_first_chunk::<4>() else { return };
    let log = made(*filler, text);
    let expected = line_by_line(&log);
    assert_eq!(whole(|take| take(survey(&log, regard))), expected, "as one block");
    let lines: Vec<&[u8]> = scan(&log).0.collect();
    let cut = |take: &mut dyn FnMut(Survey<'_, u8>)| {
        let (mut rest, mut sizes) = (&lines[..], [one, other].into_iter().cycle());
        while let Some(size) = sizes.next().filter(|_| !rest.is_empty()) {
            let (block, after) = rest.split_at(usize::from(*size % 8 + 1).min(rest.len()));
            take(survey(&block.concat(), regard));
            rest = after;
        }
    };
    assert_eq!(whole(cut), expected, "in blocks");
    // A stream reads ahead: that takes its time.
    if piece % 4 > 0 {
        return;
    }
    let mut tail = None;
    let stream = |take: &mut dyn FnMut(Survey<'_, u8>)| {
        let mut rest = &log[..];
        let read = |buffer: &mut [u8]| {
            let (now, later) = rest.split_at((usize::from(*piece) * 16 + 1).min(rest.len()).min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            rest = later;
            Ok(now.len())
        };
        let pieces = survey_stream(read, regard, |piece| {
            let Piece::Lines(block) = piece else { panic!("no line is that long") };
            take(block);
            Ok::<(), std::io::Error>(())
        });
        tail = pieces.ok();
    };
    assert_eq!(whole(stream), expected, "from a stream");
    assert_eq!(tail, Some(scan(&log).1));
});
