//! Parsing of members and errors, for the sidecar and the packet: each file is one JSON object, read as strictly as a line.

use shipper_events::LineError;
use shipper_events::json::{Object, Value};

/// A member that is missing or has the wrong type.
pub(crate) struct MemberError {
    pub(crate) member: &'static str,
    /// Values that the member must have.
    pub(crate) expected: &'static str,
}

/// Reads a member. `expected` describes the values that `parse` accepts.
pub(crate) fn read<'a, T>(
    object: &Object<'a>,
    member: &'static str,
    expected: &'static str,
    parse: impl FnOnce(Value<'a>) -> Option<T>,
) -> Result<T, MemberError> {
    object.get(member).and_then(parse).ok_or(MemberError { member, expected })
}

/// Returns the line of a syntax error in the bytes of a file; the first is 1.
pub(crate) fn line_of(bytes: &[u8], corruption: &LineError) -> usize {
    bytes.iter().take(corruption.offset).filter(|byte| **byte == b'\n').count() + 1
}
