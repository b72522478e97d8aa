//! The chain: does each line follow the one before it? `docs/log-format.md`, "The chain".

use thiserror::Error;

use crate::head::Prefix;
use crate::line::Record;
use crate::link::Link;
use crate::neutral::neutral;
use crate::value::Unsigned;
use crate::vocabulary::EventType;

/// Follows a log's chain, line by line.
///
/// ```
/// use shipper_events::{Break, Chain, Line, Prefix, parse_line};
/// let (mut chain, mut prefix) = (Chain::new(), Prefix::new());
/// let line = br#"{"seq":7,"prev":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}
/// "#;
/// let followed = chain.follow(line, &parse_line(line)?, &prefix);
/// assert_eq!(followed.breaks, [Break::Seq { said: 7.into(), stands: 0 }]);
/// prefix.push_line(line);
/// # Ok::<(), shipper_events::Corruption>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Chain {
    previous: Vec<u8>,
    previous_is_foreign: bool,
    chained: u64,
    foreign: u64,
}

/// What following a line shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Followed {
    /// What breaks at the line: at most one link, and at most one recorded head.
    pub breaks: Vec<Break>,
    /// Whether the line begins a stretch of foreign lines after chained ones.
    pub begins_foreign_stretch: bool,
}

/// How a line does not fit what stands before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Break {
    /// Its `seq` is wrong.
    #[error("its seq says that {} lines stand before it; it is line {}", neutral(&said.to_string()).at_most(40), stands + 1)]
    Seq {
        /// How many lines it says stand before it.
        said: Unsigned,
        /// How many do.
        stands: u64,
    },
    /// Its `prev` is wrong.
    #[error("its prev says that the line before it has the hash {said}, and that line has {stands}")]
    Prev {
        /// The hash that it says the line before it has.
        said: blake3::Hash,
        /// The hash that line has.
        stands: blake3::Hash,
    },
    /// It is chained, stands straight after a foreign line, and is no `log_adopted`.
    #[error("it follows a foreign line without a log_adopted that takes on what stands before")]
    NotAdopted,
    /// A type that is only ever written chained stands on a foreign line.
    #[error("a {type_name} that is not chained; this type is only written chained")]
    NotChained {
        /// The type.
        type_name: &'static str,
    },
    /// A `log_continued` stands elsewhere than on line 1.
    #[error("a log_continued here; only the first line of a log is one")]
    ContinuedInside,
    /// The head that a `log_adopted` records is not that of the lines before it.
    #[error("the head that it adopts is not that of the lines before it")]
    AdoptedHead,
    /// The basis that a `gate_evaluated` records is not the head of the lines before it.
    #[error("the recorded basis is not the head of the lines before this one")]
    Basis,
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
    pub fn follow(&mut self, bytes: &[u8], line: &crate::Line<'_>, before: &Prefix) -> Followed {
        let record = match line {
            crate::Line::Event(record) => Some(record),
            crate::Line::Blank => None,
        };
        let link = record.and_then(Record::link);
        let type_name = record.map_or("", Record::type_name);
        let broken_link = match link {
            Some(link) => self.broken_link(link, type_name, before),
            None => OURS.into_iter().find(|ours| *ours == type_name).map(|type_name| Break::NotChained { type_name }),
        };
        let begins_foreign_stretch = link.is_none() && self.chained > 0 && !self.previous_is_foreign;
        self.previous_is_foreign = link.is_none();
        if link.is_some() {
            self.chained += 1;
        } else {
            self.foreign += 1;
        }
        self.previous.clear();
        self.previous.extend_from_slice(bytes);
        let broken_head = record.and_then(|record| broken_head(record, before));
        let breaks = broken_link.into_iter().chain(broken_head).collect();
        Followed { breaks, begins_foreign_stretch }
    }

    /// The bytes of the last line; none before the first.
    pub(crate) fn previous(&self) -> &[u8] {
        &self.previous
    }

    /// Whether the last line is foreign: a chained one then needs a `log_adopted` before it.
    pub(crate) fn ends_foreign(&self) -> bool {
        self.previous_is_foreign
    }

    /// Whether any line so far is chained.
    pub fn any_chained(&self) -> bool {
        self.chained > 0
    }

    /// Whether any line so far is foreign.
    pub fn any_foreign(&self) -> bool {
        self.foreign > 0
    }

    fn broken_link(&self, link: &Link, type_name: &str, before: &Prefix) -> Option<Break> {
        let (said, stands) = (link.seq(), before.lines());
        if *said != stands {
            return Some(Break::Seq { said: said.clone(), stands });
        }
        let (said, stands) = (link.prev(), blake3::hash(&self.previous));
        if said != stands {
            return Some(Break::Prev { said, stands });
        }
        if type_name == "log_continued" && before.lines() > 0 {
            return Some(Break::ContinuedInside);
        }
        (self.previous_is_foreign && type_name != "log_adopted").then_some(Break::NotAdopted)
    }
}

/// The head that the line records and that is not that of what stands before it.
fn broken_head(record: &Record<'_>, before: &Prefix) -> Option<Break> {
    if !matches!(record.type_name(), "log_adopted" | "gate_evaluated") {
        return None;
    }
    match record.event_type() {
        EventType::LogAdopted(adopted) => (!adopted.head().fits(&before.head())).then_some(Break::AdoptedHead),
        EventType::GateEvaluated(evaluated) => {
            let basis = evaluated.asked.map(|asked| asked.basis);
            basis.is_some_and(|basis| !basis.fits(&before.head())).then_some(Break::Basis)
        }
        _ => None,
    }
}
