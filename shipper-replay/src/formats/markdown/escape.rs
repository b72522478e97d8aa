//! Text from a log as Markdown code, which shows exactly that text.
//!
//! Markdown and GitHub do not change code. In escaped prose, GitHub still finds addresses, mentions, references, emoji
//! and mathematics.

/// Makes a code span. The text must be [safe to show](shipper_events::is_display_safe).
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // Markdown removes a space at both ends, so a text with its own spaces gets another one.
    let spaced = text.starts_with([' ', '`']) || text.ends_with([' ', '`']);
    let pad = if spaced && !text.chars().all(|character| character == ' ') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Makes a code span in a cell of a table. There, a bar ends the cell even in code, so it is escaped.
pub(super) fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Makes HTML that shows a text as code, for the summary of a section, which is not Markdown.
pub(super) fn html_code(text: &str) -> String {
    let escaped = |character: char| match character {
        '<' | '>' | '&' | '"' | '\'' => format!("&#{};", u32::from(character)),
        _ => character.to_string(),
    };
    format!("<code>{}</code>", text.chars().map(escaped).collect::<String>())
}
