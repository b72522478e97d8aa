//! The first bytes of a file, which show why it is not an event log.

use std::io::{self, Read};

/// Most bytes that are kept.
const MAX_LEN: usize = 512;

/// A member of `rehearsal.json` and of `state.json` that no event has.
const SCHEMA_MEMBER: &[u8] = b"\"schema_version\"";

/// The first bytes of the file that is audited.
#[derive(Debug, Clone, Default)]
pub(super) struct FileStart(Vec<u8>);

impl FileStart {
    /// Takes the next bytes of the file.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.0.extend(bytes.iter().take(MAX_LEN - self.0.len().min(MAX_LEN)));
    }

    /// Takes the first bytes from `read` and returns them.
    pub(super) fn read(&mut self, read: impl Read) -> io::Result<io::Cursor<Vec<u8>>> {
        let mut bytes = Vec::new();
        read.take(MAX_LEN as u64).read_to_end(&mut bytes)?;
        self.extend(&bytes);
        Ok(io::Cursor::new(bytes))
    }

    /// Returns the remedy for a file whose first line that is not blank cannot be read. It depends on no later line, of
    /// which any number of bytes may be here, since the file may arrive in pieces.
    pub(super) fn help(&self) -> &'static str {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let blank = self.0.iter().take_while(|byte| is_blank(byte)).count();
        let lines = self.0.get(blank..).unwrap_or_default();
        let line = lines.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        let begins_with =
            |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
        let has_schema = || text.windows(SCHEMA_MEMBER.len()).any(|window| window == SCHEMA_MEMBER);
        if begins_with("<!doctype html") || begins_with("<html") {
            "the file is an HTML page and does not look like an event log; download the log again, since a server may \
             have sent an error page instead of it"
        } else if text == b"{" || text.starts_with(b"{") && has_schema() {
            "the file is a JSON document such as rehearsal.json or state.json and does not look like an event log; pass \
             the events.jsonl beside it"
        } else {
            "the file does not look like an event log; check the path, and if it is correct, keep the file unchanged, \
             find out what wrote or changed the first line, and move the log aside"
        }
    }
}
