//! Escaping of untrusted text for display.

use std::fmt;

/// The number of characters shown, unless [`DisplaySafe::max_chars`] sets another.
const DEFAULT_MAX_CHARS: usize = 120;

/// Text from a log for display. Characters that could move the cursor, or hide, reorder or break text, are escaped
/// (`\n`, `\u{1b}`, `\u{202e}`). Text over the length limit is truncated and ends with `…`.
///
/// A backslash is doubled, so two different texts that are not truncated never look the same.
///
/// ```
/// use shipper_events::display_safe;
/// assert_eq!(display_safe("\u{1b}[31mred\n").to_string(), r"\u{1b}[31mred\n");
/// assert_eq!(display_safe("a\"b").quoted().to_string(), r#""a\"b""#);
/// assert_eq!(display_safe("0123456789").max_chars(4).to_string(), "0123…");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DisplaySafe<'a> {
    text: &'a str,
    max_chars: usize,
    quoted: bool,
}

/// Wraps text from a log for display: see [`DisplaySafe`].
pub fn display_safe(text: &str) -> DisplaySafe<'_> {
    DisplaySafe { text, max_chars: DEFAULT_MAX_CHARS, quoted: false }
}

impl DisplaySafe<'_> {
    /// Limits the text to `characters` characters; 120 by default.
    #[must_use]
    pub fn max_chars(self, characters: usize) -> Self {
        Self { max_chars: characters, ..self }
    }

    /// Puts the text in double quotes and escapes those inside.
    #[must_use]
    pub fn quoted(self) -> Self {
        Self { quoted: true, ..self }
    }
}

impl fmt::Display for DisplaySafe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.quoted { "\"" } else { "" };
        f.write_str(quote)?;
        let mut characters = self.text.chars();
        for character in characters.by_ref().take(self.max_chars) {
            match character {
                '"' if self.quoted => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                _ if is_display_safe(character) => fmt::Write::write_char(f, character)?,
                _ => write!(f, "\\u{{{:x}}}", u32::from(character))?,
            }
        }
        if characters.next().is_some() {
            f.write_str("…")?;
        }
        f.write_str(quote)
    }
}

/// Returns true if a terminal may show the character unescaped: it is printable, and neither moves nor changes the text
/// around it.
///
/// Control and format characters are not safe, nor are separators other than the space, combining marks, private-use and
/// unassigned characters. Nor are invisible letters. Characters that change the direction of text are format characters.
/// Letters of right-to-left scripts are safe: a display may reorder them, and digits or punctuation beside them, but a
/// name in Hebrew or Arabic stays readable.
pub fn is_display_safe(character: char) -> bool {
    match character {
        '\u{20}'..='\u{7e}' => true,
        // Invisible letters.
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => false,
        _ => character.escape_debug().len() == 1,
    }
}
