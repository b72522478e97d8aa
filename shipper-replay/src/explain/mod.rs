//! Explanations of every term of a report: its meaning, its causes, its implications and the actions to take.
//!
//! `codes.md` is the only source of these texts. `--explain` prints them, the rules of SARIF and the HTML report quote
//! them, and `docs/codes.md` is a copy of the file.

mod reference;
mod render;
mod suggest;

pub(crate) use reference::{Explanation, conclusion_explanation, finding_explanation};
pub(crate) use render::{ExplainFormatError, answer};
pub(crate) use suggest::ExplainTopic;
