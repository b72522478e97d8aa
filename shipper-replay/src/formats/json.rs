//! The report as JSON: `docs/auditing.md`, "The JSON report".

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use shipper_events::is_display_safe;

/// Writes one line of JSON. What could act on a terminal is written as an escape, which is the same text to every
/// reader of JSON.
pub(crate) fn write(value: &impl Serialize, mut out: impl io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut out, Plain);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all text is, and a report may hold megabytes of it.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut plain = fragment;
        while let Some(position) = plain.find(|character| !is_display_safe(character)) {
            let (before, from) = plain.split_at_checked(position).unwrap_or((plain, ""));
            let mut characters = from.chars();
            CompactFormatter.write_string_fragment(writer, before)?;
            let mut units = [0; 2];
            for unit in characters.next().into_iter().flat_map(|c| c.encode_utf16(&mut units).to_vec()) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = characters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, plain)
    }
}
