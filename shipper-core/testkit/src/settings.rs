//! The scale of the tests, and the figures that they print.

use std::io::Write;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// Returns `full` if the environment variable `SHIPPER_FULL` is set, else `default`. The tests have no other switch.
pub fn scaled<T>(default: T, full: T) -> T {
    if std::env::var_os("SHIPPER_FULL").is_some() { full } else { default }
}

/// Returns the configuration of a property test with `cases` inputs, twenty times as many under `SHIPPER_FULL`, or the
/// number in `PROPTEST_CASES`. Inputs that failed before are stored beside the test and tried first.
pub fn proptest_config(cases: u32) -> ProptestConfig {
    let requested = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = requested.unwrap_or_else(|| scaled(cases, 20 * cases));
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

/// Prints a line past the capture of the test runner, so that the output of the tests contains the figures.
pub fn print_figure(figure: &str) {
    writeln!(std::io::stderr(), "{figure}").expect("standard error accepts it");
}

/// Returns the processor time of the current thread, so that no test fails on a busy machine. On other systems, returns
/// the time since the first call.
pub fn cpu_time() -> Duration {
    static FIRST_CALL: LazyLock<Instant> = LazyLock::new(Instant::now);
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|text| text.parse().ok()).filter(|taken| *taken > 0);
    nanoseconds.map_or_else(|| FIRST_CALL.elapsed(), Duration::from_nanos)
}
