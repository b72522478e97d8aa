//! The reference as a page: `docs/codes.md`.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Entry, GROUPS, Group, about};
use crate::explain::terminal::wrapped;

/// How many characters a line of the page has at most.
const WIDTH: usize = 140;

const TITLE: &str = "# Every word of a report";

const INTRODUCTION: [&str; 2] = [
    "What each word means that `shipper-replay` can put into a report, how it comes about, what may and what may not \
     be concluded from it, and what to do now. `shipper-replay --explain corrupt-line` prints the same about one word, \
     `--explain list` names them all. This page is made by `shipper-replay --explain all --format markdown`.",
    "[auditing.md](auditing.md) tells how to read a report as a whole, [gate.md](gate.md) what the gate decides, \
     [log-format.md](log-format.md) what stands in a log. One word may be of several kinds; it has one section, with \
     all of them. *The shipper tool* is the release tool that writes such logs without chaining them, versions 0.3 to \
     0.5; what is said of it was seen in 0.5 or read in its public source. *Foreign* lines are those that are not \
     chained.",
];

/// Everything about every word, as Markdown.
pub(crate) fn reference() -> String {
    let mut page = format!("{TITLE}\n");
    for paragraph in INTRODUCTION {
        let _ = write!(page, "\n{}\n", wrapped(paragraph, WIDTH, ""));
    }
    for group in GROUPS {
        page.push_str(&contents(group));
    }
    let mut told: Vec<&str> = Vec::new();
    for entry in GROUPS.iter().flat_map(|group| group.entries) {
        if !told.contains(&entry.word()) {
            told.push(entry.word());
            page.push('\n');
            page.push_str(&section(entry.word(), &about(entry.word())));
        }
    }
    page
}

/// The words of one kind, each with a link to its section.
fn contents(group: &Group) -> String {
    let mut contents = format!("\n**{}**\n\n{}\n\n", group.title, wrapped(&format!("{}.", group.place), WIDTH, ""));
    for entry in group.entries {
        let level = entry.subject.level().map_or(String::new(), |level| format!(", {}", level.as_str()));
        let item = format!("- [`{}`](#{}){level}: {}", entry.word(), entry.word(), entry.short());
        let _ = writeln!(contents, "{}", wrapped(&item, WIDTH, "  "));
    }
    contents
}

/// All there is to say about a word, as Markdown.
pub(crate) fn section(word: &str, entries: &[&Entry]) -> String {
    let mut section = format!("## {word}\n");
    for entry in entries {
        let kind = entry.subject.kind();
        let _ = write!(section, "\n*As {kind}*\n\n{}", parts(entry, |text| linked(text, word)));
    }
    section
}

/// The four parts of an entry, a paragraph each.
pub(super) fn parts(entry: &Entry, text: impl Fn(&'static str) -> Cow<'static, str>) -> String {
    let parts = entry.parts().map(|(head, part)| {
        let paragraph = format!("**{head}.** {}", text(part));
        format!("{}\n", wrapped(&paragraph, WIDTH, ""))
    });
    parts.join("\n")
}

/// The text with links from the words in it to their sections.
fn linked(text: &'static str, own: &str) -> Cow<'static, str> {
    let spans = text.split('`').enumerate().map(|(position, span)| match position % 2 {
        0 => span.to_owned(),
        _ if span != own && !about(span).is_empty() => format!("[`{span}`](#{span})"),
        _ => format!("`{span}`"),
    });
    spans.collect::<String>().into()
}
