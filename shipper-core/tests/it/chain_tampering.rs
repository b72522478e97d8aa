//! An audit finds edits, deletions, insertions and reorderings of chained lines, at the line. Unchained lines are
//! allowed only where the log format allows them.

use shipper_core::audit::AuditOptions;
use shipper_testkit::log_builder::{LogBuilder, assert_summary};
use shipper_testkit::settings::{print_figure, scaled};

/// Lines of a tool that does not chain precede and follow chained lines.
#[test]
fn unchained_lines_are_adopted() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").adopted();
    assert_summary(&log, "inconclusive partlychained");
    log.foreign_line(r#"{"type":"execution_started"}"#, "all")
        .foreign_line(r#"{"type":"preflight_started"}"#, "all")
        .adopted();
    log.chained_line(r#"{"type":"preflight_started"}"#, "all").raw("\n");
    assert_summary(&log, "inconclusive partlychained; 9!blank-line");
    let audit = log.audit(&AuditOptions::default());
    let notes: Vec<_> = audit
        .findings
        .iter()
        .filter(|finding| finding.code.as_str() == "foreign-lines")
        .map(|finding| finding.line)
        .collect();
    assert_eq!(notes, [Some(5), Some(9)], "one note for each group of unchained lines after a chained line");
}

/// A chained line directly after an unchained one must be `log_adopted`.
#[test]
fn chained_line_after_unchained_lines_must_adopt_them() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r")
        .chained_line(r#"{"type":"preflight_started"}"#, "all")
        .chained_line(r#"{"type":"preflight_started"}"#, "all");
    assert_summary(&log, "violated broken; 4!chain-broken");
}

/// The head in `log_adopted` must be that of the lines before it.
#[test]
fn adopted_head_must_match() {
    let mut log = LogBuilder::foreign();
    let empty = log.head();
    log.pass("p", "r").adopted_as(&empty);
    assert_summary(&log, "violated broken; 4!head-mismatch");
}

/// Event types that only this tool writes must be chained. Each such line has one finding, and the audit continues.
#[test]
fn chained_only_types_must_be_chained() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").authorized("p", "r").event(r#"{"type":"tail_repaired","bytes":1,"blake3":""}"#);
    log.event(r#"{"type":"log_continued","lines":1,"bytes":1,"blake3":""}"#);
    log.adopted();
    let summary = log.summary(&AuditOptions::default());
    assert!(
        summary.starts_with(
            "violated broken; 4:authorized; 4!chain-broken; 5!chain-broken; 5!tail-repaired; 6!chain-broken"
        ),
        "{summary}"
    );
}

/// `log_continued` is allowed on line 1 only.
#[test]
fn log_continued_is_allowed_on_line_1_only() {
    let continued = r#"{"type":"log_continued","lines":9,"bytes":99,"blake3":"old"}"#;
    let mut log = LogBuilder::chained();
    log.event(continued).pass("p", "r");
    assert_summary(&log, "inconclusive chained; 1!continues-earlier-log");
    log.event(continued);
    assert_summary(&log, "violated broken; 1!continues-earlier-log; 5!chain-broken");
}

/// Each deleted, doubled or swapped line and each changed byte is found, except at the end of the log: only a kept head
/// shows that the last line is missing or different.
#[test]
fn tampering_is_detected() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").publish("p").event(r#"{"type":"preflight_started"}"#);
    let kept = AuditOptions::default().with_extends(log.head());
    let bytes = log.bytes().to_vec();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let audit = |bytes: &[u8], demand: &AuditOptions| {
        let audit = shipper_testkit::log_builder::audit(bytes, shipper_core::audit::SidecarInput::NotRequested, demand);
        audit.expect("no line is demanded").integrity
    };
    let broken = shipper_core::audit::Integrity::Broken;
    let (mut seen, mut total) = (0, 0);
    for at in 0..lines.len() {
        let mut deleted = lines.clone();
        deleted.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let mut tampered = vec![deleted, doubled];
        if at + 1 < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            tampered.push(swapped);
        }
        for tampered in tampered {
            total += 1;
            seen += usize::from(audit(&tampered.concat(), &AuditOptions::default()) == broken);
            assert_eq!(audit(&tampered.concat(), &kept), broken, "line {at}");
        }
    }
    assert_eq!(total - seen, 1, "only the deletion of the last line is not found");
    let (mut bits, mut bits_seen) = (0, 0);
    for at in 0..bytes.len() {
        // A shorter run changes another bit of each byte.
        for bit in scaled(at % 8..at % 8 + 1, 0..8) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            bits += 1;
            let found = audit(&flipped, &AuditOptions::default()) == broken;
            bits_seen += usize::from(found);
            // Only a kept head shows a changed last line, or a lost LF, which leaves a torn tail.
            let last_line = at >= bytes.len() - lines[lines.len() - 1].len();
            assert!(last_line || found, "byte {at}, bit {bit}");
            assert_eq!(audit(&flipped, &kept), broken, "byte {at}, bit {bit}");
        }
    }
    let (mut cuts, mut cuts_seen) = (0, 0);
    for cut in 0..bytes.len() {
        cuts += 1;
        let torn = shipper_testkit::log_builder::audit(
            &bytes[..cut],
            shipper_core::audit::SidecarInput::NotRequested,
            &AuditOptions::default(),
        );
        cuts_seen += usize::from(torn.expect("no line is demanded").tail == shipper_core::audit::TailStatus::Torn);
        assert_eq!(audit(&bytes[..cut], &kept), broken, "cut at {cut}");
    }
    print_figure(&format!(
        "tampering seen: lines deleted, doubled or swapped {seen}/{total}, bits flipped {bits_seen}/{bits}, ends cut off \
         {cuts_seen}/{cuts}; with a kept head {total}/{total}, {bits}/{bits}, {cuts}/{cuts}"
    ));
}
