//! Facts about the packet: the files `state.json` and `receipt.json`.

use shipper_core::audit::{LogAudit, PacketFileReport, PacketStatus};
use shipper_core::packet::{PacketDiff, PacketKind};
use shipper_events::display_safe;

/// Most differences that a fact lists. The message of the finding has the number of all.
const MAX_DETAILS: usize = 20;

/// Returns the name, the result and the differences of each file of the packet that exists.
pub(super) fn packet_facts(audit: &LogAudit) -> impl Iterator<Item = (&'static str, String, Vec<String>)> {
    audit.packet_files().filter_map(|(kind, file)| {
        let label = match kind {
            PacketKind::State => "state",
            PacketKind::Receipt => "receipt",
        };
        let details = file.differences.iter().take(MAX_DETAILS).map(diff_text).collect();
        Some((label, status_text(file)?, details))
    })
}

/// Returns the result of the comparison; `None` if the file does not exist or was not looked for.
fn status_text(file: &PacketFileReport) -> Option<String> {
    let path = display_safe(file.path.as_deref()?);
    Some(match file.status {
        PacketStatus::NotChecked => format!("{path} was not compared with the log"),
        PacketStatus::Absent => return None,
        PacketStatus::Unreadable => format!("{path} cannot be read or compared"),
        PacketStatus::Unsupported => format!("{path} has a schema that this version does not know"),
        PacketStatus::Orphan => format!("{path} exists, but the log has no run of its plan"),
        PacketStatus::Match => format!("{path} agrees with the log"),
        PacketStatus::Behind => format!("{path} is older than the log"),
        PacketStatus::Drift => format!("{path} contradicts the log"),
    })
}

fn diff_text(difference: &PacketDiff) -> String {
    let value = |value: &Option<String>| match value {
        Some(value) => display_safe(value).max_chars(80).quoted().to_string(),
        None => "none".to_owned(),
    };
    let field = display_safe(&difference.field).max_chars(80);
    format!("{field} differs: file {}, log {}", value(&difference.file), value(&difference.log))
}
