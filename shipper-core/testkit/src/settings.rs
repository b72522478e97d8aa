//! How much the tests try, and what they print of it.

use std::io::Write;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// Inputs that ever failed are kept beside the test and tried first. `PROPTEST_CASES` says how many others, where it is
/// set.
pub fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    let cases = asked.unwrap_or(cases);
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

/// Says a figure past the capture of the test runner: it is part of what the tests show.
pub fn say(figure: &str) {
    writeln!(std::io::stderr(), "{figure}").expect("standard error takes it");
}
