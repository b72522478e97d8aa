//! The command line.

use camino::Utf8PathBuf;
use clap::{Parser, ValueEnum};
use shipper_core::audit::{At, Demand};
use shipper_events::{Head, Name};

/// Re-derives what a publish gate's log proves: which publishes were backed by a passing rehearsal of the same plan
/// on the right registry, and which were not, with the lines that show it.
///
/// It changes nothing and asks no network and no clock.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_STATUSES)]
pub(crate) struct Cli {
    /// A log, a directory (every events.jsonl below it), or - for standard input
    #[arg(value_name = "LOG", required = true)]
    pub(crate) logs: Vec<Utf8PathBuf>,

    /// The registry that rehearsals must have used; without it, the log's own word is taken
    #[arg(long, value_name = "NAME")]
    registry: Option<Name>,

    /// Judge this plan only
    #[arg(long, value_name = "ID")]
    plan_id: Option<Name>,

    /// Compare this sidecar, instead of the rehearsal.json beside the log
    #[arg(long, value_name = "PATH", conflicts_with = "no_sidecar")]
    pub(crate) sidecar: Option<Utf8PathBuf>,

    /// Do not look for a sidecar
    #[arg(long)]
    pub(crate) no_sidecar: bool,

    /// Judge the first LINE lines, or up to the last line that is stamped not later than TIMESTAMP
    #[arg(long, value_name = "LINE|TIMESTAMP")]
    at: Option<At>,

    /// Leave out what was dealt with up to this head
    #[arg(long, value_name = "HEAD")]
    since: Option<Head>,

    /// The log must begin with exactly the bytes of this head, LINES:BYTES:BLAKE3, that you kept elsewhere
    #[arg(long, value_name = "HEAD")]
    extends: Option<Head>,

    /// Take every warning for an error
    #[arg(long)]
    strict: bool,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,

    /// Whether to colour the human report; auto also heeds NO_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Print one line a log
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print every decision, run and finding, notes included
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

const EXIT_STATUSES: &str = "\
Exit status:
  0  verified: every decision is confirmed by the events before it
  1  violated: an error was found (under --strict also a warning)
  2  unjudged: rules this version does not know, an unreadable log, a usage error, or a report
     that could not be written
  3  inconclusive: nothing is wrong and something is not proven; also when nothing was decided";

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON object, schema shipper.replay.v1
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Cli {
    /// What is demanded of the logs.
    pub(crate) fn demand(&self) -> Demand {
        Demand {
            registry: self.registry.clone(),
            plan_id: self.plan_id.clone(),
            at: self.at.clone(),
            extends: self.extends,
            since: self.since,
            strict: self.strict,
        }
    }

    /// The options given that speak of exactly one log.
    pub(crate) fn of_one_log(&self) -> Vec<&'static str> {
        [
            ("--at", self.at.is_some()),
            ("--since", self.since.is_some()),
            ("--extends", self.extends.is_some()),
            ("--sidecar", self.sidecar.is_some()),
        ]
        .into_iter()
        .filter_map(|(option, given)| given.then_some(option))
        .collect()
    }
}
