//! The command line.

use std::sync::LazyLock;

use camino::Utf8PathBuf;
use clap::{Parser, ValueEnum};
use clap_complete::Shell;
use shipper_core::audit::{AsOf, AuditOptions, RequiredVerdict};
use shipper_core::sidecar::SIDECAR_SCHEMA;
use shipper_events::event::RULES_VERSION;
use shipper_events::{Head, PlanId, RegistryName, Timestamp};

use crate::explain::ExplainTopic;
use crate::uri;

/// Re-derives what a publish gate's log proves: which publishes were backed by a passing rehearsal of the same plan
/// on the right registry, and which were not, with the lines that show it.
///
/// It changes nothing and asks no network, and no clock but for the time of a statement (--format vsa).
#[derive(Debug, Parser)]
#[command(version, long_version = VERSION.as_str(), max_term_width = 100, after_help = EXIT_STATUSES)]
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
    #[arg(long, requires = "logs", conflicts_with_all = AUDIT_ONLY_ARGS)]
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

    /// With --format vsa: what the log is the log of, as those who use the statement will ask for it; by default the
    /// log's path as given
    #[arg(long, value_name = "URI", value_parser = uri::reference, conflicts_with = "follow")]
    pub(crate) resource_uri: Option<String>,

    /// With --format vsa: who verified; by default pkg:cargo/shipper-replay
    #[arg(long, value_name = "URI", value_parser = uri::absolute, conflicts_with = "follow")]
    pub(crate) verifier_id: Option<String>,

    /// With --format vsa: when it was verified; by default SOURCE_DATE_EPOCH, else now
    #[arg(long, value_name = "TIMESTAMP", conflicts_with = "follow")]
    pub(crate) time: Option<Timestamp>,

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
    pub(crate) explain: Option<ExplainTopic>,

    /// Print a completion script for a shell
    #[arg(long, value_enum, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Print the manual page, for man
    #[arg(long, exclusive = true)]
    pub(crate) manual: bool,
}

/// Text of `--version`: the version of the program, of the gate's rules, and of the schemas.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\nrules:   {RULES_VERSION} (of the decisions that it can judge)\nreport:  shipper.replay.v1\nsidecar: {SIDECAR_SCHEMA}",
        env!("CARGO_PKG_VERSION"),
    )
});

/// Arguments that have no meaning with `--merge`, which audits no log.
const AUDIT_ONLY_ARGS: [&str; 11] = [
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

/// Meaning of the exit statuses, for the help and the manual.
pub(crate) const EXIT_STATUSES: &str = "\
Exit status:
  0  verified: every decision is confirmed by the events before it
  1  violated: an error was found (under --strict also a warning)
  2  unjudged: rules this version does not know, an unreadable log, a usage error, or a report
     that could not be written
  3  inconclusive: nothing is wrong and something is not proven; also when nothing was decided";

/// Output format of the report.
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

/// Verdict of the gate that `--require` demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Required {
    /// The plan may be published: a rehearsal backs it
    Authorized,
}

/// Use of colour in the human report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Amount of detail in the human report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line a log: its conclusion.
    Quiet,
    /// The evidence, limited to about a screen.
    Normal,
    /// All decisions, runs and findings.
    Verbose,
}

impl Cli {
    /// Returns the options of the audit.
    pub(crate) fn audit_options(&self) -> AuditOptions {
        let mut options = AuditOptions::default().with_strict(self.strict);
        options.registry.clone_from(&self.registry);
        options.plan_id.clone_from(&self.plan_id);
        options.at.clone_from(&self.at);
        (options.extends, options.since) = (self.extends, self.since);
        options.require = self.require.map(|Required::Authorized| RequiredVerdict::Authorized);
        options
    }

    /// Returns the amount of detail in the human report.
    pub(crate) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        }
    }

    /// Returns the given options that are valid for exactly one log, separated by commas.
    pub(crate) fn single_log_options(&self) -> String {
        given_options(&[
            ("--at", self.at.is_some()),
            ("--since", self.since.is_some()),
            ("--extends", self.extends.is_some()),
            ("--sidecar", self.sidecar.is_some()),
            ("--require", self.require.is_some()),
            ("--follow", self.follow),
            ("--format vsa", self.format == Format::Vsa),
        ])
    }

    /// Returns the given options that are valid only with `--format vsa`, separated by commas.
    pub(crate) fn statement_options(&self) -> String {
        given_options(&[
            ("--resource-uri", self.resource_uri.is_some()),
            ("--verifier-id", self.verifier_id.is_some()),
            ("--time", self.time.is_some()),
        ])
    }
}

fn given_options(options: &[(&str, bool)]) -> String {
    let given: Vec<&str> = options.iter().filter(|(_, is_given)| *is_given).map(|(option, _)| *option).collect();
    given.join(", ")
}
