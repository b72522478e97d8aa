//! An audit states that a log begins with a head only if it does. Otherwise a report would confirm a head that it never
//! compared, or that differs.

use shipper_core::audit::{AuditOptions, Auditor, HeadDigest, LogAudit, SidecarInput, TrustedHead, read_heads};
use shipper_events::{Head, HeadHasher, Tail};
use shipper_testkit::log_builder::LogBuilder;

/// Every pair of heads for `--since` and `--extends`: none, the right one, one with another hash, and one that is too long.
/// A report that was read from JSON does not know which of two heads a mismatch is about: it then names `--extends`.
#[test]
fn only_the_heads_of_the_log_are_confirmed() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    let right = log.head();
    log.publish("p");
    let wrong = Head { blake3: HeadHasher::new().head().blake3, ..right };
    let heads = [None, Some(right), Some(wrong), Some(Head { lines: 99, ..right })];
    for since in heads {
        for extends in heads {
            let mut options = AuditOptions::default();
            (options.since, options.extends) = (since.map(TrustedHead::from), extends.map(TrustedHead::from));
            let audit = log.audit(&options);
            let confirmed = |audit: &LogAudit| (audit.applies_since(&options), audit.applies_extends(&options));
            let (since_fits, extends_fits) = (since == Some(right), extends == Some(right));
            assert_eq!(confirmed(&audit), (since_fits, extends_fits), "{since:?} {extends:?}");
            let json = serde_json::to_string(&audit).expect("JSON");
            let is_ambiguous = since.is_some() && !since_fits && extends_fits;
            let expected = (since_fits || is_ambiguous, extends_fits && !is_ambiguous);
            assert_eq!(confirmed(&serde_json::from_str(&json).expect("a report")), expected, "{since:?} {extends:?}");
        }
    }
}

/// Both forms of the head of each prefix fit, and no other SHA-256 fits, however the log arrives. A prefix may end inside
/// a piece, and the audited part may be shorter than the head.
#[test]
fn heads_with_sha256_fit_as_those_with_blake3_do() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    log.publish("p");
    let bytes = log.bytes();
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
    for end in [0].into_iter().chain(ends.iter().copied()) {
        let heads = read_heads(&bytes[..end]).expect("memory can be read");
        assert_eq!(heads.sha256.bytes, end as u64);
        let torn = read_heads([&bytes[..end], b"x"].concat().as_slice()).expect("memory can be read");
        assert_eq!((torn.blake3, torn.sha256, torn.tail), (heads.blake3, heads.sha256, Tail::Torn { bytes: 1 }));
        let wrong = TrustedHead { digest: HeadDigest::Sha256([7; 32]), ..heads.sha256 };
        let short = TrustedHead { lines: heads.sha256.lines + 1, ..heads.sha256 };
        for (head, fits) in [(heads.blake3.into(), true), (heads.sha256, true), (wrong, false), (short, false)] {
            let options = AuditOptions::default().with_extends(head).with_since(head);
            for piece in [1, 7, 1 << 20] {
                let mut auditor = Auditor::new(options.clone(), SidecarInput::NotRequested).expect("no time");
                bytes.chunks(piece).for_each(|piece| auditor.feed(piece));
                let audit = auditor.finish().expect("no line is missing");
                assert_eq!((audit.applies_since(&options), audit.applies_extends(&options)), (fits, fits), "{head}");
            }
            let mut auditor = Auditor::new(options.clone(), SidecarInput::NotRequested).expect("no time");
            auditor.feed_all(bytes).expect("memory can be read");
            assert_eq!(auditor.finish().expect("no line is missing").applies_extends(&options), fits, "{head}");
            assert_eq!(head.to_string().parse(), Ok(head));
        }
    }
}
