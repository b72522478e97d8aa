//! The rules: every code in the order of the contract, then every kind of issue of a whole log. They are the same in
//! every report, as tools that compare reports expect.

use serde_sarif::sarif::{MultiformatMessageString, PropertyBag, ReportingConfiguration, ReportingDescriptor};
use shipper_core::audit::{FindingCode, Level};

use crate::explain::{Explanation, conclusion_explanation, finding_explanation};
use crate::formats::log_issue::LogIssueKind;

/// Indexes of the notifications about an unreadable log, about a directory without logs, and about omitted results.
pub(super) const UNREADABLE: usize = 0;
pub(super) const NO_LOGS: usize = 1;
pub(super) const LEFT_OUT: usize = 2;
/// The notifications: id, name, text and level.
pub(super) const NOTIFICATIONS: [(&str, &str, &str, Level); 3] = [
    ("unreadable-log", "UnreadableLog", "A log cannot be read, so it was not audited.", Level::Error),
    ("no-logs", "NoLogs", "A directory contains no log, so nothing was audited.", Level::Warning),
    ("results-left-out", "ResultsLeftOut", "The file contains only the most severe results.", Level::Warning),
];

/// Returns the index of a rule.
pub(super) fn index_of(rule: &str) -> usize {
    let codes = FindingCode::ALL.iter().map(|code| code.as_str());
    codes.chain(LogIssueKind::ALL.into_iter().map(LogIssueKind::as_str)).take_while(|other| *other != rule).count()
}

/// Returns every rule.
pub(super) fn rules() -> Vec<ReportingDescriptor> {
    let codes = FindingCode::ALL.iter().map(|code| {
        let sidecar = code.is_about_sidecar().then_some("sidecar");
        let integrity = code.breaks_integrity().then_some("integrity");
        let packet = code.packet_file().map(|_| "packet");
        let tags = ["supply-chain"]
            .into_iter()
            .chain(integrity)
            .chain(sidecar)
            .chain(packet)
            .chain(code.is_about_index().then_some("index"));
        let texts = explained(finding_explanation(*code));
        descriptor(code.as_str(), &format!("{code:?}"), texts, code.level(), tags)
    });
    let issues = LogIssueKind::ALL.iter().map(|kind| {
        let texts = match kind.conclusion() {
            Some(conclusion) => explained(conclusion_explanation(conclusion)),
            None => unexplained(&format!("{}.", kind.help())),
        };
        // Some tools require that the name and the id differ by more than case.
        descriptor(kind.as_str(), &format!("Log{kind:?}"), texts, kind.level(), ["supply-chain"])
    });
    codes.chain(issues).collect()
}

/// Returns every notification.
pub(super) fn notifications() -> Vec<ReportingDescriptor> {
    let described = |(id, name, text, level)| descriptor(id, name, unexplained(text), level, []);
    NOTIFICATIONS.into_iter().map(described).collect()
}

/// The short description, the full one, and the help as text and as Markdown.
type Texts = [String; 4];

fn explained(explanation: &Explanation) -> Texts {
    let description = |text: &str| text.replace('`', "");
    let (short, full) = (description(explanation.summary()), description(explanation.meaning()));
    [short, full, explanation.plain(), explanation.markdown()]
}

fn unexplained(text: &str) -> Texts {
    [(); 4].map(|()| text.to_owned())
}

fn descriptor(
    id: &str,
    name: &str,
    [short, full, text, markdown]: Texts,
    level: Level,
    tags: impl IntoIterator<Item = &'static str>,
) -> ReportingDescriptor {
    ReportingDescriptor::builder()
        .id(id)
        .name(name)
        .short_description(&short)
        .full_description(&full)
        .help(MultiformatMessageString::builder().text(text).markdown(markdown).build())
        .default_configuration(ReportingConfiguration::builder().level(level.as_str()).build())
        .properties(PropertyBag::builder().tags(tags.into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()).build())
        .build()
}
