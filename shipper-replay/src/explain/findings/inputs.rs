//! Findings about what an audit was not given.

use shipper_core::audit::FindingCode;

use crate::explain::{Entry, Group, Subject};

explained! {
    /// What the log alone cannot tell.
    INPUTS: Finding(FindingCode), "Findings about what the audit was not given",
    "`findings[].code`: what a log cannot tell about itself, and an auditor can bring along" {
        SelfDeclaredRegistry {
            means: "A verdict rests on the log's own word for the rehearsal registry. It was judged under the registry \
                that the rehearsal itself names.",
            arises: "No `--registry` was given. Then `gate now` asks under the registry of the latest completed \
                rehearsal, and so does a run for which no decision was recorded that names one: in a log of the \
                shipper tool, every run after a completed rehearsal.",
            concludes: "The rehearsal ran on some registry of that name, by its own word. That this is the configured \
                one does not follow: the shipper tool lets a plan pass that was rehearsed on another. Nothing is wrong \
                with the log because of it.",
            next: "Name the registry that you have configured: `shipper-replay --registry NAME events.jsonl`.",
        }
        NoHeadGiven {
            means: "The log has chained lines and was compared with no head that was kept elsewhere.",
            arises: "No `--extends` was given. It is then said of every log that has a chained line.",
            concludes: "The chain shows accidents and careless edits. That the end was not cut off, and that nothing \
                was rewritten from some line to the end, is not shown. Nothing is wrong with the log because of it.",
            next: "Note the head when a release is done, where the writers of the log cannot write: `shipper-replay -v \
                events.jsonl` prints it. Later: `shipper-replay --extends HEAD events.jsonl`.",
        }
    }
}
