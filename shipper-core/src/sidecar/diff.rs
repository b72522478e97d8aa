//! The comparison of a sidecar with a receipt.

use serde::{Deserialize, Serialize};
use shipper_events::{Head, JsonUint};
use time::Duration;

use crate::fold::Receipt;
use crate::sidecar::model::Sidecar;

/// Time by which the start in a sidecar may precede the event: the shipper tool takes the time before it writes the event.
const STARTED_AT_TOLERANCE: Duration = Duration::MINUTE;

/// A field in which a sidecar and a receipt differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldDiff {
    /// Name of the field in the sidecar.
    pub field: String,
    /// Value in the sidecar.
    pub sidecar: FieldValue,
    /// Value in the log.
    pub log: FieldValue,
}

/// A field's value in a [`FieldDiff`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// True or false.
    Flag(bool),
    /// A number that fits 64 bits.
    Number(u64),
    /// A text; a number that does not fit 64 bits, as its digits; a head, as `LINES:BYTES:BLAKE3`.
    Text(String),
}

impl Sidecar {
    /// The fields in which the sidecar differs from a receipt. `head` gives the head of the log up to the line of the
    /// completion, and is called only if the sidecar has one.
    ///
    /// Timestamps are compared as instants, and `started_at` may be up to one minute earlier than the event. For a
    /// receipt without a start, the members that depend on the start are not compared.
    pub fn differences(&self, receipt: &Receipt, head: impl FnOnce() -> Head) -> Vec<FieldDiff> {
        let mut diffs = DiffCollector(Vec::new());
        diffs.text("plan_id", self.plan_id.as_str(), receipt.plan_id.as_str());
        diffs.text("registry", self.registry.as_str(), receipt.registry.as_str());
        if self.passed != receipt.passed {
            diffs.push("passed", FieldValue::Flag(self.passed), FieldValue::Flag(receipt.passed));
        }
        if receipt.start.is_some() {
            diffs.number("packages_attempted", &self.packages_attempted, receipt.packages_attempted());
            diffs.number("packages_published", &self.packages_published, receipt.packages_published());
        }
        diffs.text("summary", &self.summary, &receipt.summary);
        if let Some(start) = &receipt.start {
            let early = start.at.instant() - self.started_at.instant();
            if !(Duration::ZERO..=STARTED_AT_TOLERANCE).contains(&early) {
                diffs.push("started_at", self.started_at.as_str().into(), start.at.as_str().into());
            }
        }
        if self.completed_at != receipt.completed_at {
            diffs.push("completed_at", self.completed_at.as_str().into(), receipt.completed_at.as_str().into());
        }
        if let Some(log) = &self.log {
            let head = head();
            if !log.matches(&head) {
                diffs.push("log", FieldValue::Text(log.to_string()), FieldValue::Text(head.to_string()));
            }
        }
        diffs.0
    }
}

/// Copies values only where they differ: a summary may be long, and a log may complete many rehearsals.
struct DiffCollector(Vec<FieldDiff>);

impl DiffCollector {
    fn push(&mut self, field: &str, sidecar: FieldValue, log: FieldValue) {
        let field = field.to_owned();
        self.0.push(FieldDiff { field, sidecar, log });
    }

    fn text(&mut self, field: &str, sidecar: &str, log: &str) {
        if sidecar != log {
            self.push(field, sidecar.into(), log.into());
        }
    }

    fn number(&mut self, field: &str, sidecar: &JsonUint, log: u64) {
        if *sidecar != log {
            self.push(field, sidecar.into(), FieldValue::Number(log));
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&JsonUint> for FieldValue {
    fn from(number: &JsonUint) -> Self {
        number.as_u64().map_or_else(|| Self::Text(number.to_string()), Self::Number)
    }
}
