//! Conclusions, the statuses of decisions, and why one is unproven.

use shipper_core::audit::{Conclusion, DecisionStatus, UnprovenCause};

use super::{Entry, Group, Subject};

explained! {
    every
    /// What is concluded of a log.
    CONCLUSIONS: Conclusion(Conclusion), "Conclusions",
    "`conclusion`, of a log and over all logs, and the exit status of the program, unless `--require` is given. The \
     first that holds counts, in this order" {
        Violated {
            means: "Something in the log is wrong: there is a finding of level `error` other than `unknown-rules`.",
            arises: "A package was published against the gate, a recorded decision is false, the bytes were changed or \
                cannot be read, or the sidecar says what no event bears out. Under `--strict` every warning does it.",
            concludes: "At least one thing is as its finding says. What else the log holds is judged all the same, so \
                single decisions may be `verified`. That somebody meant harm is never shown by a log.",
            next: "Explain the codes of the errors, `shipper-replay --explain CODE`, first the one with the lowest \
                line.",
        }
        Unjudged {
            means: "Something could not be judged, and nothing that was judged is wrong. A decision was made under \
                rules that this version does not know; or a log cannot be read, or the program could not do what it \
                was told.",
            arises: "The log is from a newer gate. The path is wrong, or the file may not be read. An option was \
                wrong, or the disk for the report was full: then there is no report, and the exit status is all.",
            concludes: "Nothing about what was not judged. It is no milder form of `verified`.",
            next: "Read the error or the row of the log. Use a version that knows the rules, or mend path and options, \
                and audit again.",
        }
        Inconclusive {
            means: "Nothing in the log is wrong, and something is not proven. A decision is `unproven` or `permitted`, \
                the tail is torn, the sidecar is `orphan`, `unreadable` or `unsupported`, or there is no decision at \
                all.",
            arises: "A plan was published without a rehearsal, or may be. A writer died. Nothing was published or \
                asked yet: a log in which the shipper tool only refused to publish is such a one, because it writes no \
                line about that. A directory holds no log, or a demand such as `--plan-id` left nothing to judge.",
            concludes: "No contradiction was found in what was read. Good is not shown either: nothing checked is \
                never a success.",
            next: "The first line of the report says why. Where it was a publish, somebody should say why there was no \
                rehearsal; where nothing was decided, check that this is the log that you meant.",
        }
        Verified {
            means: "Every decision in the log is confirmed by the events before it, and none of them let a plan pass \
                without a rehearsal. There is at least one decision, and no error, no torn tail, and no sidecar that \
                cannot be compared.",
            arises: "Plans were rehearsed, and published as rehearsed. Or the gate only gave answers: refusals that \
                were heeded, authorizations that no run took yet. Or somebody rewrote the whole log so that it fits.",
            concludes: "Each run that published anything, or tried to, was preceded by a completed, passing, sound \
                rehearsal of its `plan_id`, which held every such package and as many as the run set out to publish, \
                as far as `--plan-id`, `--at` and `--since` left it in. Not shown: that the lines are true, that the \
                registry was the configured one (`--registry`), that nothing was cut off or rewritten (`--extends`), \
                what was in the packages, and that nothing was published without a line.",
            next: "Read `unchecked` in the report, and give what is missing there. Whether a plan may be published now \
                is another question, which `gate now` answers; `shipper-replay --require authorized --plan-id ID \
                --registry NAME events.jsonl` says it by the exit status.",
        }
    }
}

explained! {
    every
    /// What is concluded of a decision.
    STATUSES: Status(DecisionStatus), "Statuses of decisions",
    "`decisions[].status`. A decision is one question put to the gate: a `gate_evaluated` line, or a run that took \
     none, asked about just before it. The first that holds counts, in this order" {
        Violated {
            means: "An error was found about the decision, or about one of the runs that took it.",
            arises: "The recorded answer is not what the events give; or a run published against the answer, without \
                one, or otherwise than was rehearsed.",
            concludes: "What the finding at the line of the decision or of its run says. One bad run makes the \
                decision violated, while other runs of it may be as they should.",
            next: "Look for the errors at its line and at the lines of its runs, and explain their codes.",
        }
        Unjudged {
            means: "The decision was made under rules that this version does not know.",
            arises: "A newer gate made it; or the line was made up. `unknown-rules` stands at its line.",
            concludes: "Nothing about it or its runs. Registry and verdict are left out on purpose: only the rules and \
                the plan were read.",
            next: "Audit with a version that knows the rules.",
        }
        Unproven {
            means: "A run took the decision, nothing contradicts it, and no rehearsal backs it. `because` says why: \
                `dormant`, `bypassed` or `unrecorded`.",
            arises: "No rehearsal registry was configured, somebody skipped the gate, or a run went on in a log \
                without a rehearsal of its plan.",
            concludes: "The run rests on no rehearsal. A passing one may stand in the log all the same: a gate that is \
                dormant or bypassed looks at none. No rule was broken that the log knows of, and the packages may be \
                good.",
            next: "Ask whoever ran it, and rehearse before the next run. `--registry NAME` shows whether a rule of \
                yours was broken.",
        }
        Permitted {
            means: "The gate was dormant or bypassed, which was recorded and is confirmed, and no run took that \
                answer.",
            arises: "Somebody asked without a rehearsal registry, or with a skip, and did not publish, or not yet.",
            concludes: "The way is open for a run without a rehearsal. Nothing was published on it in this log.",
            next: "If no run is to come of it, ask why it was asked for. Audit again after the next run.",
        }
        Verified {
            means: "The plan was authorized, the events confirm it, and a run went on it. The decision was recorded, \
                or it is the run's own.",
            arises: "A rehearsal passed, and the plan was published. For logs of the shipper tool this is a question \
                that nobody asked at the time: this program asks it, just before the run.",
            concludes: "The rehearsal on `receipt_line` is of this plan, passed, and is sound, and holds every package \
                that the run published or tried to. A run that did neither is not compared with it. That the registry \
                is the configured one is shown only under `--registry`.",
            next: "Nothing. With `--registry NAME` the registry is no longer the log's own word.",
        }
        Authorized {
            means: "The gate authorized the plan, which was recorded and is confirmed, and no run took that answer.",
            arises: "The gate was asked before the publish, and the publish did not begin, is yet to come, wrote to \
                another log, or wrote no line.",
            concludes: "The plan might have been published when it was asked. That it still may is not said: see `gate \
                now`.",
            next: "Audit again after the run. If the packages are live and no run stands here, find out what published \
                them.",
        }
        Refused {
            means: "The gate refused the plan, which was recorded and is confirmed, and no run published on it or \
                tried to.",
            arises: "The rehearsal was missing, failed or did not fit, and whoever asked stopped there, as they \
                should.",
            concludes: "The gate did its work, and nothing in this log was published against it; for the conclusion it \
                counts as confirmed. That nothing was published by other ways is not shown.",
            next: "The reasons stand beside it: `shipper-replay --explain REASON`.",
        }
    }
}

explained! {
    every
    /// Why a decision is unproven.
    BECAUSE: Because(UnprovenCause), "Why a decision is unproven", "`decisions[].because`" {
        Dormant {
            means: "The gate was recorded as dormant: no rehearsal registry was configured when it was asked.",
            arises: "A project never set one up, or it was taken out of the configuration, for the sake of one release \
                or for good.",
            concludes: "Nobody expected a rehearsal there. That the configuration was meant so is not shown.",
            next: "Ask whether there should be one. `--registry NAME` makes it `registry-not-demanded`, an error.",
        }
        Bypassed {
            means: "The gate was recorded as bypassed: somebody asked for the skip.",
            arises: "A release that could not wait, or somebody who knew that the gate would refuse.",
            concludes: "A person answers for the run. What the gate would have said without the skip is not in the \
                decision.",
            next: "`gate-bypassed` at the decision's line names who and why. `shipper-replay --at LINE --plan-id ID \
                --registry NAME events.jsonl`, with the line before it, shows under `gate now` what the gate would \
                have said.",
        }
        Unrecorded {
            means: "Nothing was recorded that would explain the run. It took no recorded decision, the gate would have \
                refused, and no error holds.",
            arises: "A log of the shipper tool with no rehearsal of the plan in it: its gate was dormant, skipped, or \
                satisfied by a sidecar that no event backs, and in each case it writes no line. Or the run published \
                nothing and tried nothing.",
            concludes: "Whether the gate was off, was skipped or was deceived, this log does not tell.",
            next: "Look at the sidecar's row: `orphan` points to a forged or lost rehearsal. Ask how the tool was \
                called, and look for `--skip-rehearsal` in the job's log.",
        }
    }
}
