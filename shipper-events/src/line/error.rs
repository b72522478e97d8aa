//! Errors of one line: the reason and the column.

use thiserror::Error;

use crate::display_safe::display_safe;

/// The length limit of a line, its LF included, in bytes: 16 MiB. A longer line is corrupt. The longest lines of
/// real logs contain the last output of a command and stay below 100 KiB; the limit bounds a reader's memory.
pub const MAX_LINE_LEN: usize = 16 * 1024 * 1024;

/// The reason why a complete line is corrupt, and its column: see `docs/log-format.md`, "Corrupt lines".
///
/// [`ReadError`](crate::ReadError) also has the line's number.
///
/// ```
/// let line = br#"{"timestamp":"2026-11-23T08:12:26Z","package":"all","package":"a@1.0.0"}"#;
/// let error = shipper_events::parse_line(line).unwrap_err();
/// assert_eq!(error.column, 53);
/// assert_eq!(
///     error.to_string(),
///     r#"column 53: duplicate member "package" in one object"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {kind}")]
#[non_exhaustive]
pub struct LineError {
    /// The reason.
    pub kind: LineErrorKind,
    /// The offset of the error, in bytes from the start of the parsed text, which may have several lines.
    pub offset: usize,
    /// The position of the error, in characters from the start of the line; the first is 1.
    pub column: usize,
}

impl LineError {
    /// Returns the error of every line that is longer than [`MAX_LINE_LEN`].
    pub fn too_long() -> Self {
        Self::new(LineErrorKind::TooLong, &[], 0)
    }

    pub(crate) fn new(kind: LineErrorKind, bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line = memchr::memrchr(b'\n', before).map_or(0, |position| position + 1);
        let before = before.get(line..).unwrap_or_default();
        let column = String::from_utf8_lossy(before).chars().count() + 1;
        Self { kind, offset, column }
    }
}

/// Reasons why a line is corrupt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// The line is longer than [`MAX_LINE_LEN`].
    #[error("the line is longer than 16 MiB")]
    TooLong,
    /// The line begins with a byte order mark.
    #[error("unexpected byte order mark")]
    ByteOrderMark,
    /// The line is not UTF-8.
    #[error("invalid UTF-8")]
    NotUtf8,
    /// The line does not begin with `{`.
    #[error("expected one JSON object")]
    NotAnObject,
    /// The line contains something after the object.
    #[error("expected the end of the line after its JSON object")]
    TrailingData,
    /// The line is not JSON.
    #[error("expected {expected}")]
    UnexpectedToken {
        /// The token that JSON's grammar requires here.
        expected: &'static str,
    },
    /// The line contains a line feed before its end.
    #[error("unexpected line feed inside the event")]
    LineFeed,
    /// A string contains a control character that is not escaped.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// A `\u` escape is one half of a surrogate pair without the other.
    #[error("escape of an unpaired surrogate")]
    LoneSurrogate,
    /// Objects and arrays nest deeper than [`MAX_DEPTH`](crate::json::MAX_DEPTH).
    #[error("objects and arrays nest deeper than 128 levels")]
    TooDeep,
    /// An object has two members of one name.
    #[error("duplicate member {} in one object", display_safe(name).quoted())]
    DuplicateName {
        /// The name, unescaped.
        name: String,
    },
    /// A required member is missing.
    #[error("missing member \"{member}\" in {object}, expected {expected}")]
    MissingMember {
        /// The member's name.
        member: &'static str,
        /// The object that lacks it.
        object: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
    /// A required member has another type.
    #[error("member \"{member}\" must be {expected}")]
    WrongKind {
        /// The member's name.
        member: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
}
