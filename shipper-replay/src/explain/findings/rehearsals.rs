//! Findings about rehearsals.

use shipper_core::audit::FindingCode;

use crate::explain::{Entry, Group, Subject};

explained! {
    /// What was found about rehearsals, wherever they lead.
    REHEARSALS: Finding(FindingCode), "Findings about rehearsals",
    "`findings[].code`, at an event of a rehearsal" {
        RehearsalAbandoned {
            means: "A rehearsal began while another one was open. The older one is abandoned: it is as if it had never \
                begun.",
            arises: "The older one was killed, as when a CI job is cancelled. Or two ran at once: the shipper tool \
                takes no lock to rehearse. Whoever saw a failure in an open rehearsal can start another to get rid of \
                it.",
            concludes: "Nothing of the older one counts, a failure that was marked in it included: the receipt from \
                before it stands again, and a run on that is `verified`. If both were at work, their events mix, and \
                the evidence of the newer one may be unsound for that. That the older one failed is not shown.",
            next: "Read the lines between the two starts, or `shipper-replay --timeline events.jsonl`: a \
                `rehearsal_package_failed` or `rehearsal_smoke_check_failed` there speaks against every publish that \
                no later rehearsal backs. Rehearse once more, alone, to the end.",
        }
        StrayRehearsalEvent {
            means: "A rehearsed package or a failure of a rehearsal is told, and no rehearsal is open. The event has \
                no effect.",
            arises: "Two rehearsals wrote into one log at once: the completion of one closed it, and the other went \
                on. Or the start was lost: it was removed, or the log was deleted in the middle of a rehearsal.",
            concludes: "The event counts for no rehearsal. If it tells of a failure, that failure refuses nothing, so \
                do not take what the gate says now for the whole story. Which rehearsal it belongs to is not in the \
                log.",
            next: "Read the event; `shipper-replay --timeline events.jsonl` shows which rehearsal was closed before \
                it. Rehearse once more, alone; a rehearsal recorded by this project keeps a second one off the log.",
        }
        UnknownGateEvent {
            means: "An event stands here whose type begins with `rehearsal_` or `gate_`, and this version does not \
                know it. The gate refuses from here on, until a rehearsal that starts after it has been completed.",
            arises: "A newer release tool wrote it, perhaps to tell of a new way in which a rehearsal can fail. \
                Somebody may have written it to block a release.",
            concludes: "Something may have been said that should refuse, and this version cannot tell. A refusal for \
                it is caution and no evidence of a failure. Decisions before it are not touched.",
            next: "Read the line, and audit with a version that knows the type. If it tells of nothing bad, rehearse \
                once more from start to end, which leaves it behind.",
        }
    }
}
