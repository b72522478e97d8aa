//! A stream that gives its bytes in pieces.

use std::io::{self, Read};

/// A stream whose reads give at most this number of bytes.
pub(crate) struct Pieces<'a>(pub(crate) &'a [u8], pub(crate) u64);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&mut self.0).take(self.1).read(buffer)
    }
}
