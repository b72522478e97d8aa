//! Text from a log as Markdown code, which shows exactly that text.
//!
//! Text from a log is never written as prose: neither Markdown nor what GitHub does afterwards (addresses, mentions,
//! references, emoji, mathematics) finds anything in code, while no escape holds off the latter.

/// Makes a code span. The text must be [safe to show](shipper_events::is_display_safe).
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

/// Makes a code span in a cell of a table, where a bar ends the cell also in code, and is the only character that can be
/// escaped.
pub(super) fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Makes HTML that shows a text as code, for the summary of a section: Markdown is not read there.
pub(super) fn html_code(text: &str) -> String {
    let escaped = |character: char| match character {
        '<' | '>' | '&' | '"' | '\'' => format!("&#{};", u32::from(character)),
        _ => character.to_string(),
    };
    format!("<code>{}</code>", text.chars().map(escaped).collect::<String>())
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

    /// Returns the text of a document if it contains nothing but text and code in the expected elements.
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
                prop_assert_eq!(code(&plain), "");
                return Ok(());
            }
            let (markdown, in_cell) = (code(&plain), code_in_cell(&plain));
            prop_assert_eq!(text(&format!("a {markdown}\n"), &["paragraph"]), Ok(format!("a {plain}")));
            prop_assert_eq!(text(&format!("- {markdown} b\n"), &["list", "item"]), Ok(format!("{plain} b")));
            let table = format!("| x | y |\n|---|---|\n| {in_cell} | {in_cell} |\n");
            let cells = ["table", "head", "cell", "cell", "row", "cell", "cell"];
            prop_assert_eq!(text(&table, &cells), Ok(format!("xy{plain}{plain}")));
        }

        /// (Pass) The summary of a section holds one element, and the text in it.
        #[test]
        fn a_summary_holds_only_code(raw in hostile()) {
            let html = html_code(&display_safe(&raw).to_string());
            let inside = html.strip_prefix("<code>").and_then(|rest| rest.strip_suffix("</code>")).unwrap();
            prop_assert!(!inside.contains(['<', '>', '"', '\'', '\n']));
        }
    }
}
