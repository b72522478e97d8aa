//! The lane of rehearsals: a bar from each start to its completion.

use shipper_core::audit::TimelineEntry;
use shipper_core::fold::Evidence;
use shipper_events::display_safe;

use super::lanes::{Lane, Source};
use super::mark::{Mark, Shape, Tick, Tone, backwards, instant, lines};
use crate::formats::human::phrases::short_plan_id;
use crate::formats::human::summary::outcome;

/// A rehearsal that was started.
struct Started<'m> {
    start: &'m TimelineEntry,
    /// The last event that is known of it.
    last: &'m TimelineEntry,
    ticks: Vec<Tick>,
}

/// How a rehearsal ended.
enum End<'m> {
    Completed(&'m TimelineEntry),
    /// Another one began.
    Abandoned(&'m TimelineEntry),
    /// The log ends.
    Open,
}

pub(super) fn lane(source: &Source<'_>) -> Lane {
    let mut marks = Vec::new();
    let mut open: Option<Started<'_>> = None;
    for moment in source.moments {
        match moment.event.as_str() {
            "rehearsal_started" => {
                marks.extend(open.take().map(|open| open.ended(&End::Abandoned(moment), source)));
                open = Some(Started { start: moment, last: moment, ticks: Vec::new() });
            }
            // One of another plan or registry leaves the open one alone.
            "rehearsal_complete" => match open.take_if(|_| moment.after.open.is_none()) {
                Some(open) => marks.push(open.ended(&End::Completed(moment), source)),
                None => marks.push(without_start(moment, source)),
            },
            _ => {
                if let (Some(open), Some(tick)) = (&mut open, tick(moment)) {
                    open.ticks.push(tick);
                    open.last = moment;
                }
            }
        }
    }
    marks.extend(open.map(|open| open.ended(&End::Open, source)));
    marks.sort_by_key(|mark| mark.line);
    Lane::new("rehearsals", "Rehearsals", marks)
}

/// What happens within a rehearsal.
fn tick(moment: &TimelineEntry) -> Option<Tick> {
    let (tone, what) = match moment.event.as_str() {
        "rehearsal_package_published" => (Tone::Good, "rehearsed"),
        "rehearsal_package_failed" => (Tone::Bad, "failed"),
        "rehearsal_smoke_check_failed" => (Tone::Bad, "failed its smoke check"),
        "tail_repaired" => (Tone::Bad, "a torn tail was repaired"),
        _ => return None,
    };
    let package = moment.package.as_deref().map_or(String::new(), |package| format!("{} ", display_safe(package)));
    let title = format!("line {}: {package}{what}, {}", moment.line, moment.timestamp);
    Some(Tick { line: moment.line, at: instant(moment), tone, title })
}

impl Started<'_> {
    fn ended(self, end: &End<'_>, source: &Source<'_>) -> Mark {
        let Self { start, last, ticks } = self;
        let line = start.line;
        let (to, tone, weight, word, more) = match end {
            End::Completed(moment) => {
                let (tone, weight, word) = judged(moment);
                (*moment, tone, weight, word, String::new())
            }
            End::Abandoned(by) => {
                let more = format!("; never completed: another one began on line {}", by.line);
                (last, Tone::Doubt, 1, "abandoned".to_owned(), more)
            }
            End::Open => (last, Tone::Doubt, 1, "open".to_owned(), "; never completed".to_owned()),
        };
        let open = !matches!(end, End::Completed(_));
        let drawn = if open { "; drawn to the last event of it" } else { "" };
        let at = format!("{} to {}", start.timestamp, to.timestamp);
        Mark {
            line,
            at: instant(start),
            shape: Shape::Bar { to: instant(to), open },
            tone,
            label: format!("{word}{}{}", on(start), backwards(start, to)),
            title: format!("{}: rehearsal {word}{}{more}{drawn}; {at}", lines(line, to.line), of(start)),
            target: source.anchors.moment(line),
            weight,
            ticks,
        }
    }
}

/// A completion that no start belongs to.
fn without_start(moment: &TimelineEntry, source: &Source<'_>) -> Mark {
    let (line, (_, _, word)) = (moment.line, judged(moment));
    Mark {
        line,
        at: instant(moment),
        shape: Shape::Bar { to: instant(moment), open: true },
        tone: Tone::Doubt,
        label: format!("{word}{}", on(moment)),
        title: format!("line {line}: completion without a start: {word}{}; {}", of(moment), moment.timestamp),
        target: source.anchors.moment(line),
        weight: 0,
        ticks: Vec::new(),
    }
}

/// How a completion turned out.
fn judged(moment: &TimelineEntry) -> (Tone, u8, String) {
    let receipt = moment.after.receipt.as_ref();
    let word = receipt.map_or_else(|| "completed".to_owned(), |receipt| outcome(receipt.passed, &receipt.unsound));
    match receipt.map(|receipt| (receipt.passed, receipt.evidence)) {
        Some((true, Evidence::Sound)) => (Tone::Good, 2, word),
        Some((true, Evidence::Unsound)) => (Tone::Doubt, 0, word),
        _ => (Tone::Bad, 0, word),
    }
}

/// The plan and the registry.
fn of(moment: &TimelineEntry) -> String {
    let plan = moment.plan_id.as_ref().map_or(String::new(), |plan| format!(", plan {}", short_plan_id(plan.as_str())));
    format!("{plan}{}", on(moment))
}

fn on(moment: &TimelineEntry) -> String {
    moment
        .registry
        .as_ref()
        .map_or(String::new(), |name| format!(" on {}", display_safe(name.as_str()).max_chars(24).quoted()))
}
