//! The argument of `--explain`, and suggestions for an unknown term.

use std::str::FromStr;

use thiserror::Error;

use super::reference::{EXPLANATIONS, explanations_of};

/// Least similarity, from 0 to 1, of a suggested term.
const MIN_SIMILARITY: f64 = 0.75;

/// Most terms that are suggested.
const MAX_SUGGESTIONS: usize = 3;

/// A topic of `--explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExplainTopic {
    /// A known term.
    Term(String),
    /// Every term.
    All,
    /// The list of all terms.
    List,
}

/// The error for a term that no report contains.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no report contains this term\n\n{suggestions}  tip: --explain list prints all terms")]
pub(crate) struct UnknownTerm {
    /// A line with the most similar terms; empty if there are none.
    suggestions: String,
}

impl FromStr for ExplainTopic {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        match text {
            "all" => Ok(Self::All),
            "list" => Ok(Self::List),
            _ if explanations_of(text).next().is_none() => Err(UnknownTerm { suggestions: suggestions(text) }),
            _ => Ok(Self::Term(text.to_owned())),
        }
    }
}

fn suggestions(word: &str) -> String {
    let word = word.trim().to_lowercase().replace(['_', ' '], "-");
    let mut similar: Vec<(f64, &str)> = Vec::new();
    for term in EXPLANATIONS.iter().map(|explanation| explanation.term) {
        let is_part = !word.is_empty() && term.split('-').any(|part| part == word);
        let similarity = if is_part { 1.0 } else { strsim::jaro_winkler(&word, term) };
        if similarity >= MIN_SIMILARITY && !similar.iter().any(|(_, known)| *known == term) {
            similar.push((similarity, term));
        }
    }
    similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let terms: Vec<&str> = similar.into_iter().take(MAX_SUGGESTIONS).map(|(_, term)| term).collect();
    if terms.is_empty() { String::new() } else { format!("  tip: similar terms: {}\n", terms.join(", ")) }
}
