//! The lanes of decisions and of findings: a glyph at the time of a line.

use shipper_core::audit::{Decision, Finding, Level};
use shipper_events::display_safe;

use super::item::{Item, Lane, Outcome, Shape, Source, instant};
use crate::formats::human::phrases::{decision_text, plural, registry_text, short_plan_id};
use crate::formats::human::sort_rank;

/// The sign between a recorded verdict and another one that is derived.
pub(super) const UNEQUAL: &str = "\u{2260}";

pub(super) fn decisions(source: &Source<'_>) -> Lane {
    let all = &source.audit.decisions;
    let selected = source.selection.decisions.iter().filter_map(|position| all.get(*position));
    let lane = Lane::new("decisions", "Decisions", selected.filter_map(|one| decision(one, source)).collect());
    Lane { left_out: all.len() - lane.items.len(), ..lane }
}

fn decision(decision: &Decision, source: &Source<'_>) -> Option<Item> {
    let entry = source.nearest(decision.line)?;
    let derived = decision.derived.as_ref().map(|derived| derived.verdict.as_str());
    let recorded = decision.recorded.as_ref().map(|recorded| recorded.verdict.as_str());
    let differ = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) => recorded != derived,
        _ => false,
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
    Some(Item {
        line,
        at: instant(entry),
        shape: Shape::Glyphs(if differ {
            vec![verdict_glyph(recorded), UNEQUAL, verdict_glyph(derived)]
        } else {
            vec![verdict_glyph(derived)]
        }),
        outcome: Outcome::of(decision.status),
        label,
        title: format!(
            "line {line}: decision {status}, plan {plan}{registry}; {}; {}",
            decision_text(decision),
            entry.timestamp
        ),
        target: source.anchors.decision(line),
        rank: sort_rank(decision.status),
        ticks: Vec::new(),
    })
}

/// Returns the glyph of a verdict's name.
fn verdict_glyph(verdict: Option<&str>) -> &'static str {
    match verdict {
        Some("authorized") => "\u{25cf}",
        Some("refused") => "\u{25a0}",
        Some("dormant") => "\u{25cb}",
        Some("bypassed") => "\u{25b7}",
        _ => "?",
    }
}

pub(super) fn findings(source: &Source<'_>) -> Lane {
    let all = &source.audit.findings;
    let selected = source.selection.findings.iter().filter_map(|position| Some((*position, all.get(*position)?)));
    let items = selected.filter_map(|(position, finding)| self::finding(position, finding, source));
    let without_line = all.iter().filter(|finding| finding.line.is_none()).count();
    let names = if without_line == 1 { "names" } else { "name" };
    let remark = format!("Not drawn: {} that {names} no line of the log.", plural(without_line as u64, "finding"));
    let lane = Lane::new("findings", "Findings", items.collect());
    let left_out = all.len() - without_line - lane.items.len();
    Lane { remark: (without_line > 0).then_some(remark), left_out, ..lane }
}

fn finding(position: usize, finding: &Finding, source: &Source<'_>) -> Option<Item> {
    let line = finding.line?;
    let entry = source.nearest(line)?;
    let (glyph, outcome, rank) = match finding.level {
        Level::Error => ("\u{25c6}", Outcome::Bad, 0),
        Level::Warning => ("\u{25b3}", Outcome::Doubt, 1),
        Level::Note => ("\u{25e6}", Outcome::Plain, 2),
    };
    let nearest = if entry.line == line {
        String::new()
    } else {
        format!(" (drawn at line {}, the nearest event that has a place here)", entry.line)
    };
    let (level, code, message) = (finding.level.as_str(), finding.code, &finding.message);
    Some(Item {
        line,
        at: instant(entry),
        shape: Shape::Glyphs(vec![glyph]),
        outcome,
        label: format!("{code}, line {line}"),
        title: format!("line {line}: {level} {code}: {message}{nearest}; {}", entry.timestamp),
        target: source.anchors.finding(position),
        rank,
        ticks: Vec::new(),
    })
}
