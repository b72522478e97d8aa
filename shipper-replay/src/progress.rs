//! Progress bar over many logs, on a terminal only. It disappears at the end.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Cli, Format};

/// Time before the bar appears.
const DELAY: Duration = Duration::from_secs(1);

/// Updates of the bar per second.
const REFRESH_RATE: u8 = 10;

const TEMPLATE: &str = "{bar:40} {pos} of {len} logs, about {eta} left";

/// Counter of audited logs, shared by several threads.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Start of the audit; `None` if no bar is shown.
    started: Option<Instant>,
}

impl Progress {
    /// Returns a counter for `logs` logs.
    pub(crate) fn new(logs: usize, cli: &Cli) -> Self {
        // Lines that are written to the same terminal would mix with the bar.
        let shares_terminal = cli.format == Format::Ndjson && io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let is_shown = logs > 1 && !cli.quiet && !shares_terminal && !dumb && io::stderr().is_terminal();
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(logs as u64), ProgressDrawTarget::hidden()).with_style(style);
        Self { bar, started: is_shown.then(Instant::now) }
    }

    /// Counts one more log.
    pub(crate) fn increment(&self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.started.is_some_and(|started| started.elapsed() >= DELAY) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(REFRESH_RATE));
            self.bar.tick();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
