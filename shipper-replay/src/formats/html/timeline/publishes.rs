//! The lane of publishes: a bar for each run, and a tick for each package that it published.

use std::collections::HashMap;

use shipper_core::audit::{Decision, RunReport, TimelineEntry};
use shipper_events::display_safe;

use super::lanes::{Lane, Source};
use super::mark::{Figure, Mark, Shape, Tick, Tone, backwards, instant, lines};
use crate::formats::human::phrases::{maybe_quoted, quoted, short_plan_id};
use crate::formats::human::sort_rank;

/// Runs by the line that they begin on, with the decisions that they took.
type Runs<'a> = HashMap<u64, (&'a Decision, &'a RunReport)>;

/// A run that has begun.
struct Begun<'m> {
    start: &'m TimelineEntry,
    /// The last event that is known of it.
    last: &'m TimelineEntry,
    ticks: Vec<Tick>,
}

pub(super) fn lane(source: &Source<'_>) -> Lane {
    let runs: Runs<'_> = source
        .audit
        .decisions
        .iter()
        .flat_map(|decision| decision.runs.iter().map(move |run| (run.line, (decision, run))))
        .collect();
    let mut marks = Vec::new();
    let mut open: Option<Begun<'_>> = None;
    for moment in source.moments {
        match moment.event.as_str() {
            "plan_created" => {
                marks.extend(open.take().map(|open| open.ended(None, &runs, source)));
                open = Some(Begun { start: moment, last: moment, ticks: Vec::new() });
            }
            "execution_started" => marks.extend(open.take().map(|open| open.ended(None, &runs, source))),
            "execution_finished" => marks.extend(open.take().map(|open| open.ended(Some(moment), &runs, source))),
            "package_published" => match &mut open {
                Some(open) => {
                    let tone =
                        runs.get(&open.start.line).map_or(Tone::Plain, |(decision, _)| Tone::of(decision.status));
                    open.ticks.push(tick(moment, tone));
                    open.last = moment;
                }
                None => marks.push(outside(moment, source)),
            },
            _ => {}
        }
    }
    marks.extend(open.map(|open| open.ended(None, &runs, source)));
    Lane::new("publishes", "Publishes", marks)
}

fn tick(moment: &TimelineEntry, tone: Tone) -> Tick {
    let title = format!("line {}: {} published, {}", moment.line, package(moment), moment.timestamp);
    Tick { line: moment.line, at: instant(moment), tone, title }
}

fn package(moment: &TimelineEntry) -> String {
    moment.package.as_deref().map_or_else(|| "a package".to_owned(), |package| display_safe(package).to_string())
}

/// A package that was published outside every run.
fn outside(moment: &TimelineEntry, source: &Source<'_>) -> Mark {
    let line = moment.line;
    Mark {
        line,
        at: instant(moment),
        shape: Shape::One(Figure::Diamond),
        tone: Tone::Bad,
        label: "outside every run".to_owned(),
        title: format!("line {line}: {} published outside every run, {}", package(moment), moment.timestamp),
        target: source.anchors.moment(line),
        weight: 0,
        ticks: Vec::new(),
    }
}

impl Begun<'_> {
    /// The mark of a run that this event finished, or that nothing did.
    fn ended(self, finished: Option<&TimelineEntry>, runs: &Runs<'_>, source: &Source<'_>) -> Mark {
        let Self { start, last, ticks } = self;
        let (line, to) = (start.line, finished.unwrap_or(last));
        let plan = start.plan_id.as_ref().map(|plan| short_plan_id(plan.as_str())).unwrap_or_default();
        let how = match finished.map(|moment| &moment.outcome) {
            Some(Some(result)) => format!("finished: {}", maybe_quoted(result, 60)),
            Some(None) => "finished".to_owned(),
            None => "did not finish; drawn to the last package it published".to_owned(),
        };
        let (tone, weight, label, what, target) = match runs.get(&line) {
            Some((decision, run)) => {
                let (status, published) = (decision.status.as_str(), run.published);
                let live = run.live_registry.as_deref();
                let to = live.map_or(String::new(), |live| format!(" to {}", quoted(live)));
                let brief =
                    live.map_or(String::new(), |live| format!(" to {}", display_safe(live).max_chars(24).quoted()));
                (
                    Tone::of(decision.status),
                    sort_rank(decision.status),
                    format!("{status}: {published} published{brief}"),
                    format!("run {status}, plan {plan}, {published} published{to}"),
                    if source.shown.runs.contains(&line) {
                        source.anchors.run(line)
                    } else {
                        source.anchors.moment(line)
                    },
                )
            }
            None => (
                Tone::Plain,
                5,
                "left out".to_owned(),
                format!("run left out of the judging, plan {plan}"),
                source.anchors.moment(line),
            ),
        };
        let at = format!("{} to {}", start.timestamp, to.timestamp);
        Mark {
            line,
            at: instant(start),
            shape: Shape::Bar { to: instant(to), open: finished.is_none() },
            tone,
            label: format!("{label}{}", backwards(start, to)),
            title: format!("{}: {what}; {how}; {at}", lines(line, to.line)),
            target,
            weight,
            ticks,
        }
    }
}
