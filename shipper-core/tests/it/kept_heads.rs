//! An audit states that a log begins with a head only if it does. Otherwise a report would confirm a head that it never
//! compared, or that differs.

use shipper_core::audit::{AuditOptions, LogAudit};
use shipper_events::{Head, HeadHasher};
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
            (options.since, options.extends) = (since, extends);
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
