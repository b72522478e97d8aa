//! The chain: does each line follow the one before it? `docs/log-format.md`, "The chain".

use thiserror::Error;

use crate::display_safe::display_safe;
use crate::head::{Head, HeadHasher};
use crate::line::parse::{ParsedLine, RawEvent};
use crate::link::ChainLink;
use crate::value::JsonUint;
use crate::vocabulary::EventType;

/// Follows a log's chain, line by line. [`Follower`](crate::Follower) does it block by block.
///
/// ```
/// use shipper_events::{ChainError, Chain, ParsedLine, HeadHasher, parse_line};
/// let (mut chain, mut prefix) = (Chain::new(), HeadHasher::new());
/// let line = br#"{"seq":7,"prev":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}
/// "#;
/// let followed = chain.follow(line, &parse_line(line)?, &prefix);
/// assert_eq!(followed.breaks, [ChainError::SeqMismatch { said: 7.into(), stands: 0 }]);
/// prefix.push_line(line);
/// # Ok::<(), shipper_events::LineError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Chain {
    previous: Previous,
    previous_is_foreign: bool,
    any_chained: bool,
    any_foreign: bool,
}

/// The last line: its bytes, or their hash where that is known already.
#[derive(Debug, Clone)]
enum Previous {
    Bytes(Vec<u8>),
    Hash(blake3::Hash),
}

impl Default for Previous {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

/// How a line hangs on the one before it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hold<'l> {
    /// Not at all.
    Foreign,
    /// By this link, and the line before it has that hash.
    Link(&'l ChainLink, blake3::Hash),
    /// By a link that fits the line before it.
    Fits,
    /// By a link that fits the line before it, and says that so many lines stand before.
    Skewed(u64),
}

/// What following a line shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Followed {
    /// What breaks at the line: at most one link, and at most one recorded head.
    pub breaks: Vec<ChainError>,
    /// Whether the line begins a stretch of foreign lines after chained ones.
    pub begins_foreign_stretch: bool,
}

/// How a line does not fit what stands before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Its `seq` is wrong.
    #[error("its seq says that {} lines stand before it; it is line {}", display_safe(&said.to_string()).max_chars(40), stands + 1)]
    SeqMismatch {
        /// How many lines it says stand before it.
        said: JsonUint,
        /// How many do.
        stands: u64,
    },
    /// Its `prev` is wrong.
    #[error("its prev says that the line before it has the hash {said}, and that line has {stands}")]
    PrevMismatch {
        /// The hash that it says the line before it has.
        said: blake3::Hash,
        /// The hash that line has.
        stands: blake3::Hash,
    },
    /// It is chained, stands straight after a foreign line, and is no `log_adopted`.
    #[error("it follows a foreign line without a log_adopted that takes on what stands before")]
    MissingAdoption,
    /// A type that is only ever written chained stands on a foreign line.
    #[error("a {type_name} that is not chained; this type is only written chained")]
    MustBeChained {
        /// The type.
        type_name: &'static str,
    },
    /// A `log_continued` stands elsewhere than on line 1.
    #[error("a log_continued here; only the first line of a log is one")]
    MisplacedContinuation,
    /// The head that a `log_adopted` records is not that of the lines before it.
    #[error("the head that it adopts is not that of the lines before it")]
    AdoptedHeadMismatch,
    /// The basis that a `gate_evaluated` records is not the head of the lines before it.
    #[error("the recorded basis is not the head of the lines before this one")]
    BasisMismatch,
}

/// The types that are only ever written chained.
const OURS: [&str; 4] = ["gate_evaluated", "log_adopted", "tail_repaired", "log_continued"];

impl Chain {
    /// The chain of a log of which nothing was read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges a line against what stands `before` it, and remembers it for the next. Call it for every line that is
    /// not corrupt, `bytes` with LF.
    pub fn follow(&mut self, bytes: &[u8], line: &ParsedLine<'_>, before: &HeadHasher) -> Followed {
        let record = match line {
            ParsedLine::Event(record) => Some(record),
            ParsedLine::Blank => None,
        };
        let link = record.and_then(RawEvent::link);
        let type_name = record.map_or("", RawEvent::type_name);
        let hold = link.map_or(Hold::Foreign, |link| Hold::Link(link, self.previous()));
        let (broken_link, begins_foreign_stretch) = self.judge(hold, type_name, before.lines());
        self.remember(bytes);
        let records_head = matches!(type_name, "log_adopted" | "gate_evaluated");
        let event_type = record.filter(|_| records_head).map(RawEvent::event_type);
        let broken_head = event_type.and_then(|event_type| broken_head(&event_type, || before.head()));
        Followed { breaks: broken_link.into_iter().chain(broken_head).collect(), begins_foreign_stretch }
    }

    /// Judges how a line hangs on the one before it, after so many lines; says also whether a stretch of foreign lines
    /// begins. Call it for every line of which the last call says too little: those that are of a type of ours, and
    /// those that hang otherwise than the one before.
    pub(crate) fn judge(&mut self, hold: Hold<'_>, type_name: &str, before: u64) -> (Option<ChainError>, bool) {
        let broken = self.broken_link(hold, type_name, before);
        let is_foreign = matches!(hold, Hold::Foreign);
        let begins_foreign_stretch = is_foreign && self.any_chained && !self.previous_is_foreign;
        self.previous_is_foreign = is_foreign;
        self.any_foreign |= is_foreign;
        self.any_chained |= !is_foreign;
        (broken, begins_foreign_stretch)
    }

    /// Remembers the last line; it is only hashed if a chained one follows.
    fn remember(&mut self, bytes: &[u8]) {
        let mut held = match std::mem::take(&mut self.previous) {
            Previous::Bytes(held) => held,
            Previous::Hash(_) => Vec::new(),
        };
        held.clear();
        held.extend_from_slice(bytes);
        self.previous = Previous::Bytes(held);
    }

    /// Remembers the hash of the last line.
    pub(crate) fn set_previous(&mut self, hash: blake3::Hash) {
        self.previous = Previous::Hash(hash);
    }

    /// The hash of the last line; before the first, of nothing.
    pub(crate) fn previous(&self) -> blake3::Hash {
        match &self.previous {
            Previous::Bytes(bytes) => blake3::hash(bytes),
            Previous::Hash(hash) => *hash,
        }
    }

    /// Whether the last line is foreign: a chained one then needs a `log_adopted` before it.
    pub(crate) fn ends_foreign(&self) -> bool {
        self.previous_is_foreign
    }

    /// Whether any line so far is chained.
    pub fn any_chained(&self) -> bool {
        self.any_chained
    }

    /// Whether any line so far is foreign.
    pub fn any_foreign(&self) -> bool {
        self.any_foreign
    }

    fn broken_link(&self, hold: Hold<'_>, type_name: &str, before: u64) -> Option<ChainError> {
        if let Hold::Foreign = hold {
            return OURS
                .into_iter()
                .find(|ours| *ours == type_name)
                .map(|type_name| ChainError::MustBeChained { type_name });
        }
        if let Hold::Skewed(said) = hold {
            return Some(ChainError::SeqMismatch { said: said.into(), stands: before });
        }
        if let Hold::Link(link, previous) = hold {
            if *link.seq() != before {
                return Some(ChainError::SeqMismatch { said: link.seq().clone(), stands: before });
            }
            if link.prev() != previous {
                return Some(ChainError::PrevMismatch { said: link.prev(), stands: previous });
            }
        }
        if type_name == "log_continued" && before > 0 {
            return Some(ChainError::MisplacedContinuation);
        }
        (self.previous_is_foreign && type_name != "log_adopted").then_some(ChainError::MissingAdoption)
    }
}

/// Whether the event records a head that is not that of what stands before it.
pub(crate) fn broken_head(event_type: &EventType, before: impl FnOnce() -> Head) -> Option<ChainError> {
    match event_type {
        EventType::LogAdopted(adopted) => {
            (!adopted.head().matches(&before())).then_some(ChainError::AdoptedHeadMismatch)
        }
        EventType::GateEvaluated(evaluated) => {
            let basis = evaluated.details.as_ref().map(|asked| &asked.basis);
            basis.is_some_and(|basis| !basis.matches(&before())).then_some(ChainError::BasisMismatch)
        }
        _ => None,
    }
}
