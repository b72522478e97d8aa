//! What every word of a report means, how it comes about, what follows from it and what does not, and what to do.
//!
//! This is the only source of these texts: `--explain`, `docs/codes.md` and other renderers take them from here. One
//! word may be of several kinds (`refused` is a verdict and the status of a decision); it has one [`Entry`] for each,
//! and one place in the reference, named like the word. The texts are Markdown: what is typed, or written in a log or a
//! report, stands between backticks, and nothing else in them is markup.

/// The entries of one kind of word, in the order in which they are to be shown.
///
/// With `every`, a word of an enum that is not explained does not compile. [`FindingCode`] is `#[non_exhaustive]` and its
/// entries stand in several files: a test looks for each instead.
macro_rules! explained {
    (every $(#[$doc:meta])* $NAME:ident: $Subject:ident($Word:ident), $title:literal, $place:literal {
        $($Variant:ident { $($part:ident: $text:literal,)* })*
    }) => {
        explained! {
            $(#[$doc])* $NAME: $Subject($Word), $title, $place { $($Variant { $($part: $text,)* })* }
        }

        const _: fn($Word) = |word| match word {
            $($Word::$Variant => {})*
        };
    };
    ($(#[$doc:meta])* $NAME:ident: $Subject:ident($Word:ident), $title:literal, $place:literal {
        $($Variant:ident { $($part:ident: $text:literal,)* })*
    }) => {
        $(#[$doc])*
        pub(in crate::explain) static $NAME: Group = Group {
            title: $title,
            place: $place,
            entries: &[$(Entry { subject: Subject::$Subject($Word::$Variant), $($part: $text,)* },)*],
        };
    };
}

mod ask;
mod evidence;
mod findings;
mod levels;
mod logs;
mod page;
mod reasons;
mod sidecar;
mod statuses;
mod terminal;
#[cfg(test)]
mod tests;
mod verdicts;

use std::borrow::Cow;

use shipper_core::audit::{
    Conclusion, DecisionStatus, FindingCode, Integrity, Level, RegistrySource, SidecarStatus, TailStatus, UnprovenCause,
};
use shipper_core::fold::{Evidence, EvidenceFlaw};
use shipper_core::{RefusalCode, VerdictKind};

pub(crate) use ask::{Asked, NotExplained, answer};

/// A word, as what it is in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The code of a finding.
    Finding(FindingCode),
    /// A reason of a refusal.
    Reason(RefusalCode),
    /// A verdict of the gate.
    Verdict(VerdictKind),
    /// The status of a decision.
    Status(DecisionStatus),
    /// Why a decision is unproven.
    Because(UnprovenCause),
    /// The conclusion of a log.
    Conclusion(Conclusion),
    /// What the evidence of a receipt is worth.
    Evidence(Evidence),
    /// Why it is worth nothing.
    Flaw(EvidenceFlaw),
    /// What can be said of a log's chain.
    Integrity(Integrity),
    /// How a log ends.
    Tail(TailStatus),
    /// What the sidecar is worth.
    Sidecar(SidecarStatus),
    /// Who named the registry that a verdict was derived under.
    Registry(RegistrySource),
    /// How much a finding weighs.
    Level(Level),
}

impl Subject {
    /// The word, as it stands in a report.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Finding(code) => code.as_str(),
            Self::Reason(reason) => reason.as_str(),
            Self::Verdict(verdict) => verdict.as_str(),
            Self::Status(status) => status.as_str(),
            Self::Because(because) => because.as_str(),
            Self::Conclusion(conclusion) => conclusion.as_str(),
            Self::Evidence(evidence) => evidence.as_str(),
            Self::Flaw(flaw) => flaw.as_str(),
            Self::Integrity(integrity) => integrity.as_str(),
            Self::Tail(tail) => tail.as_str(),
            Self::Sidecar(status) => status.as_str(),
            Self::Registry(source) => source.as_str(),
            Self::Level(level) => level.as_str(),
        }
    }

    /// How much it weighs, if it is the code of a finding.
    pub(crate) fn level(self) -> Option<Level> {
        match self {
            Self::Finding(code) => Some(code.level()),
            _ => None,
        }
    }

    /// What the word is: "a finding, error".
    pub(crate) fn kind(self) -> Cow<'static, str> {
        match self {
            Self::Finding(code) => format!("a finding, {}", code.level().as_str()).into(),
            Self::Reason(_) => "a reason to refuse".into(),
            Self::Verdict(_) => "a verdict of the gate".into(),
            Self::Status(_) => "the status of a decision".into(),
            Self::Because(_) => "the cause why a decision is unproven".into(),
            Self::Conclusion(conclusion) => format!("a conclusion, exit status {}", conclusion.exit_code()).into(),
            Self::Evidence(_) => "the evidence of a receipt".into(),
            Self::Flaw(_) => "a flaw in the evidence of a receipt".into(),
            Self::Integrity(_) => "the integrity of a log".into(),
            Self::Tail(_) => "the tail of a log".into(),
            Self::Sidecar(_) => "the status of the sidecar".into(),
            Self::Registry(_) => "the source of a registry's name".into(),
            Self::Level(_) => "the level of a finding".into(),
        }
    }
}

/// What there is to say about a word of one kind.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The word, as what it is.
    pub(crate) subject: Subject,
    /// What it says; its first sentence says it alone.
    pub(crate) means: &'static str,
    /// What brings it about, by accident and by attack.
    pub(crate) arises: &'static str,
    /// What may and what may not be concluded from it.
    pub(crate) concludes: &'static str,
    /// What to do now.
    pub(crate) next: &'static str,
}

impl Entry {
    /// The word; also the name of its place in `docs/codes.md`.
    pub(crate) fn word(&self) -> &'static str {
        self.subject.word()
    }

    /// What it says, in one sentence.
    pub(crate) fn short(&self) -> &'static str {
        self.means.split_inclusive(". ").next().unwrap_or(self.means).trim_end()
    }

    /// Its four parts, each under its head.
    pub(crate) fn parts(&self) -> [(&'static str, &'static str); 4] {
        [
            ("What it means", self.means),
            ("How it arises", self.arises),
            ("What follows, and what does not", self.concludes),
            ("What to do", self.next),
        ]
    }

    /// The parts as Markdown without links, a paragraph each, without the word.
    pub(crate) fn markdown(&self) -> String {
        page::parts(self, Cow::from)
    }

    /// The parts as plain text, a paragraph each, without the word.
    pub(crate) fn plain(&self) -> String {
        let parts = self.parts().map(|(head, text)| format!("{head}: {}", text.replace('`', "")));
        parts.join("\n\n")
    }
}

/// Words of one kind.
pub(crate) struct Group {
    /// What they are.
    pub(crate) title: &'static str,
    /// Where they stand in a report, in Markdown.
    pub(crate) place: &'static str,
    pub(crate) entries: &'static [Entry],
}

/// Every word, by kind, in the order of the reference.
pub(crate) static GROUPS: &[&Group] = &[
    &findings::BYTES,
    &findings::DECISIONS,
    &findings::RUNS,
    &findings::REHEARSALS,
    &findings::SIDECAR_FILE_NAME,
    &findings::INPUTS,
    &levels::LEVELS,
    &statuses::CONCLUSIONS,
    &statuses::STATUSES,
    &statuses::BECAUSE,
    &verdicts::VERDICTS,
    &verdicts::REGISTRIES,
    &reasons::REASONS,
    &evidence::EVIDENCE,
    &evidence::FLAWS,
    &logs::INTEGRITY,
    &logs::TAILS,
    &sidecar::SIDECAR_FILE_NAME,
];

/// Every entry, in the order of the reference.
pub(crate) fn entries() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|group| group.entries)
}

/// What there is to say about a finding.
pub(crate) fn entry(code: FindingCode) -> Option<&'static Entry> {
    of(Subject::Finding(code))
}

/// What there is to say about a word of that kind.
pub(crate) fn of(subject: Subject) -> Option<&'static Entry> {
    entries().find(|entry| entry.subject == subject)
}

/// What there is to say about a word: an entry for each kind that it is.
pub(crate) fn about(word: &str) -> Vec<&'static Entry> {
    entries().filter(|entry| entry.word() == word).collect()
}
