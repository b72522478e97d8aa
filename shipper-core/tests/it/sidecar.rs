//! A sidecar without one of its members, or with one of another type, is not compared, and the error names the member.

use serde_json::{Value, json};
use shipper_core::sidecar::{SIDECAR_SCHEMA, Sidecar, SidecarError};
use shipper_events::MAX_LINE_LEN;

fn sidecar() -> Value {
    json!({
        "schema_version": SIDECAR_SCHEMA, "plan_id": "p", "registry": "r", "passed": true, "packages_attempted": 1,
        "packages_published": 1, "summary": "", "started_at": "2026-11-23T08:00:00Z",
        "completed_at": "2026-11-23T08:00:01Z", "log": { "lines": 1, "bytes": 2, "blake3": "" },
    })
}

#[test]
fn incomplete_sidecar_is_an_error() {
    let parse = |sidecar: &Value| Sidecar::parse(sidecar.to_string().as_bytes());
    assert!(parse(&sidecar()).is_ok());
    let members = sidecar();
    for name in members.as_object().expect("an object").keys() {
        // No value has this type.
        for value in [None, Some(json!([[]]))] {
            let mut changed = sidecar();
            let object = changed.as_object_mut().expect("an object");
            let is_absent = value.is_none();
            object.remove(name);
            object.extend(value.map(|value| (name.clone(), value)));
            match (&**name, parse(&changed)) {
                ("schema_version", result) => assert_eq!(result, Err(SidecarError::NoSchema)),
                ("log", result) if is_absent => assert!(result.is_ok(), "the shipper tool writes none"),
                (_, Err(SidecarError::Member { member, .. })) => assert_eq!(member, name),
                (_, result) => panic!("{name}: {result:?}"),
            }
        }
    }
    for member in ["lines", "bytes", "blake3"] {
        let mut changed = sidecar();
        changed["log"].as_object_mut().expect("an object").remove(member);
        assert!(matches!(parse(&changed), Err(SidecarError::Member { member: "log", .. })), "{member}");
    }
    assert_eq!(Sidecar::parse(&vec![b' '; MAX_LINE_LEN + 1]), Err(SidecarError::TooLong));
}
