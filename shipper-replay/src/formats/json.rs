//! The report as JSON: `docs/auditing.md`, "The JSON report".

use std::io::{self, Write};

use serde::Serialize;
use shipper_events::is_display_safe;

/// The number of bytes that are checked at a time.
const CHECKED_LEN: usize = 64 * 1024;

/// Writes one line of JSON. It escapes characters that could control a terminal, which does not change the JSON value.
pub(crate) fn write(value: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    let mut escaping = EscapingWriter { text: Vec::new(), out: &mut out };
    serde_json::to_writer(&mut escaping, value)?;
    escaping.flush()?;
    out.write_all(b"\n")
}

/// Writer of JSON that escapes characters that are not safe to show: they only occur in strings.
struct EscapingWriter<W> {
    /// The text that is not written yet.
    text: Vec<u8>,
    out: W,
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.write_all(text).map(|()| text.len())
    }

    #[inline]
    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        self.text.extend_from_slice(text);
        if self.text.len() < CHECKED_LEN {
            return Ok(());
        }
        self.flush()
    }

    /// Writes the text so far.
    fn flush(&mut self) -> io::Result<()> {
        // A fast path: a report may have megabytes of such text. Without an early end, it takes many bytes at a time.
        if self.text.iter().fold(true, |is_safe, byte| is_safe & matches!(byte, b' '..=b'~')) {
            self.out.write_all(&self.text)?;
        } else {
            // The text ends with a character, because `serde_json` writes strings in parts that do.
            for character in str::from_utf8(&self.text).map_err(io::Error::other)?.chars() {
                if is_display_safe(character) {
                    self.out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
                } else {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(self.out, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        self.text.clear();
        Ok(())
    }
}
