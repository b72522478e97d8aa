//! A policy: no text makes the parser panic, and the place of an error is in the text. An accepted policy is the same
//! after it is written as TOML and as JSON. It never makes the conclusion about a log better, and the strict reader of
//! reports accepts the report of its audit.
//!
//! The first byte selects the log and the options.

use shipper_core::audit::{AuditOptions, MergedReport, Policy};
use shipper_events::is_display_safe;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::samples::{SAMPLES, ndjson, read_ndjson};

pub fn check(bytes: &[u8]) {
    let Some((choice, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let line = text.split('\n').nth(error.line as usize - 1);
            let column = line.map(|line| line.chars().count() as u64 + 1);
            assert!(column.is_some_and(|last| (1..=last).contains(&error.column)), "{error} is not in the text");
            assert!(error.to_string().chars().all(is_display_safe), "{error}");
            return;
        }
    };
    let json = serde_json::to_string(&policy).expect("JSON");
    assert_eq!(serde_json::from_str::<Policy>(&json).expect("a policy"), policy);
    assert!(policy.rules().iter().flat_map(|rule| rule.chars()).all(is_display_safe));
    let written = toml(&policy);
    if written.len() <= Policy::MAX_BYTES {
        assert_eq!(Policy::parse(&written).as_ref(), Ok(&policy), "{written}");
    }
    let sample = &SAMPLES[usize::from(choice >> 1) % SAMPLES.len()];
    let mut without = AuditOptions::default().with_strict(choice & 1 == 1);
    without.registry.clone_from(&policy.registry);
    let with = without.clone().with_policy(policy).expect("the registry of the policy");
    let report = sample.report(&with);
    assert!(report.conclusion <= sample.report(&without).conclusion, "a better conclusion");
    assert_eq!(read_ndjson(&ndjson(&report)), MergedReport::from(report));
}

/// Returns the policy as TOML.
fn toml(policy: &Policy) -> String {
    let mut document = DocumentMut::new();
    let mut flag = |key: &str, is_set: bool| {
        if is_set {
            document[key] = value(true);
        }
    };
    flag("require-smoke-install", policy.require_smoke_install);
    flag("require-chained", policy.require_chained);
    flag("require-sealed", policy.require_sealed);
    if let Some(registry) = &policy.registry {
        document["registry"] = value(registry.as_str());
    }
    if let Some(seconds) = policy.max_rehearsal_age {
        document["max-rehearsal-age"] = value(format!("{seconds}s"));
    }
    if let Some(skips) = &policy.skips {
        let rule = |actor: &str, plans: Option<Array>| {
            let plans = plans.map(|plans| ("plans", Value::from(plans)));
            [("actor", Value::from(actor))].into_iter().chain(plans).collect::<InlineTable>()
        };
        let plans = |plans: &Vec<_>| plans.iter().map(shipper_events::PlanId::as_str).collect::<Array>();
        let rules = skips.iter().map(|skip| rule(&skip.actor, skip.plans.as_ref().map(plans)));
        document["skips"] = value(rules.map(Value::from).collect::<Array>());
    }
    document["accept"] = value(policy.accept.iter().map(|cause| cause.as_str()).collect::<Array>());
    let mut levels = Table::new();
    for rule in &policy.levels {
        let members = [("level", rule.level.as_str()), ("reason", rule.reason.as_str())];
        levels[rule.code.as_str()] = value(members.into_iter().collect::<InlineTable>());
    }
    document["levels"] = Item::Table(levels);
    document.to_string()
}
