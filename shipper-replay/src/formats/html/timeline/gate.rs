//! The lane of decisions: what the gate answers, and what was recorded instead.

use shipper_core::audit::Decision;

use super::lanes::{Lane, Source};
use super::mark::{Figure, Mark, Shape, Tone, instant};
use crate::formats::human::phrases::{decision_text, registry_text, short_plan_id};
use crate::formats::human::sort_rank;
use shipper_events::display_safe;

pub(super) fn lane(source: &Source<'_>) -> Lane {
    let all = &source.audit.decisions;
    let shown = source.shown.decisions.iter().filter_map(|position| all.get(*position));
    let lane = Lane::new("decisions", "Decisions", shown.filter_map(|decision| mark(decision, source)).collect());
    Lane { left_out: all.len() - lane.marks.len(), ..lane }
}

fn mark(decision: &Decision, source: &Source<'_>) -> Option<Mark> {
    let moment = source.nearest(decision.line)?;
    let derived = decision.derived.as_ref().map(|derived| derived.verdict.as_str());
    let recorded = decision.recorded.as_ref().map(|recorded| recorded.verdict.as_str());
    let differ = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) => recorded != derived,
        _ => false,
    };
    let figure = |word: Option<&str>| word.map_or(Figure::Question, Figure::of_verdict);
    let shape = if differ {
        Shape::Two { recorded: figure(recorded), derived: figure(derived) }
    } else {
        Shape::One(figure(derived))
    };
    let (line, status) = (decision.line, decision.status.as_str());
    let label = match (recorded, derived) {
        (Some(recorded), Some(derived)) if differ && recorded == derived => {
            format!("{status}: {derived}, recorded with other reasons")
        }
        (Some(recorded), Some(derived)) if differ => {
            format!("{status}: recorded {}, derived {derived}", display_safe(recorded).max_chars(24))
        }
        (_, Some(derived)) if derived != status => format!("{status}: {derived}"),
        _ => status.to_owned(),
    };
    let plan = short_plan_id(decision.plan_id.as_str());
    let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
    Some(Mark {
        line,
        at: instant(moment),
        shape,
        tone: Tone::of(decision.status),
        label,
        title: format!(
            "line {line}: decision {status}, plan {plan}{registry}; {}; {}",
            decision_text(decision),
            moment.timestamp
        ),
        target: source.anchors.decision(line),
        weight: sort_rank(decision.status),
        ticks: Vec::new(),
    })
}
