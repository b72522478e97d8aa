//! Parser of `codes.md`, and lookup of its explanations.
//!
//! The file begins with groups of terms: a bold title, a paragraph with the places of the terms in a report, and a list.
//! An item links to the section of its term, or explains an ordinary word, whose kind is the title. A section contains
//! one explanation for each kind of its term: `refused` is a verdict and the status of a decision. An explanation is
//! its kind and three paragraphs. If it deviates from this form, it is missing, which the tests find.

use std::sync::LazyLock;

use shipper_core::audit::{Conclusion, FindingCode};

/// The reference as Markdown.
pub(super) const PAGE: &str = include_str!("codes.md");

/// Begins a section.
const SECTION: &str = "\n## ";

/// The labels of the paragraphs of an explanation. The page omits the first, and an ordinary word has only the first.
const LABELS: [&str; 3] = ["What it means", "Why it matters", "What to do"];

/// An explanation of a term as one of its kinds.
pub(crate) struct Explanation {
    /// The title of its group.
    pub(super) group: &'static str,
    /// The term as a report writes it.
    pub(super) term: &'static str,
    /// The kind with its article: "a finding, error".
    pub(super) kind: String,
    /// The paragraphs in the order of [`LABELS`]: Markdown whose only markup is code between backticks.
    texts: Vec<String>,
}

impl Explanation {
    /// Returns the meaning. Its first sentence is complete in itself.
    pub(crate) fn meaning(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// Returns the first sentence of the meaning.
    pub(crate) fn summary(&self) -> &str {
        self.meaning().split_inclusive(". ").next().unwrap_or_default().trim_end()
    }

    /// Returns the level of a finding, or `None` for a term of another kind.
    pub(super) fn level(&self) -> Option<&str> {
        self.kind.strip_prefix("a finding, ")
    }

    /// Returns the texts with their labels.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        LABELS.into_iter().zip(&self.texts)
    }
}

/// Every explanation, in the order of the groups.
pub(super) static EXPLANATIONS: LazyLock<Vec<Explanation>> = LazyLock::new(|| {
    let mut sections = PAGE.split(SECTION);
    let contents = sections.next().unwrap_or_default();
    let mut unlisted: Vec<Explanation> = sections.flat_map(parse_section).collect();
    let mut listed: Vec<Explanation> = Vec::new();
    let mut group = "";
    for paragraph in contents.trim_end().split("\n\n") {
        group = paragraph.strip_prefix("**").and_then(|title| title.strip_suffix("**")).unwrap_or(group);
        for item in paragraph.strip_prefix("- ").into_iter().flat_map(|items| items.split("\n- ")) {
            let term = item.split('`').nth(1).unwrap_or_default();
            let word = item.split_once("`: ").map(|(_, text)| (group.to_lowercase(), vec![parse_text(text)]));
            let word = word.map(|(kind, texts)| Explanation { group, term, kind, texts });
            let position = unlisted.iter().position(|explanation| word.is_none() && explanation.term == term);
            listed.extend(word.or_else(|| Some(Explanation { group, ..unlisted.remove(position?) })));
        }
    }
    listed
});

/// Returns the explanation of a code.
pub(crate) fn finding_explanation(code: FindingCode) -> &'static Explanation {
    explanation(code.as_str(), "a finding")
}

/// Returns the explanation of a conclusion.
pub(crate) fn conclusion_explanation(conclusion: Conclusion) -> &'static Explanation {
    explanation(conclusion.as_str(), "a conclusion")
}

#[expect(clippy::expect_used, reason = "a test compares the terms of the file with those of shipper-core")]
fn explanation(term: &str, kind: &str) -> &'static Explanation {
    let mut explanations = explanations_of(term);
    explanations.find(|other| other.kind.starts_with(kind)).expect("invariant: codes.md explains every term")
}

/// Returns the explanations of a term, one for each of its kinds. There are none for an unknown term.
pub(super) fn explanations_of(term: &str) -> impl Iterator<Item = &'static Explanation> {
    EXPLANATIONS.iter().filter(move |explanation| explanation.term == term)
}

/// Returns the section of a term as Markdown; the meaning of an ordinary word.
pub(super) fn section(term: &str) -> String {
    let section = PAGE.split(SECTION).skip(1).find(|section| section.lines().next() == Some(term));
    let section = section.map(|section| format!("## {}\n", section.trim_end()));
    section.unwrap_or_else(|| explanations_of(term).map(Explanation::markdown).collect())
}

/// Parses a section. Its explanations have no group yet.
fn parse_section(section: &'static str) -> Vec<Explanation> {
    let (term, body) = section.split_once("\n\n").unwrap_or((section, ""));
    let paragraphs: Vec<&'static str> = body.trim_end().split("\n\n").collect();
    let explanation = |paragraphs: &[&'static str]| {
        let (kind, texts) = paragraphs.split_first()?;
        let kind = kind.strip_prefix("*As ")?.strip_suffix('*')?;
        let texts = texts.iter().map(|text| parse_text(text)).collect();
        Some(Explanation { group: "", term, kind: kind.to_owned(), texts })
    };
    paragraphs.chunks(1 + LABELS.len()).filter_map(explanation).collect()
}

/// Returns the text of a paragraph without its label on one line, with the links replaced by their terms.
fn parse_text(paragraph: &str) -> String {
    let text = paragraph.split_once(".** ").map_or(paragraph, |(_, text)| text);
    let mut parts = text.split("](#");
    let first = parts.next().unwrap_or_default().to_owned();
    let plain = parts.fold(first, |plain, part| plain + part.split_once(')').unwrap_or_default().1);
    plain.replace('[', "").replace("\n  ", " ").replace('\n', " ")
}
