//! Options of the human report: colour, detail and width.

use std::io::IsTerminal;

use anstyle::Style;
use textwrap::WordSplitter;

use crate::cli::{Cli, Color, Detail};
use crate::excerpt::MAX_EXCERPTS;
use crate::view::FindingFilter;

/// Columns of an excerpt's line, unless a terminal has another width.
const DEFAULT_WIDTH: usize = 120;

/// Fewest columns of a wrapped text, on a terminal however narrow.
const MIN_WIDTH: usize = 20;

/// Most decisions, and most findings, of a log without `--verbose`.
pub(super) const MAX_SHOWN: usize = 20;

/// Appearance of the human report.
pub(crate) struct RenderOptions {
    /// True to use colour.
    pub(crate) color: bool,
    /// Amount of detail.
    pub(crate) detail: Detail,
    /// Most columns of an excerpt's line.
    pub(crate) width: usize,
}

impl RenderOptions {
    /// Returns the options that the command line, the environment and the terminal give.
    pub(crate) fn from_cli(cli: &Cli) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let color = match cli.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                is_terminal && !no_color && !dumb
            }
        };
        let width = if is_terminal { terminal_size::terminal_size().map(|(width, _)| width.0.into()) } else { None };
        Self { color, detail: cli.detail(), width: width.unwrap_or(DEFAULT_WIDTH) }
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.detail == Detail::Verbose
    }

    /// Returns `max`, or no limit with `--verbose`.
    pub(super) fn limit(&self, max: usize) -> usize {
        if self.is_verbose() { usize::MAX } else { max }
    }

    /// Returns the options to wrap a text that has this many columns to its left.
    pub(super) fn wrap(&self, left: usize) -> textwrap::Options<'static> {
        textwrap::Options::new(self.width.saturating_sub(left).max(MIN_WIDTH))
            .word_splitter(WordSplitter::NoHyphenation)
    }

    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Returns the findings that are shown with excerpts; `None` for no findings.
pub(crate) fn finding_filter(detail: Detail) -> Option<FindingFilter> {
    match detail {
        Detail::Quiet => None,
        Detail::Normal => Some(FindingFilter { max: MAX_SHOWN, notes: false }),
        Detail::Verbose => Some(FindingFilter { max: MAX_EXCERPTS, notes: true }),
    }
}
