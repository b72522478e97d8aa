//! Parser of `codes.md`, and the look-up of its explanations.
//!
//! The file begins with groups of terms: a bold title, a paragraph with the places of the terms in a report, and a list
//! that links to the sections. A section is headed by its term and contains one explanation for each kind of the term:
//! `refused` is a verdict and the status of a decision. An explanation is its kind and four labelled paragraphs.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::vec::IntoIter;

use shipper_core::audit::{Conclusion, FindingCode};

/// The reference as Markdown.
pub(super) const PAGE: &str = include_str!("codes.md");

/// Begins a section.
const SECTION: &str = "\n## ";

/// The labels of the paragraphs of an explanation.
const LABELS: [&str; 4] = ["What it means", "How it arises", "What follows, and what does not", "What to do"];

/// An explanation of a term as one of its kinds. Its texts are Markdown whose only markup is code between backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// The term as a report writes it.
    pub(crate) term: &'static str,
    /// The kind with its article: "a finding, error".
    pub(crate) kind: &'static str,
    /// The meaning; its first sentence is complete in itself.
    pub(crate) meaning: String,
    /// The causes, by accident and by attack.
    pub(crate) causes: String,
    /// The conclusions that are justified, and those that are not.
    pub(crate) implications: String,
    /// The actions to take.
    pub(crate) actions: String,
}

impl Explanation {
    /// Returns the first sentence of the meaning.
    pub(crate) fn summary(&self) -> &str {
        self.meaning.split_inclusive(". ").next().unwrap_or(&self.meaning).trim_end()
    }

    /// Returns the level of a finding, or `None` for a term of another kind.
    pub(crate) fn level(&self) -> Option<&'static str> {
        self.kind.strip_prefix("a finding, ")
    }

    /// Returns the four texts with their labels.
    pub(crate) fn parts(&self) -> [(&'static str, &str); 4] {
        let [meaning, causes, implications, actions] = LABELS;
        [(meaning, &self.meaning), (causes, &self.causes), (implications, &self.implications), (actions, &self.actions)]
    }
}

/// A group of terms of one kind, in the order of the file.
#[derive(Debug)]
pub(super) struct TermGroup {
    pub(super) title: &'static str,
    pub(super) explanations: Vec<Explanation>,
}

/// The groups of `codes.md`.
pub(super) static GROUPS: LazyLock<Vec<TermGroup>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a unit test parses it")]
    parse(PAGE).expect("invariant: codes.md is well formed")
});

/// Returns the explanation of a code.
pub(crate) fn finding_explanation(code: FindingCode) -> &'static Explanation {
    explanation(code.as_str(), "a finding")
}

/// Returns the explanation of a conclusion.
pub(crate) fn conclusion_explanation(conclusion: Conclusion) -> &'static Explanation {
    explanation(conclusion.as_str(), "a conclusion")
}

#[expect(clippy::expect_used, reason = "a unit test compares the terms of the file with those of shipper-core")]
fn explanation(term: &str, kind: &str) -> &'static Explanation {
    let mut explanations = explanations_of(term);
    explanations.find(|other| other.kind.starts_with(kind)).expect("invariant: codes.md explains every term")
}

/// Returns every explanation, in the order of the groups.
pub(super) fn explanations() -> impl Iterator<Item = &'static Explanation> {
    GROUPS.iter().flat_map(|group| &group.explanations)
}

/// Returns the explanations of a term: one for each of its kinds, and none for a word that no report contains.
pub(super) fn explanations_of(term: &str) -> impl Iterator<Item = &'static Explanation> {
    explanations().filter(move |explanation| explanation.term == term)
}

/// Returns the section of a term as Markdown.
pub(super) fn section(term: &str) -> Option<String> {
    let section = PAGE.split(SECTION).skip(1).find(|section| section.lines().next() == Some(term))?;
    Some(format!("## {}\n", section.trim_end()))
}

/// Parses the file.
///
/// # Errors
///
/// Describes the first deviation from the form: each term has one section, and each explanation is listed by one group.
pub(super) fn parse(page: &'static str) -> Result<Vec<TermGroup>, String> {
    let mut parts = page.split(SECTION);
    let contents = parts.next().unwrap_or_default();
    let mut sections: HashMap<&str, IntoIter<Explanation>> = HashMap::new();
    for part in parts {
        let (term, body) = part.split_once("\n\n").ok_or_else(|| format!("{part}: no explanation"))?;
        if sections.insert(term, parse_section(term, body)?.into_iter()).is_some() {
            return Err(format!("{term}: two sections"));
        }
    }
    let mut groups: Vec<TermGroup> = Vec::new();
    for paragraph in contents.split("\n\n") {
        if let Some(title) = paragraph.strip_prefix("**") {
            let title = title.strip_suffix("**").ok_or_else(|| format!("{title}: a title goes on"))?;
            groups.push(TermGroup { title, explanations: Vec::new() });
        }
        for item in paragraph.lines().filter_map(|line| line.strip_prefix("- [`")) {
            let term = item.split('`').next().unwrap_or_default();
            let explanation = sections.get_mut(term).and_then(Iterator::next);
            let explanation = explanation.ok_or_else(|| format!("{term}: listed more often than explained"))?;
            groups.last_mut().ok_or_else(|| format!("{term}: in no group"))?.explanations.push(explanation);
        }
    }
    match sections.values_mut().find_map(Iterator::next) {
        Some(unlisted) => Err(format!("{} as {}: in no group", unlisted.term, unlisted.kind)),
        None => Ok(groups),
    }
}

fn parse_section(term: &'static str, body: &'static str) -> Result<Vec<Explanation>, String> {
    let paragraphs: Vec<&'static str> = body.trim_end().split("\n\n").collect();
    let explanation = |paragraphs: &[&'static str]| {
        let [kind, texts @ ..] = paragraphs else { return None };
        let kind = kind.strip_prefix("*As ")?.strip_suffix('*')?;
        let texts: Option<Vec<String>> =
            texts.iter().zip(LABELS).map(|(text, label)| parse_text(text, label)).collect();
        let [meaning, causes, implications, actions] = texts?.try_into().ok()?;
        Some(Explanation { term, kind, meaning, causes, implications, actions })
    };
    let explanations = paragraphs.chunks(1 + LABELS.len()).map(explanation);
    explanations.collect::<Option<_>>().ok_or_else(|| format!("{term}: not a kind and four labelled paragraphs"))
}

/// Parses a labelled paragraph: returns its text on one line, with the links replaced by the terms that they lead to.
fn parse_text(paragraph: &str, label: &str) -> Option<String> {
    let text = paragraph.replace('\n', " ");
    let text = text.strip_prefix("**")?.strip_prefix(label)?.strip_prefix(".** ")?;
    let mut parts = text.split('[');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (term, rest) = part.strip_prefix('`')?.split_once("`](#")?;
        let rest = rest.strip_prefix(term)?.strip_prefix(')')?;
        plain += &format!("`{term}`{rest}");
    }
    Some(plain)
}
