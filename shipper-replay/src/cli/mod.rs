//! The command line.

mod baseline;
mod bundle;
mod compare;
mod heads;
mod index;
mod packet;
mod policy;

use std::ffi::OsString;
use std::sync::LazyLock;

use camino::Utf8PathBuf;
use clap::{Parser, ValueEnum};
use clap_complete::Shell;
use compare::CompareArgs;
pub(crate) use heads::HeadArgs;
use shipper_core::audit::{AcceptedCause, AsOf, AuditOptions, RequiredVerdict, TrustedHead};
use shipper_core::sidecar::SIDECAR_SCHEMA;
use shipper_events::event::RULES_VERSION;
use shipper_events::{Head, PlanId, RegistryName, Timestamp};

use self::index::IndexArgs;
use self::packet::PacketArgs;
use crate::explain::ExplainTopic;
use crate::uri;

/// Audits the event log of a publish gate.
///
/// The audit derives every decision of the gate again from the events before it. The report shows which publishes are
/// backed by a passing rehearsal of the same plan, and which are not. It quotes the lines that prove this.
///
/// The program writes no file except that of --bundle, and uses no network and no configuration file except --policy. It reads the clock only for the time of
/// a statement (--format vsa).
#[derive(Debug, Parser)]
#[command(version, long_version = VERSION.as_str(), max_term_width = 100)]
#[command(after_help = exit_statuses(), after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// Log, directory, or - for standard input
    ///
    /// A log may be compressed with gzip or zstd. In a directory, the program audits every events.jsonl,
    /// events.jsonl.gz, events.jsonl.zst and events.jsonl.aside-* below it. It does not follow links to directories. LOG may
    /// also be an archive that --bundle wrote.
    #[arg(value_name = "LOG", required_unless_present_any = ["files_from", "explain", "completions", "manual"])]
    pub(crate) logs: Vec<OsString>,

    /// Also audit the paths that FILE lists, one per line
    ///
    /// If FILE is -, the program reads the list from standard input.
    #[arg(long, value_name = "FILE", help_heading = INPUT)]
    pub(crate) files_from: Option<Utf8PathBuf>,

    /// Read paths that end with NUL instead of LF, as find -print0 prints them
    #[arg(short = '0', long, requires = "files_from", help_heading = INPUT)]
    pub(crate) null: bool,

    /// Merge reports of --format ndjson into one, without an audit
    ///
    /// Each LOG is a report. With --files-from, it is an error if a listed log is in no report.
    #[arg(long, requires = "logs", help_heading = INPUT, conflicts_with_all = ["registry", "plan_id",
        "sidecar", "no_sidecar", "at", "since", "extends", "strict", "require", "accept",
        "acknowledge_earlier", "timeline", "follow"])]
    pub(crate) merge: bool,

    /// Require that rehearsals used the registry NAME
    ///
    /// The default is the registry that the log names. An edited log may name any registry.
    #[arg(long, value_name = "NAME", help_heading = AUDIT)]
    registry: Option<RegistryName>,

    /// Audit only the plan with this ID
    ///
    /// The report leaves out decisions and findings about other plans. It keeps findings about the log itself.
    #[arg(long, value_name = "ID", help_heading = AUDIT)]
    plan_id: Option<PlanId>,

    /// Compare the sidecar at PATH with the log
    ///
    /// The default is rehearsal.json beside the log. With --at, or for standard input, there is no default.
    #[arg(long, value_name = "PATH", conflicts_with = "no_sidecar", help_heading = INPUT)]
    pub(crate) sidecar: Option<Utf8PathBuf>,

    /// Compare no sidecar
    #[arg(long, help_heading = INPUT)]
    pub(crate) no_sidecar: bool,

    #[command(flatten)]
    pub(crate) packet: PacketArgs,

    #[command(flatten)]
    pub(crate) index: IndexArgs,

    /// Audit the log up to a line or a time
    ///
    /// LINE is a number of lines; 0 audits no line. TIMESTAMP is an RFC 3339 time: the audit ends after the last line
    /// that is not later. By default, the program audits the whole log.
    #[arg(long, value_name = "LINE|TIMESTAMP", help_heading = AUDIT)]
    at: Option<AsOf>,

    /// Ignore decisions and findings up to HEAD
    ///
    /// Use this after you have resolved an incident. HEAD and its check are as for --extends. Decisions whose runs end
    /// after HEAD remain. Findings up to HEAD become notes, except about integrity or a decision that remains.
    #[arg(long, value_name = "HEAD", help_heading = AUDIT)]
    since: Option<TrustedHead>,

    /// Require that the log begins with the bytes of HEAD
    ///
    /// HEAD is LINES:BYTES:BLAKE3 or LINES:BYTES:sha256:SHA256, as --head prints it. Keep it where the writers of the log cannot change it. If the log
    /// does not begin with these bytes, the exit status is 1.
    #[arg(long, value_name = "HEAD", help_heading = AUDIT)]
    extends: Option<TrustedHead>,

    /// Treat warnings as errors
    #[arg(long, help_heading = AUDIT)]
    strict: bool,

    /// Set the exit status by the verdict of the gate, or by a signed head
    ///
    /// CONDITION is one or more of the values below, with commas between them. authorized: the query is the plan of
    /// --plan-id on --registry, at the end of the log. The exit status is 0 if the gate would authorize it, 1 if it
    /// would refuse, and 2 if the log cannot be read. Earlier violations do not change it. sealed: the exit status is 1
    /// unless the head of --signed-head covers the whole log.
    #[arg(long, value_enum, value_name = "CONDITION", value_delimiter = ',', help_heading = AUDIT,
        requires_ifs = [("authorized", "plan_id"), ("authorized", "registry")])]
    require: Vec<Required>,

    /// Exit with 0 for a log that is inconclusive only for these causes
    ///
    /// CAUSE is one or more of the values below, with commas between them. The conclusion stays inconclusive. The
    /// option accepts no error, no torn tail, no state of a sidecar, and no run of a plan whose latest rehearsal failed.
    #[arg(long, value_enum, value_name = "CAUSE", value_delimiter = ',', help_heading = AUDIT)]
    accept: Vec<Accepted>,

    #[command(flatten)]
    pub(crate) policy: policy::PolicyArgs,

    /// Acknowledge that the earlier log with this HEAD was reviewed
    ///
    /// The audited log must continue it. HEAD is LINES:BYTES:BLAKE3.
    #[arg(long, value_name = "HEAD", help_heading = AUDIT)]
    acknowledge_earlier: Option<Head>,

    #[command(flatten)]
    pub(crate) heads: HeadArgs,

    #[command(flatten)]
    pub(crate) compare: CompareArgs,

    /// Show each event that concerns the gate, and the state after it
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) timeline: bool,

    /// Keep reading as the log grows and print new events
    ///
    /// Ctrl-C, or the end of a stream, ends the audit. The program then prints the report. With --quiet or --format
    /// ndjson, it prints only the report. It waits for a log that does not exist yet.
    #[arg(long, conflicts_with_all = ["at", "sidecar", "since", "require"], help_heading = OUTPUT)]
    pub(crate) follow: bool,

    #[command(flatten)]
    pub(crate) baseline: baseline::BaselineArgs,

    #[command(flatten)]
    pub(crate) bundle: bundle::BundleArgs,

    /// Print the report in this format
    #[arg(long, value_enum, default_value_t = Format::Human, help_heading = OUTPUT)]
    pub(crate) format: Format,

    /// Set the URI of the log in the statement of --format vsa
    ///
    /// The default is the path of the log, as given.
    #[arg(long, value_name = "URI", value_parser = uri::reference, conflicts_with = "follow", help_heading = STATEMENT)]
    pub(crate) resource_uri: Option<String>,

    /// Set the URI of the verifier in the statement of --format vsa
    ///
    /// The default is pkg:cargo/shipper-replay.
    #[arg(long, value_name = "URI", value_parser = uri::absolute, conflicts_with = "follow", help_heading = STATEMENT)]
    pub(crate) verifier_id: Option<String>,

    /// Set the time of verification in the statement of --format vsa or --bundle
    ///
    /// The default is SOURCE_DATE_EPOCH, or the current time if that is not set.
    #[arg(long, value_name = "TIMESTAMP", conflicts_with = "follow", help_heading = STATEMENT)]
    pub(crate) time: Option<Timestamp>,

    /// Use colour in the human report
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = OUTPUT)]
    pub(crate) color: Color,

    /// Print one line per log
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub(crate) quiet: bool,

    /// Print all decisions and runs, and 1000 findings of a log, including notes
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) verbose: bool,

    /// Explain a term of the report, such as the code of a finding
    ///
    /// "list" prints the list of all terms, and "all" explains all of them.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["logs", "follow"])]
    pub(crate) explain: Option<ExplainTopic>,

    /// Print a completion script for a shell
    #[arg(long, value_enum, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Print the manual page in roff format
    #[arg(long, exclusive = true)]
    pub(crate) manual: bool,
}

const INPUT: &str = "Input options";
const AUDIT: &str = "Audit options";
const OUTPUT: &str = "Output options";
const STATEMENT: &str = "Statement options";

/// Sections after the options, in `--help` and in the manual page: a heading with a colon, then items, indented by two
/// spaces, each with an explanation on lines that are indented by six.
pub(crate) const AFTER_HELP: &str = include_str!("help.txt");

/// Returns the first section of [`AFTER_HELP`], for `-h`.
fn exit_statuses() -> &'static str {
    AFTER_HELP.split("\n\n").next().unwrap_or_default()
}

/// Text of `--version`: the version of the program, of the gate's rules, and of the schemas.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\nrules:   {RULES_VERSION} (of the gate)\nreport:  shipper.replay.v1\nsidecar: {SIDECAR_SCHEMA}",
        env!("CARGO_PKG_VERSION"),
    )
});

/// Output format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Human,
    /// One JSON object, schema shipper.replay.v1
    Json,
    /// One JSON object per log, then one with the summary
    Ndjson,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations for GitHub Actions
    Github,
    /// Markdown, for a job summary
    Markdown,
    /// Self-contained HTML page with a timeline
    Html,
    /// Unsigned in-toto Statement with a SLSA Verification Summary, for exactly one log
    Vsa,
}

/// Condition that `--require` demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Required {
    /// A rehearsal backs the plan, so it may be published
    Authorized,
    /// A valid signed head covers the whole log
    Sealed,
}

/// Cause of an inconclusive log that `--accept` accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Accepted {
    /// The gate had no rehearsal registry, and permitted a publish
    Dormant,
    /// The caller of the gate asked for a skip
    Bypassed,
    /// A run has no recorded decision, and no rehearsal supports it
    Unrecorded,
    /// The log has events, but no decision
    NoDecision,
}

impl From<Accepted> for AcceptedCause {
    fn from(cause: Accepted) -> Self {
        match cause {
            Accepted::Dormant => Self::Dormant,
            Accepted::Bypassed => Self::Bypassed,
            Accepted::Unrecorded => Self::Unrecorded,
            Accepted::NoDecision => Self::NoDecision,
        }
    }
}

/// Use of colour in the human report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Amount of detail in the human report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line per log, with its conclusion.
    Quiet,
    /// The evidence, up to a limit of decisions and findings.
    Normal,
    /// All decisions, runs and findings.
    Verbose,
}

impl Cli {
    /// Returns the options of the audit, without the policy file.
    pub(crate) fn audit_options(&self) -> AuditOptions {
        let mut options = AuditOptions::default().with_strict(self.strict);
        options.registry.clone_from(&self.registry);
        options.plan_id.clone_from(&self.plan_id);
        options.at.clone_from(&self.at);
        (options.extends, options.since) = (self.extends, self.since);
        options.require = self.require.contains(&Required::Authorized).then_some(RequiredVerdict::Authorized);
        options.require_sealed = self.require.contains(&Required::Sealed);
        options.accept = self.accept.iter().copied().map(AcceptedCause::from).collect();
        options.acknowledge_earlier = self.acknowledge_earlier;
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
            ("--packet", self.packet.packet.is_some()),
            ("--require", !self.require.is_empty()),
            ("--head", self.heads.head),
            ("--signed-head", self.heads.signed_head.is_some()),
            ("--follow", self.follow),
            ("--bundle", self.bundle.bundle.is_some()),
            ("--format vsa", self.format == Format::Vsa),
        ])
    }

    /// Returns the given options that are valid only with `--format vsa` and `--bundle`, separated by commas.
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
