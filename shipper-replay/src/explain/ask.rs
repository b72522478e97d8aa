//! The question `--explain`: what may be asked, and the answer in the form that was asked for.

use std::str::FromStr;

use thiserror::Error;

use super::terminal::{explain, explain_all, list};
use super::{about, entries, page};
use crate::cli::Format;
use crate::formats::human::RenderOptions;

/// How many characters a line on a terminal has at most, like those of the help: longer ones are hard to read.
const WIDTH: usize = 100;

/// How alike two words must be, from 0 to 1, for one to be offered in place of the other.
const ALIKE: f64 = 0.75;

/// How many words are offered at most.
const OFFERED: usize = 3;

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A word that a report may say.
    Word(String),
    /// Every such word.
    All,
    /// Only which there are.
    List,
}

/// No report says the word.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct UnknownWord(String);

/// There is no explanation in that form.
#[derive(Debug, Error)]
#[error("--explain prints text, or Markdown of one word or all for --format markdown; leave --format out")]
pub(crate) struct NotExplained;

impl FromStr for Asked {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "all" => Ok(Self::All),
            "list" => Ok(Self::List),
            _ if about(text).is_empty() => Err(UnknownWord(unknown(text))),
            _ => Ok(Self::Word(text.to_owned())),
        }
    }
}

/// What to say to somebody who asks about a word that no report says: the words that are most like it.
pub(crate) fn unknown(word: &str) -> String {
    let word = word.trim().to_lowercase().replace(['_', ' '], "-");
    let mut alike: Vec<(f64, &str)> = Vec::new();
    for entry in entries() {
        let likeness = strsim::jaro_winkler(&word, entry.word());
        let part = !word.is_empty() && entry.word().split('-').any(|part| part == word);
        let known = alike.iter().any(|(_, known)| *known == entry.word());
        if (likeness >= ALIKE || part) && !known {
            alike.push((if part { 1.0 } else { likeness }, entry.word()));
        }
    }
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let offered: Vec<&str> = alike.into_iter().take(OFFERED).map(|(_, word)| word).collect();
    match &offered[..] {
        [] => "no report says that; --explain list names every word".to_owned(),
        offered => format!("no report says that; did you mean {}? --explain list names every word", offered.join(", ")),
    }
}

/// The answer, for a terminal or as Markdown.
pub(crate) fn answer(asked: &Asked, format: Format, options: &RenderOptions) -> Result<String, NotExplained> {
    let (width, color) = (options.width.min(WIDTH), options.color);
    match (format, asked) {
        (Format::Human, Asked::Word(word)) => Ok(explain(word, width, color).unwrap_or_default()),
        (Format::Human, Asked::All) => Ok(explain_all(width, color)),
        (Format::Human, Asked::List) => Ok(list(width, color)),
        (Format::Markdown, Asked::Word(word)) => Ok(page::section(word, &about(word))),
        (Format::Markdown, Asked::All) => Ok(page::reference()),
        (_, _) => Err(NotExplained),
    }
}
