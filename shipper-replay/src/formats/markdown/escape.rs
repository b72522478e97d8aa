//! Text from a log, made into Markdown that shows exactly that text.
//!
//! Two readers must be kept from finding anything in it: Markdown itself, and what GitHub does afterwards with text
//! that is not code (addresses, mentions, references to issues and commits, emoji, mathematics). The second cannot be
//! held off by escapes, since it works on what they stand for; so text with anything of the kind in it is shown as code.

/// Characters that mean nothing to Markdown within a line.
const HARMLESS: &str = ",;'\"/?% ";

/// Characters that may mean something at the beginning of a line, or after a number there.
const HARMLESS_LATER: &str = "-.():";

/// Characters that may begin something for GitHub, wherever they stand.
const TRIGGERS: &str = "@#$[`";

/// How many hexadecimal digits may be taken for the name of a commit.
const COMMIT: usize = 7;

/// Markdown that shows a text and nothing else, in a paragraph or an item: the text itself, escaped, or code where
/// escapes are not enough. The text must be [plain](shipper_events::is_display_safe).
pub(super) fn shown(text: &str) -> String {
    if is_tame(text) { prose(text) } else { code(text) }
}

/// The same, always as code.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space at both ends is taken off again, so one is given where the text would lose its own.
    let spaced = text.starts_with([' ', '`']) || text.ends_with([' ', '`']);
    let pad = if spaced && !text.chars().all(|character| character == ' ') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The same as [`shown`], in a cell of a table.
pub(super) fn shown_in_cell(text: &str) -> String {
    if is_tame(text) { prose(text) } else { code_in_cell(text) }
}

/// The same as [`code`], in a cell of a table: there, a bar ends the cell also in code, and is the only character that
/// can be escaped in it.
pub(super) fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// HTML that shows a text as code, for the summary of a section: Markdown is not read there.
pub(super) fn html_code(text: &str) -> String {
    let escaped = |character: char| match character {
        '<' | '>' | '&' | '"' | '\'' => format!("&#{};", u32::from(character)),
        _ => character.to_string(),
    };
    format!("<code>{}</code>", text.chars().map(escaped).collect::<String>())
}

/// Whether escapes are enough for the text: neither does it lose spaces, nor could GitHub find anything in it.
fn is_tame(text: &str) -> bool {
    let loses_spaces = text.is_empty() || text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    // An address, or an emoji: a colon with something close behind it.
    let addresses = text.split(':').skip(1).any(|after| after.starts_with(|character| character != ' '))
        || text.to_ascii_lowercase().contains("www.");
    let refers = text.contains(|character| TRIGGERS.contains(character))
        || text.split(|character: char| !character.is_ascii_hexdigit()).any(|digits| digits.len() >= COMMIT)
        || refers_by_number(text);
    !(loses_spaces || addresses || refers)
}

/// Whether there is something like `GH-12`: repositories may have such references of their own.
fn refers_by_number(text: &str) -> bool {
    let mut parts = text.split('-').peekable();
    while let Some(part) = parts.next() {
        let number = |next: &&str| next.starts_with(|character: char| character.is_ascii_digit());
        if part.ends_with(|character: char| character.is_ascii_alphabetic()) && parts.peek().is_some_and(number) {
            return true;
        }
    }
    false
}

/// The text with everything escaped that Markdown could find something in.
fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut later = false;
    for character in text.chars() {
        let harmless = HARMLESS.contains(character) || later && HARMLESS_LATER.contains(character);
        if character.is_ascii_punctuation() && !harmless {
            escaped.push('\\');
        }
        escaped.push(character);
        later |= character.is_alphabetic();
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};
    use shipper_events::display_safe;

    use super::*;

    fn events(markdown: &str) -> Vec<Event<'_>> {
        // But for what makes other characters of some: GitHub has nothing of the kind.
        Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION).collect()
    }

    /// The text of a document, if it holds nothing but text and code in the elements that it is meant to have.
    fn text(markdown: &str, elements: &[&str]) -> Result<String, String> {
        let mut said = String::new();
        let mut found = Vec::new();
        for event in events(markdown) {
            match event {
                Event::Text(text) | Event::Code(text) => said += &text,
                Event::Start(Tag::Paragraph) => found.push("paragraph"),
                Event::Start(Tag::List(None)) => found.push("list"),
                Event::Start(Tag::Item) => found.push("item"),
                Event::Start(Tag::Table(_)) => found.push("table"),
                Event::Start(Tag::TableHead) => found.push("head"),
                Event::Start(Tag::TableRow) => found.push("row"),
                Event::Start(Tag::TableCell) => found.push("cell"),
                Event::End(_) => {}
                other => return Err(format!("{other:?} in {markdown:?}")),
            }
        }
        if found == elements { Ok(said) } else { Err(format!("{found:?} in {markdown:?}")) }
    }

    /// Text as hostile logs have it: much of what means something to Markdown, and anything else.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[-`*_~#|<>@!\\[\\](){}.:$&^=+\\\\ \\t\\n0-9a-f]{0,12}",
            ".{0,12}",
            prop::sample::select(vec![
                "<script>alert(1)</script>",
                "[a](http://b)",
                "![a](b)",
                "@octocat",
                "#1",
                "GH-1",
                "| a |",
                "---",
                "1. a",
                "&lt;",
                "&#64;",
                "`",
                "``",
                "\\|",
                "http://a.example",
                "www.a.example",
                "a@b.example",
                "~~a~~",
                "[^1]",
                "$x$",
                ":+1:",
                "- [ ] a",
                "    a",
                "<!-- -->",
                "\u{202e}",
                "deadbeef1",
                "**a**",
                "\\",
                "|",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// (Pass) Whatever a log says is shown as that text and nothing else, in every place that it is put in.
        #[test]
        fn any_text_is_shown_as_that_text(raw in hostile()) {
            let plain = display_safe(&raw).max_chars(400).to_string();
            if plain.is_empty() {
                prop_assert_eq!((shown(&plain), code(&plain)), (String::new(), String::new()));
                return Ok(());
            }
            for (markdown, in_cell) in [(shown(&plain), shown_in_cell(&plain)), (code(&plain), code_in_cell(&plain))] {
                prop_assert_eq!(text(&format!("a {markdown}\n"), &["paragraph"]), Ok(format!("a {plain}")));
                prop_assert_eq!(text(&format!("- {markdown} b\n"), &["list", "item"]), Ok(format!("{plain} b")));
                let table = format!("| x | y |\n|---|---|\n| {in_cell} | {in_cell} |\n");
                let cells = ["table", "head", "cell", "cell", "row", "cell", "cell"];
                prop_assert_eq!(text(&table, &cells), Ok(format!("xy{plain}{plain}")));
            }
        }

        /// (Pass) What is not code holds nothing that GitHub looks for after Markdown is done.
        #[test]
        fn nothing_is_left_for_github_to_find(raw in hostile()) {
            let plain = display_safe(&raw).max_chars(400).to_string();
            let prose = !shown(&plain).starts_with('`');
            let lower = plain.to_lowercase();
            let found = ["@", "#", "$", "://", "www.", "gh-1", "deadbeef1", ":+1:", "[^"];
            prop_assert!(!prose || !found.iter().any(|trigger| lower.contains(trigger)), "{}", plain);
        }

        /// (Pass) The summary of a section holds one element, and the text in it.
        #[test]
        fn a_summary_holds_only_code(raw in hostile()) {
            let html = html_code(&display_safe(&raw).to_string());
            let inside = html.strip_prefix("<code>").and_then(|rest| rest.strip_suffix("</code>")).unwrap();
            prop_assert!(!inside.contains(['<', '>', '"', '\'', '\n']));
        }
    }

    /// (Pass) Ordinary words stay readable, and names and numbers of plans become code.
    #[test]
    fn ordinary_words_stay_readable() {
        assert_eq!(shown("the rehearsal on line 4 did not pass"), "the rehearsal on line 4 did not pass");
        assert_eq!(shown("refused (rehearsal-failed)"), "refused (rehearsal-failed)");
        assert_eq!(shown("reasons: none"), "reasons: none");
        assert_eq!(shown("zq-a@0.1.0"), "`zq-a@0.1.0`");
        assert_eq!(shown("5125c3312c8e"), "`5125c3312c8e`");
        assert_eq!(shown("a`b"), "``a`b``");
    }
}
