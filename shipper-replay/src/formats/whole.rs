//! What there is to say of a log as a whole, for forms that show findings one by one: a log of which too little is
//! known has perhaps no finding at all, and must not look like one that is in order.

use shipper_core::VerdictKind;
use shipper_core::audit::{Conclusion, Finding, Level, LogAudit, LogReport, Report, RequiredVerdict};

use crate::formats::human::phrases::{gate_text, headline};

/// What can be said of a log as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matter {
    /// It could not be read, or not be judged.
    Unjudged,
    /// It proves too little.
    Inconclusive,
    /// The gate at its end does not answer what is required.
    RequirementNotMet,
}

impl Matter {
    /// Everything.
    pub(crate) const ALL: [Self; 3] = [Self::Unjudged, Self::Inconclusive, Self::RequirementNotMet];

    /// The conclusion that says it.
    pub(crate) fn conclusion(self) -> Option<Conclusion> {
        match self {
            Self::Unjudged => Some(Conclusion::Unjudged),
            Self::Inconclusive => Some(Conclusion::Inconclusive),
            Self::RequirementNotMet => None,
        }
    }

    /// The word: that of the conclusion, where there is one.
    pub(crate) fn as_str(self) -> &'static str {
        self.conclusion().map_or("requirement-not-met", Conclusion::as_str)
    }

    /// How much it weighs.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Unjudged | Self::RequirementNotMet => Level::Error,
            Self::Inconclusive => Level::Warning,
        }
    }

    /// What to do about it.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::Unjudged => "check the path, that you may read what is there, and that this version knows its rules",
            Self::Inconclusive => "find out what is missing: nothing in it is wrong, and it proves too little",
            Self::RequirementNotMet => "do not publish this plan; what the gate names as its reasons comes first",
        }
    }
}

/// One thing that is to be said of a log.
pub(crate) struct Whole {
    pub(crate) matter: Matter,
    /// What it is about, in one sentence: safe to show.
    pub(crate) message: String,
}

/// What is to be said of a log beside its findings. Of one that is verified or violated, there is nothing: its errors
/// say enough.
pub(crate) fn whole(log: &LogReport, report: &Report) -> Vec<Whole> {
    let matter = match log.conclusion {
        Conclusion::Violated | Conclusion::Verified => None,
        Conclusion::Unjudged => Some(Matter::Unjudged),
        Conclusion::Inconclusive => Some(Matter::Inconclusive),
    };
    let concluded =
        matter.map(|matter| Whole { matter, message: format!("{}{}", log.conclusion, headline(log, report)) });
    required(log, report.demand.require).into_iter().chain(concluded).collect()
}

fn required(log: &LogReport, require: Option<RequiredVerdict>) -> Option<Whole> {
    let required = require?.as_str();
    let gate = log.audit.as_ref()?.gate.as_ref();
    if gate.is_some_and(|gate| gate.verdict == VerdictKind::Authorized) {
        return None;
    }
    let answer = gate_text(log).unwrap_or_else(|| "nothing".to_owned());
    let message = format!("required is {required}, and the gate would answer {answer}");
    Some(Whole { matter: Matter::RequirementNotMet, message })
}

/// The path of the file that a finding is about: the sidecar's, or the log's.
pub(crate) fn path_of<'a>(finding: &Finding, audit: &'a LogAudit, log: &'a str) -> &'a str {
    let about_sidecar = finding.line.is_none() && finding.code.is_about_sidecar();
    audit.sidecar.path.as_deref().filter(|_| about_sidecar).unwrap_or(log)
}
