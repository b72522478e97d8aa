//! What can be wrong with a line, and where.

use thiserror::Error;

use crate::display_safe::display_safe;

/// Why a complete line is corrupt, and where: see `docs/log-format.md`, "Corrupt lines".
///
/// The line's number is not in it: whoever reads lines knows that (see [`ReadError`](crate::ReadError)).
///
/// ```
/// let line = br#"{"timestamp":"2026-11-23T08:12:26Z","package":"all","package":"a@1.0.0"}"#;
/// let corruption = shipper_events::parse_line(line).unwrap_err();
/// assert_eq!(corruption.column, 53);
/// assert_eq!(
///     corruption.to_string(),
///     r#"column 53: the member "package" stands twice in one object, and readers would disagree on which one counts"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {fault}")]
pub struct LineError {
    /// What is wrong.
    pub fault: LineErrorKind,
    /// Where, in bytes from the start of the line.
    pub offset: usize,
    /// Where, in characters from the start of that line; the first is 1.
    pub column: usize,
}

impl LineError {
    /// What is wrong with every line of more than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN) bytes.
    pub fn too_long() -> Self {
        Self::new(LineErrorKind::TooLong, &[], 0)
    }

    pub(crate) fn new(fault: LineErrorKind, bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line = memchr::memrchr(b'\n', before).map_or(0, |position| position + 1);
        let before = before.get(line..).unwrap_or_default();
        let column = String::from_utf8_lossy(before).chars().count() + 1;
        Self { fault, offset, column }
    }
}

/// What makes a line corrupt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// The line is longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN).
    #[error("the line is longer than 16 MiB; no event is, so this is no event log or a broken one")]
    TooLong,
    /// A byte order mark stands at its start.
    #[error("a byte order mark stands here; save the file as UTF-8 without one")]
    ByteOrderMark,
    /// It is not UTF-8.
    #[error("the bytes from here on are not valid UTF-8")]
    NotUtf8,
    /// It does not begin with `{`.
    #[error("expected one JSON object, beginning with {{")]
    NotAnObject,
    /// Something stands after the object.
    #[error("expected the end of the line after its JSON object; two events may have been written into one line")]
    TrailingData,
    /// JSON's grammar wants something else here.
    #[error("expected {what}")]
    UnexpectedToken {
        /// What the grammar wants.
        what: &'static str,
    },
    /// A line feed stands inside the line.
    #[error("a line feed stands inside the event; an event is one line")]
    LineFeed,
    /// A control character stands raw in a string.
    #[error("a control character stands raw in a string, where JSON wants an escape")]
    ControlCharacter,
    /// Half of a surrogate pair stands alone in an escape.
    #[error("this escape is half of a surrogate pair and names no character")]
    LoneSurrogate,
    /// Objects and arrays nest deeper than [`MAX_DEPTH`](crate::json::MAX_DEPTH).
    #[error("objects and arrays nest deeper than 128 here")]
    TooDeep,
    /// A name stands twice in one object.
    #[error("the member {} stands twice in one object, and readers would disagree on which one counts", display_safe(name).quoted())]
    DuplicateName {
        /// The name, unescaped.
        name: String,
    },
    /// A member that is read is not there.
    #[error("the member \"{member}\" is missing from {of}; expected {expected}")]
    MissingMember {
        /// The member's name.
        member: &'static str,
        /// Whose member it would be.
        of: &'static str,
        /// The kind it must have.
        expected: &'static str,
    },
    /// A member that is read has another kind.
    #[error("the member \"{member}\" must be {expected}")]
    WrongKind {
        /// The member's name.
        member: &'static str,
        /// The kind it must have.
        expected: &'static str,
    },
}
