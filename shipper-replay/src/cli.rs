//! The command line.

use camino::Utf8PathBuf;
use clap::{Parser, ValueEnum};
use clap_complete::Shell;
use shipper_core::audit::{AsOf, AuditOptions, RequiredVerdict};
use shipper_events::{Head, PlanId, RegistryName};

use crate::attest::StatementOptions;
use crate::explain::Asked;

/// Re-derives what a publish gate's log proves: which publishes were backed by a passing rehearsal of the same plan
/// on the right registry, and which were not, with the lines that show it.
///
/// It changes nothing and asks no network, and no clock but for the time of a statement (--format vsa).
#[derive(Debug, Parser)]
#[command(version, long_version = VERSION, max_term_width = 100, after_help = EXIT_STATUSES)]
pub(crate) struct Cli {
    /// A log, a directory (every events.jsonl below it), or - for standard input
    #[arg(value_name = "LOG", required_unless_present_any = ["files_from", "explain", "completions", "manual"])]
    pub(crate) logs: Vec<Utf8PathBuf>,

    /// Judge also what this file lists, one path a line; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<Utf8PathBuf>,

    /// The paths in the list end with NUL
    #[arg(short = '0', long, requires = "files_from")]
    pub(crate) null: bool,

    /// Judge nothing: merge ndjson reports made elsewhere, given as LOG, into one; with --files-from, no listed log may
    /// be missing
    #[arg(long, requires = "logs", conflicts_with_all = OF_JUDGING)]
    pub(crate) merge: bool,

    /// The registry that rehearsals must have used; without it, the log's own word is taken
    #[arg(long, value_name = "NAME")]
    registry: Option<RegistryName>,

    /// Judge this plan only
    #[arg(long, value_name = "ID")]
    plan_id: Option<PlanId>,

    /// Compare this sidecar, instead of the rehearsal.json beside the log
    #[arg(long, value_name = "PATH", conflicts_with = "no_sidecar")]
    pub(crate) sidecar: Option<Utf8PathBuf>,

    /// Do not look for a sidecar
    #[arg(long)]
    pub(crate) no_sidecar: bool,

    /// Judge the first LINE lines, or up to the last line that is stamped not later than TIMESTAMP
    #[arg(long, value_name = "LINE|TIMESTAMP")]
    at: Option<AsOf>,

    /// Leave out what was dealt with up to this head
    #[arg(long, value_name = "HEAD")]
    since: Option<Head>,

    /// The log must begin with exactly the bytes of this head, LINES:BYTES:BLAKE3, that you kept elsewhere
    #[arg(long, value_name = "HEAD")]
    extends: Option<Head>,

    /// Take every warning for an error
    #[arg(long)]
    strict: bool,

    /// Say by the exit status whether the gate at the end would authorize the plan of --plan-id on --registry: 0 if it
    /// would, 1 if it would refuse
    #[arg(long, value_enum, value_name = "VERDICT", requires_all = ["plan_id", "registry"])]
    require: Option<Required>,

    /// Show how it came about: every event that concerns the gate, and what holds after it
    #[arg(long)]
    pub(crate) timeline: bool,

    /// Go on reading while the log is written, and tell what comes; stop with Ctrl-C
    #[arg(long, conflicts_with_all = ["at", "sidecar", "since", "require", "quiet", "format"])]
    pub(crate) follow: bool,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) statement: StatementOptions,

    /// Whether to colour the human report; auto also heeds NO_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Print one line a log
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print every decision, run and finding, notes included
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Explain a word of the report, such as the code of a finding; list names them all, all explains them all
    #[arg(long, value_name = "CODE", conflicts_with_all = ["logs", "follow"])]
    pub(crate) explain: Option<Asked>,

    /// Print a completion script for a shell
    #[arg(long, value_enum, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Print the manual page, for man
    #[arg(long, exclusive = true)]
    pub(crate) manual: bool,
}

/// The version, and which versions of what it reads and writes.
pub(crate) const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nrules:   1 (of the decisions that it can judge)",
    "\nreport:  shipper.replay.v1",
    "\nsidecar: shipper.rehearsal.v1"
);

/// What has no meaning where nothing is judged.
const OF_JUDGING: [&str; 11] = [
    "registry",
    "plan_id",
    "sidecar",
    "no_sidecar",
    "at",
    "since",
    "extends",
    "strict",
    "require",
    "timeline",
    "follow",
];

/// What the exit status says, for the help and the manual.
pub(crate) const EXIT_STATUSES: &str = "\
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
    /// One JSON object a log, then one with the summary
    Ndjson,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// Markdown, for a job summary
    Markdown,
    /// One self-contained page with a timeline
    Html,
    /// An unsigned in-toto Statement with a SLSA Verification Summary, of one log
    Vsa,
}

/// What the gate is required to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Required {
    /// The plan may be published: a rehearsal backs it
    Authorized,
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

/// How much the human report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line a log.
    Conclusion,
    /// What proves it, as far as it fits a screen.
    Proof,
    /// Everything.
    Everything,
}

impl Cli {
    /// What is demanded of the logs.
    pub(crate) fn demand(&self) -> AuditOptions {
        let mut options = AuditOptions::default().with_strict(self.strict);
        options.registry.clone_from(&self.registry);
        options.plan_id.clone_from(&self.plan_id);
        options.at.clone_from(&self.at);
        (options.extends, options.since) = (self.extends, self.since);
        options.require = self.require.map(|Required::Authorized| RequiredVerdict::Authorized);
        options
    }

    /// How much the human report tells.
    pub(crate) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Conclusion,
            (false, true) => Detail::Everything,
            (false, false) => Detail::Proof,
        }
    }

    /// The options given that speak of exactly one log.
    pub(crate) fn of_one_log(&self) -> Vec<&'static str> {
        [
            ("--at", self.at.is_some()),
            ("--since", self.since.is_some()),
            ("--extends", self.extends.is_some()),
            ("--sidecar", self.sidecar.is_some()),
            ("--require", self.require.is_some()),
            ("--follow", self.follow),
            ("--format vsa", self.format == Format::Vsa),
        ]
        .into_iter()
        .filter_map(|(option, given)| given.then_some(option))
        .collect()
    }
}
