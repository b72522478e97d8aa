//! The reasons for which the gate refuses.

use shipper_core::RefusalCode;

use super::{Entry, Group, Subject};

explained! {
    every
    /// Why the gate refuses.
    REASONS: Reason(RefusalCode), "Reasons to refuse",
    "`gate.reasons`, `decisions[].derived.reasons` and `.recorded.reasons`, and in the messages of findings. Every \
     reason that holds is given, in this order" {
        NoRehearsal {
            means: "No rehearsal was completed in this log before the question.",
            arises: "Nobody rehearsed; or it was done in another state directory, or in a log that was deleted or \
                moved aside since. A rehearsal that was begun and never completed does not count.",
            concludes: "There is no evidence in this log, neither for the plan nor against it. That the plan was not \
                rehearsed anywhere does not follow.",
            next: "Rehearse this plan on this registry. If you expected a rehearsal here, check that it is the right \
                log: `head -n 1 events.jsonl`, where `log_continued` names an older one.",
        }
        StalePlan {
            means: "The latest completed rehearsal is of another plan. Nothing else is read from it.",
            arises: "A version was bumped or a package added after the rehearsal, which gives a new `plan_id`. Or two \
                plans are rehearsed in turn in one log: only the latest completed rehearsal counts.",
            concludes: "This plan was not the last to be rehearsed. It may have passed before that, and the other may \
                have failed: neither counts here.",
            next: "Rehearse this plan on this registry, and publish it before anything else is rehearsed in this log.",
        }
        RegistryMismatch {
            means: "The latest completed rehearsal is of this plan and ran on another registry than the one asked \
                about.",
            arises: "The rehearsal registry was changed in the configuration, or named otherwise on the command line: \
                the shipper tool's gate does not compare it. Or `--registry` was mistyped. Whoever rehearses where \
                everything passes is caught by this.",
            concludes: "The two names differ, byte for byte. Two names may be one registry, and one name two; \
                addresses are not compared.",
            next: "Make sure of the configured name. Rehearse this plan on that registry.",
        }
        RehearsalFailed {
            means: "The latest completed rehearsal is of this plan and did not pass, or one of this plan and registry \
                is open with a failure.",
            arises: "A package could not be published to the rehearsal registry, or could not be installed from it. \
                One cause is a registry that still holds the version from an earlier rehearsal.",
            concludes: "The plan failed its last test. That it would fail live is not shown, and an earlier pass no \
                longer counts.",
            next: "Read the `rehearsal_package_failed` or `rehearsal_smoke_check_failed` line before it. Mend the \
                cause, empty the rehearsal registry if it must be, and rehearse this plan on this registry again.",
        }
        UnsoundEvidence {
            means: "The latest completed rehearsal is of this plan and says that it passed, and its own events do not \
                bear it out. The flaws stand beside it.",
            arises: "Two rehearsals ran at once and mixed their events; lines were lost; or somebody edited `passed` \
                to true in the log and left the rest.",
            concludes: "That pass proves nothing. That the rehearsal failed does not follow: each flaw has harmless \
                causes, too.",
            next: "Explain the flaw, and look at the lines between start and completion. Rehearse this plan on this \
                registry again, one rehearsal at a time.",
        }
        UnknownGateEvent {
            means: "An event stands in the log that this version does not know and that a newer one may have meant for \
                the gate. Its type begins with `rehearsal_` or `gate_`.",
            arises: "A newer tool wrote it, inside the latest completed rehearsal or after it; or somebody wrote it to \
                block a release.",
            concludes: "The gate cannot tell whether this should refuse, so it does. It holds for every plan, not only \
                for that of the rehearsal in which it stands.",
            next: "Use a version that knows the type. Otherwise read the line, and rehearse from start to end once \
                more: a completed rehearsal forgets what stood before its start.",
        }
        UntrustedLog {
            means: "The log is torn, corrupt or broken, or a head that was given does not fit, so nothing is decided \
                on it. It is always the only reason.",
            arises: "Whatever makes the integrity `broken` or the tail `torn`. The gate itself says it, too, when it \
                is asked on such a log, and then records nothing; it also does so where a repair was cut short or a \
                sync failed, which stands beside the log and not in it.",
            concludes: "Nothing about the plan. The receipt in the report may be perfectly good and is not looked at. \
                If it is due to a head given by flag, the gate would not refuse for it unless it is given the same.",
            next: "See to what is wrong with the log; the findings say it. A torn tail is repaired by the next \
                rehearsal that this project records; a corrupt or broken log is moved aside and continued by a new \
                one.",
        }
    }
}
