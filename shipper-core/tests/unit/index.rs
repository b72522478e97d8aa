//! A lookup must take the answers of a registry as cargo does: otherwise a version could count as new that cargo finds.

use super::*;

/// The answers of a registry have their meanings.
#[test]
fn answers_of_an_index_are_taken_as_by_cargo() {
    use IndexAnswer::{Denied, File, NoFile, TryLater, Unexpected};
    for (answer, statuses) in [
        (File, &[200][..]),
        (NoFile, &[404, 410, 451]),
        (Denied, &[401, 403]),
        (TryLater, &[408, 429, 500, 503, 599]),
        (Unexpected, &[204, 304, 400, 402, 405, 418]),
    ] {
        for status in statuses {
            let status = StatusCode::from_u16(*status).expect("a status");
            assert_eq!(IndexAnswer::from(status), answer, "{status}");
        }
    }
}
