//! Explanations of every term of a report: its meaning, causes and implications, and the actions to take.
//!
//! `codes.md` is the only source of these texts. `--explain` prints them, SARIF and HTML quote them, and
//! `docs/codes.md` is a copy of the file.

mod reference;
mod render;
mod suggest;

pub(crate) use reference::{Explanation, conclusion_explanation, finding_explanation};
pub(crate) use render::{ExplainFormatError, answer};
pub(crate) use suggest::ExplainTopic;
