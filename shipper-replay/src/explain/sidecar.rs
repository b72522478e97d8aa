//! The statuses of the sidecar.

use shipper_core::audit::SidecarStatus;

use super::{Entry, Group, Subject};

explained! {
    every
    /// What the sidecar is worth.
    SIDECAR_FILE_NAME: Sidecar(SidecarStatus), "Statuses of the sidecar",
    "`sidecar.status`. The sidecar is `rehearsal.json`, the receipt as a file" {
        NotChecked {
            means: "The sidecar was not compared with the log.",
            arises: "`--no-sidecar` was given; the log came from standard input, or `--at` was given, and no \
                `--sidecar` with it; or a corrupt line ended the judging.",
            concludes: "Nothing about it, not even whether there is one.",
            next: "`shipper-replay --sidecar PATH events.jsonl` compares it; with `--at` it is compared with the \
                rehearsals up to that place.",
        }
        Absent {
            means: "There is no sidecar where it was looked for.",
            arises: "No rehearsal was completed in this directory, it could not be written, or it was deleted. The log \
                was copied without it.",
            concludes: "Nothing about the log: the verdicts never rest on it. The shipper tool's gate refuses without \
                one, unless it is dormant or skipped.",
            next: "Nothing, or name another: `--sidecar PATH`.",
        }
        Unreadable {
            means: "The sidecar says nothing that can be compared. See `sidecar-unreadable`, which gives the reason.",
            arises: "It was cut short or damaged, is not one JSON object read as strictly as a line of the log, or \
                lacks a member.",
            concludes: "It neither confirms nor contradicts the log, so the log is not `verified`.",
            next: "Rehearse again, which writes it anew, or take it away.",
        }
        Orphan {
            means: "There is a sidecar, and the log has no completed rehearsal that it could be of.",
            arises: "It was written by hand, or its log is gone. See `sidecar-orphan`.",
            concludes: "The log is not `verified`. That the sidecar is false does not follow; nothing here backs it.",
            next: "Look for the log that it belongs to. Do not publish on it.",
        }
        Unsupported {
            means: "The sidecar is of a schema that this version does not know.",
            arises: "A newer tool wrote it, or its `schema_version` was edited. See `sidecar-unsupported`.",
            concludes: "It was not compared, so the log is not `verified`.",
            next: "Audit with a version that knows the schema.",
        }
        Match {
            means: "The sidecar says what the latest completed rehearsal of the log says, in every field that is \
                compared.",
            arises: "The tool that rehearsed wrote it. Or log and sidecar were edited alike.",
            concludes: "The two agree. It adds no proof to the log: whoever can write the one can mostly write the \
                other. For a rehearsal without a start, counts and start time are not compared.",
            next: "Nothing.",
        }
        Behind {
            means: "The sidecar says what an earlier rehearsal of this log says, not the latest.",
            arises: "The latest could not write it, or an old one was put back. See `sidecar-behind`.",
            concludes: "It is no longer true, and was once. The conclusion of the log does not depend on it.",
            next: "Rehearse again, which writes it anew. Do not decide by it.",
        }
        Drift {
            means: "The sidecar says what no completed rehearsal of this log says.",
            arises: "It or the log was edited, or it is of another log. See `sidecar-drift`.",
            concludes: "The log is `violated` for it, even if every decision is `verified`. Which of the two is false \
                is not shown.",
            next: "Compare the `differences`, each with the value in the sidecar and in the log. Keep both files.",
        }
    }
}
