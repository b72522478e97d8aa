//! Findings about the sidecar.

use shipper_core::audit::FindingCode;

use crate::explain::{Entry, Group, Subject};

explained! {
    /// What was found when the sidecar was compared.
    SIDECAR_FILE_NAME: Finding(FindingCode), "Findings about the sidecar",
    "`findings[].code`, without a line. The sidecar, `rehearsal.json`, is a claim: no verdict of this project rests on \
     it, while the gate of the shipper tool reads nothing else" {
        SidecarDrift {
            means: "The sidecar equals no completed rehearsal of this log. The fields in which it differs from the \
                latest one stand in the report.",
            arises: "Somebody edited it, typically `passed` from false to true; or edited the log and not the sidecar. \
                It was copied from another workspace, or `--at` names a place before the rehearsal that it is of. Or \
                its `started_at` is later than the event of the start, or more than a minute earlier.",
            concludes: "Log and sidecar cannot both be right; which of them was changed is not shown. A tool that \
                decides by the sidecar was told something that the log does not bear out. The verdicts here are the \
                log's, and a `verified` decision stays so.",
            next: "Do not publish on it. See whether a run went on against the log: `publish-not-authorized` says so. \
                Keep both files, then rehearse again, which writes the sidecar anew.",
        }
        SidecarOrphan {
            means: "There is a sidecar, and no rehearsal in this log was ever completed.",
            arises: "Somebody wrote it by hand: the shipper tool's gate asks for no more. Or the log was deleted or \
                moved aside while the sidecar stayed. Or the wrong log is being audited, or `--at` names a place \
                before the first completion.",
            concludes: "Nothing in this log backs what the sidecar says. That it was forged does not follow: the log \
                that it was taken from may be gone.",
            next: "Look for another log: copies, `events.jsonl.aside-…`, `log_continued` on line 1. Without one, take \
                the sidecar away and rehearse.",
        }
        SidecarUnreadable {
            means: "The sidecar says nothing that can be compared. It cannot be opened, is not one JSON object, has no \
                string `schema_version`, or lacks a member or has one of another kind.",
            arises: "It was cut short by a full disk or by hand, or edited with an error. A member that stands twice \
                counts, too: a lenient reader would see the second, another the first.",
            concludes: "No verdict is touched, since none rests on it. That it would match if it were whole does not \
                follow, so a log beside it is not `verified`. A tool that reads it may stop, or read something else.",
            next: "The message says what is wrong. Rehearse again, which writes it anew; or take it away, if nothing \
                depends on it.",
        }
        SidecarUnsupported {
            means: "The sidecar is of a schema that this version does not know. It was not compared.",
            arises: "A newer release tool wrote it. Somebody who edits `schema_version` keeps the rest from being \
                compared.",
            concludes: "Nothing about what it says. The verdicts stand, since none rests on it; the log is not \
                `verified` while it is not compared.",
            next: "Audit with a version that knows the schema. `--no-sidecar` leaves it out, and the report then says \
                that it was not checked.",
        }
        SidecarBehind {
            means: "The sidecar equals an earlier completed rehearsal of this log, not the latest.",
            arises: "The latest rehearsal could not write it, for want of space or rights: the shipper tool only warns \
                then. Somebody put back the one of an older, passing rehearsal. Or a rehearsal was completed while \
                this audit ran, which reads the sidecar first.",
            concludes: "It tells of something that did happen and no longer counts. A tool that decides by it may pass \
                a plan whose latest rehearsal failed. Whether it was put back on purpose is not shown.",
            next: "See what the latest rehearsal says in the report. If it did not pass, look for runs after it. \
                Rehearse again, which writes the sidecar anew.",
        }
    }
}
