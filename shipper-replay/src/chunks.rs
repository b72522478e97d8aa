//! Reading to the end in chunks.

use std::io::{self, Read};

/// Length of a read, in bytes.
pub(crate) const READ_LEN: usize = 256 * 1024;

/// Reads to the end, or until `take` returns false, and passes each chunk to `take`.
pub(crate) fn read_chunks(mut bytes: impl Read, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) if take(buffer.get(..count).unwrap_or_default()) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
