//! What the tests of this crate share.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::expect_used, reason = "a test that finds something wrong stops at once")]

use std::io::Write;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// Inputs that ever failed are kept beside the test and tried first.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

/// Says a figure past the capture of the test runner: it is part of what the tests show.
pub(crate) fn say(figure: &str) {
    writeln!(std::io::stderr(), "{figure}").expect("standard error takes it");
}
