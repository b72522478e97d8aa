//! What the evidence of a receipt is worth, and why.

use shipper_core::fold::{Evidence, EvidenceFlaw};

use super::{Entry, Group, Subject};

explained! {
    every
    /// What the evidence is worth.
    EVIDENCE: Evidence(Evidence), "Evidence of a receipt",
    "`receipt.evidence`. The receipt is the outcome of the latest completed rehearsal" {
        Sound {
            means: "Nothing speaks against what the completion says.",
            arises: "The rehearsal began and ended in order, published as many packages as it set out to, none twice, \
                and no failure is told. A rehearsal that says itself that it failed is never called otherwise.",
            concludes: "The word of the completion may be taken, `passed` or not: sound is not the same as passed. The \
                events are taken as they stand, so a careful forger makes a sound one.",
            next: "Nothing.",
        }
        Unsound {
            means: "The completion says that the rehearsal passed, and its own events speak against that.",
            arises: "At least one flaw, which stands in `unsound`: a missing start, a wrong number of packages, a \
                failure, or a package told twice.",
            concludes: "The gate refuses the plan as `unsound-evidence`. Whether the rehearsal did pass is not known.",
            next: "Explain the flaws, and rehearse again, one rehearsal at a time.",
        }
    }
}

explained! {
    every
    /// Why the evidence is worth nothing.
    FLAWS: Flaw(EvidenceFlaw), "Flaws in the evidence of a receipt",
    "`receipt.unsound`, and in the messages about `unsound-evidence`. Only a receipt that says it passed has flaws" {
        CompletionWithoutStart {
            means: "When the rehearsal was completed, none of its plan and registry was open. No other flaw is then \
                looked for.",
            arises: "Two rehearsals ran at once: the completion of the one that started last closed it, and the \
                other's came after. The start was removed, or the log was deleted in the middle. Somebody wrote a \
                completion by hand and nothing else.",
            concludes: "It cannot be said which events belong to this rehearsal, so it counts as one of no packages. \
                That it did not pass does not follow.",
            next: "Look upwards for its `rehearsal_started`, and for a second one between: `shipper-replay --timeline \
                events.jsonl` shows what was open. Rehearse again, alone.",
        }
        PackageCountMismatch {
            means: "The rehearsal published another number of packages than it set out to.",
            arises: "A rehearsal stopped early and was edited to say that it passed. Lines of published packages were \
                removed or lost; or a second rehearsal wrote its own in between.",
            concludes: "It did not rehearse what it set out to, or not all of it is in the log. Packages are counted \
                once each, by name and version; which one is missing is not said.",
            next: "Compare `package_count` in its `rehearsal_started` with the `rehearsal_package_published` lines up \
                to its completion. Rehearse again.",
        }
        FailureRecorded {
            means: "A failure is marked in the rehearsal that says it passed. A package or a smoke check failed, or a \
                torn tail was cut off while it was open.",
            arises: "Somebody turned `passed` into true in the log and left the failure. Two rehearsals at once: the \
                failure of one is marked in the other. Or a writer died in the middle, and a lost line may have told \
                of a failure.",
            concludes: "A failure was told between start and completion. Whose it was is not always clear, and what a \
                repaired tail told is not known.",
            next: "Look for `rehearsal_package_failed`, `rehearsal_smoke_check_failed` or `tail_repaired` before the \
                completion. Mend the cause, and rehearse again.",
        }
        DuplicatePackage {
            means: "A package is told as published twice in one rehearsal.",
            arises: "Two rehearsals of one plan at once, on a registry that takes a version twice. A tool that tells \
                of a package again when it tries again. Or a line was copied to make up the number.",
            concludes: "Which of the two lines belongs to this rehearsal is not known, so the number of its packages \
                proves nothing. That a package is missing does not follow.",
            next: "Find the two `rehearsal_package_published` lines and look at what stands between them. Rehearse \
                again, alone.",
        }
    }
}
