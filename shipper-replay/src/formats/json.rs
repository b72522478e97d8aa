//! The report as JSON: `docs/auditing.md`, "The JSON report".

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use shipper_events::is_display_safe;

/// Writes one line of JSON. It escapes characters that could control a terminal, which does not change the JSON value.
pub(crate) fn write(value: &impl Serialize, mut out: impl io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut out, EscapingFormatter);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Compact formatter that escapes characters that are not safe to show.
struct EscapingFormatter;

impl Formatter for EscapingFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // A fast path: a report may contain megabytes of such text. Without an early end, it takes many bytes at a time.
        if fragment.bytes().fold(true, |is_safe, byte| is_safe & matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        for character in fragment.chars() {
            if is_display_safe(character) {
                writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}
