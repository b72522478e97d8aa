//! The report as JSON: `docs/auditing.md`, "The JSON report".

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use shipper_events::is_display_safe;

/// Writes one line of JSON. Characters that could act on a terminal are escaped, which is the same text to every reader
/// of JSON.
pub(crate) fn write(value: &impl Serialize, mut out: impl io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut out, EscapingFormatter);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Compact formatter that escapes every character that is not safe to show.
struct EscapingFormatter;

impl Formatter for EscapingFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // A short cut: a report may contain megabytes of such text.
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
