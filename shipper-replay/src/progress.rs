//! How far many logs are: a bar on a terminal, and nowhere else. It is no part of the report and is gone at its end.

use std::io::{self, IsTerminal};
use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Cli, Format};

/// For what is done sooner, nobody wants a bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the bar is drawn anew, each second.
const RATE: u8 = 10;

const LOOK: &str = "{bar:40} {pos} of {len} logs, about {eta} left";

/// The progress over some logs; counted by several threads.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// None where no bar is wanted.
    begun: Option<Instant>,
    shown: Once,
}

impl Progress {
    /// The progress over that many logs.
    pub(crate) fn over(logs: usize, cli: &Cli) -> Self {
        // Lines that are written meanwhile to the same terminal would be mixed with it.
        let in_the_way = cli.format == Format::Ndjson && io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let wanted = logs > 1 && !cli.quiet && !in_the_way && !dumb && io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(logs as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            bar.set_style(style);
        }
        Self { bar, begun: wanted.then(Instant::now), shown: Once::new() }
    }

    /// One more log is judged.
    pub(crate) fn one_more(&self) {
        self.bar.inc(1);
        if self.begun.is_some_and(|begun| begun.elapsed() >= PATIENCE) {
            self.shown.call_once(|| {
                self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(RATE));
                self.bar.tick();
            });
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
