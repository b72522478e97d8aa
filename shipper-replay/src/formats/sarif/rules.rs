//! The rules: every code of a finding, in the order of the contract, then what can be said of a log as a whole. They
//! are the same in every report, as those who compare reports expect.

use shipper_core::audit::{FindingCode, Level};

use super::message::plain;
use super::model::{Configuration, Descriptor, Help, Tags};
use crate::explain::{Subject, entries};
use crate::formats::whole::Matter;

/// The notifications: a log that could not be read, and a directory without one.
pub(super) const UNREADABLE: usize = 0;
pub(super) const NO_LOGS: usize = 1;
pub(super) const NOTIFICATIONS: [(&str, &str, &str, Level); 2] = [
    ("unreadable-log", "UnreadableLog", "A log could not be read, so nothing in it was judged.", Level::Error),
    ("no-logs", "NoLogs", "A directory holds no log, so nothing was judged.", Level::Warning),
];

/// Where a code stands among the rules.
pub(super) fn of_code(code: FindingCode) -> usize {
    FindingCode::ALL.iter().take_while(|other| **other != code).count()
}

/// Where a matter of a whole log stands among the rules.
pub(super) fn of_matter(matter: Matter) -> usize {
    FindingCode::ALL.len() + Matter::ALL.iter().take_while(|other| **other != matter).count()
}

/// What a rule is about, and what to do.
struct Explanation {
    short: String,
    full: String,
    help: Help,
}

/// What the reference says of a word, or this help where it says nothing.
fn explained(subject: Option<Subject>, help: &str) -> Explanation {
    let Some(entry) = entries().find(|entry| Some(entry.subject) == subject) else {
        return said(&format!("{help}."));
    };
    let plain = |text: &str| text.replace('`', "");
    Explanation {
        short: plain(entry.short()),
        full: plain(entry.means),
        help: Help { text: entry.plain(), markdown: entry.markdown() },
    }
}

fn said(text: &str) -> Explanation {
    let help = Help { text: text.to_owned(), markdown: text.to_owned() };
    Explanation { short: text.to_owned(), full: text.to_owned(), help }
}

/// Every rule.
pub(super) fn rules() -> Vec<Descriptor> {
    let codes = FindingCode::ALL.iter().map(|code| {
        let sidecar = code.is_about_sidecar().then_some("sidecar");
        let integrity = code.breaks_integrity().then_some("integrity");
        let tags = ["supply-chain"].into_iter().chain(integrity).chain(sidecar).collect();
        let explanation = explained(Some(Subject::Finding(*code)), code.help());
        descriptor(code.as_str(), format!("{code:?}"), explanation, code.level(), tags)
    });
    let matters = Matter::ALL.iter().map(|matter| {
        let explanation = explained(matter.conclusion().map(Subject::Conclusion), matter.help());
        // Some want a name that differs from the word by more than its capitals.
        let name = format!("Log{matter:?}");
        descriptor(matter.as_str(), name, explanation, matter.level(), vec!["supply-chain"])
    });
    codes.chain(matters).collect()
}

/// Every notification.
pub(super) fn notifications() -> Vec<Descriptor> {
    let described = NOTIFICATIONS
        .iter()
        .map(|(id, name, text, level)| descriptor(id, (*name).to_owned(), said(text), *level, Vec::new()));
    described.collect()
}

fn descriptor(
    id: &'static str,
    name: String,
    explanation: Explanation,
    level: Level,
    tags: Vec<&'static str>,
) -> Descriptor {
    let Explanation { short, full, help } = explanation;
    Descriptor {
        id,
        name,
        short_description: plain(short),
        full_description: plain(full),
        help,
        default_configuration: Configuration { level: level.as_str() },
        properties: Tags { tags },
    }
}
