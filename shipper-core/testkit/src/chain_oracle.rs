//! Verifier by the rules of `docs/log-format.md`, "The chain", line by line and without any shortcut. A fast verifier must
//! agree with it.

use std::ops::ControlFlow;

use shipper_events::scan::{Interest, LineContent, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::{ChainError, ChainLink, EventKind, EventType, Head, HeadHasher, ParsedLine, parse_line};

use crate::lines::split_lines;

/// The result of verifying a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    pub lines: Vec<OracleLine>,
    pub head: Head,
    /// The head after the lines that were tracked, if the log has that many.
    pub tracked: Option<Head>,
    pub any_chained: bool,
    pub any_unchained: bool,
    pub first_crlf: Option<u64>,
}

/// A line with content or errors. It has a head if its event was built.
#[derive(Debug, Clone, PartialEq)]
pub struct OracleLine {
    pub line: u64,
    pub content: Option<LineContent<'static>>,
    pub errors: Vec<ChainError>,
    pub starts_unchained_segment: bool,
    pub head: Option<Head>,
}

/// Collects every line that a scanner finds.
pub struct Collector {
    interest: fn(&str) -> Interest,
    lines: Vec<OracleLine>,
}

impl Collector {
    /// Returns the results of a scanner; `scan` feeds it the log.
    pub fn scan(
        mut scanner: LogScanner,
        tracked_lines: u64,
        interest: fn(&str) -> Interest,
        scan: impl FnOnce(&mut LogScanner, &mut Self),
    ) -> Verified {
        let mut collector = Self { interest, lines: Vec::new() };
        scanner.track_head(tracked_lines);
        scan(&mut scanner, &mut collector);
        Verified {
            lines: collector.lines,
            head: scanner.head(),
            tracked: scanner.tracked_head(tracked_lines),
            any_chained: scanner.any_chained(),
            any_unchained: scanner.any_unchained(),
            first_crlf: scanner.first_crlf(),
        }
    }
}

impl LogVisitor for Collector {
    fn interest(&self) -> fn(&str) -> Interest {
        self.interest
    }

    fn visit(&mut self, verified: &mut VerifiedLine<'_>, cursor: &mut LineCursor<'_>) -> ControlFlow<()> {
        let VerifiedLine { line, content, errors, starts_unchained_segment, .. } = verified.clone();
        let blanks = match content {
            Some(LineContent::Blank { lines }) => lines,
            _ => 1,
        };
        let content = content.map(|content| match content {
            LineContent::Blank { .. } => LineContent::Blank { lines: 1 },
            content => content.into_owned(),
        });
        let head = matches!(content, Some(LineContent::Event(_))).then(|| cursor.head());
        let found = OracleLine { line, content, errors, starts_unchained_segment, head };
        // The scanner visits consecutive blank lines once.
        let later = (line + 1..line + blanks).map(|line| OracleLine {
            line,
            errors: Vec::new(),
            starts_unchained_segment: false,
            ..found.clone()
        });
        self.lines.extend([found.clone()].into_iter().chain(later));
        ControlFlow::Continue(())
    }
}

/// Ignores every line.
pub struct Ignore;

impl LogVisitor for Ignore {
    fn interest(&self) -> fn(&str) -> Interest {
        |_| Interest::Skip
    }

    fn visit(&mut self, _: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Types with required members: their events are built whatever the interest.
const REQUIRED: [&str; 9] = [
    "plan_created",
    "rehearsal_started",
    "rehearsal_package_published",
    "rehearsal_complete",
    "gate_evaluated",
    "log_adopted",
    "tail_repaired",
    "log_continued",
    "package_content_mismatch",
];

/// Verifies the first `cutoff` lines of a log.
pub fn verify(log: &[u8], interest: fn(&str) -> Interest, tracked_lines: u64, cutoff: u64) -> Verified {
    let mut verified = Verified {
        lines: Vec::new(),
        head: HeadHasher::new().head(),
        tracked: None,
        any_chained: false,
        any_unchained: false,
        first_crlf: None,
    };
    let (mut hasher, mut previous, mut previous_unchained, mut corrupt) = (HeadHasher::new(), Vec::new(), false, false);
    for bytes in split_lines(log).0 {
        let before = hasher.head();
        hasher.push_line(bytes);
        let line = hasher.lines();
        if line == tracked_lines {
            verified.tracked = Some(hasher.head());
        }
        if corrupt || line > cutoff {
            continue;
        }
        let mut found =
            OracleLine { line, content: None, errors: Vec::new(), starts_unchained_segment: false, head: None };
        match parse_line(bytes) {
            Err(error) => {
                corrupt = true;
                found.content = Some(LineContent::Corrupt(Box::new(error)));
            }
            Ok(parsed) => {
                let link = ChainLink::from_line(bytes).filter(|_| matches!(parsed, ParsedLine::Event(_)));
                let event_type = match &parsed {
                    ParsedLine::Event(event) => Some(event.clone().into_event().event_type),
                    ParsedLine::Blank => None,
                };
                found.errors.extend(link_error(
                    link.as_ref(),
                    event_type.as_ref(),
                    &before,
                    &previous,
                    previous_unchained,
                ));
                found.errors.extend(event_type.and_then(|event_type| head_error(&event_type, &before)));
                found.starts_unchained_segment = link.is_none() && verified.any_chained && !previous_unchained;
                previous_unchained = link.is_none();
                verified.any_chained |= link.is_some();
                verified.any_unchained |= link.is_none();
                found.content = content(parsed, interest);
                if bytes.ends_with(b"\r\n") {
                    verified.first_crlf.get_or_insert(line);
                }
                if matches!(found.content, Some(LineContent::Event(_))) {
                    found.head = Some(hasher.head());
                }
            }
        }
        previous = bytes.to_vec();
        if found.content.is_some() || !found.errors.is_empty() || found.starts_unchained_segment {
            verified.lines.push(found);
        }
    }
    verified.head = hasher.head();
    verified
}

fn content(parsed: ParsedLine<'_>, interest: fn(&str) -> Interest) -> Option<LineContent<'static>> {
    let event = match parsed {
        ParsedLine::Blank => return Some(LineContent::Blank { lines: 1 }),
        ParsedLine::Event(event) => event,
    };
    let kind = EventKind::from_name(event.type_name());
    match (interest(event.type_name()), kind) {
        _ if REQUIRED.contains(&event.type_name()) => {}
        (Interest::Skip, _) => return None,
        (Interest::PackageOnly, Some(kind)) => {
            let event = event.into_event();
            let content = event.content().map(Box::from);
            return Some(LineContent::Package { kind, package: event.package.into(), content });
        }
        (Interest::PackageOnly, None) | (Interest::Full, _) => {}
    }
    Some(LineContent::Event(Box::new(event.into_event())))
}

fn link_error(
    link: Option<&ChainLink>,
    event_type: Option<&EventType>,
    before: &Head,
    previous: &[u8],
    previous_unchained: bool,
) -> Option<ChainError> {
    let type_name = event_type.map_or("", EventType::name);
    let Some(link) = link else {
        let chained_only = ["gate_evaluated", "log_adopted", "tail_repaired", "log_continued"];
        let type_name = chained_only.into_iter().find(|chained_only| *chained_only == type_name)?;
        return Some(ChainError::MustBeChained { type_name });
    };
    let hash = blake3::hash(previous);
    if *link.seq() != before.lines {
        Some(ChainError::SeqMismatch { claimed: link.seq().clone(), actual: before.lines })
    } else if link.prev() != hash {
        Some(ChainError::PrevMismatch { claimed: link.prev(), actual: hash })
    } else if type_name == "log_continued" && before.lines > 0 {
        Some(ChainError::MisplacedContinuation)
    } else if previous_unchained && type_name != "log_adopted" {
        Some(ChainError::MissingAdoption)
    } else {
        None
    }
}

fn head_error(event_type: &EventType, before: &Head) -> Option<ChainError> {
    match event_type {
        EventType::LogAdopted(adopted) if !adopted.head().matches(before) => Some(ChainError::AdoptedHeadMismatch),
        EventType::GateEvaluated(evaluated) => {
            let basis = &evaluated.details.as_ref()?.basis;
            (!basis.matches(before)).then_some(ChainError::BasisMismatch)
        }
        _ => None,
    }
}
