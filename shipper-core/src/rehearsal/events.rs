//! Events that rehearsals and runs have in common.

use std::time::Duration;

use shipper_events::event::{Lenient, PackageOutput, RegistryPolicy, RegistryPolicyApplied};

/// Longest output that is recorded, in bytes: far less than fits into a line, however it is escaped.
const MAX_OUTPUT_TAIL: usize = 64 * 1024;

/// The end of the output of a command.
pub(crate) fn package_output(stdout: &str, stderr: &str) -> PackageOutput {
    let tail = |text: &str| {
        let start =
            (text.len().saturating_sub(MAX_OUTPUT_TAIL)..=text.len()).find(|start| text.is_char_boundary(*start));
        start.and_then(|start| text.get(start..)).unwrap_or_default().to_owned()
    };
    PackageOutput::new().stdout_tail(tail(stdout)).stderr_tail(tail(stderr))
}

/// The hosts of a registry: that of its index, and that of its uploads and tokens. An audit compares those of a run with
/// those of its rehearsal.
pub(crate) fn policy_applied(index: Option<&str>, credentials: Option<&str>) -> RegistryPolicyApplied {
    let host = |host: Option<&str>| host.map_or(Lenient::Absent, Lenient::from);
    let evidence = RegistryPolicy::new().credential_authority(host(credentials)).index_authority(host(index));
    RegistryPolicyApplied::new().evidence(evidence)
}

/// A time in milliseconds, as events contain it.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
