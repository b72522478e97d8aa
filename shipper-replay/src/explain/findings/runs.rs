//! Findings about runs: attempts to publish for real.

use shipper_core::audit::FindingCode;

use crate::explain::{Entry, Group, Subject};

explained! {
    /// What was found about runs.
    RUNS: Finding(FindingCode), "Findings about runs",
    "`findings[].code`, at the `plan_created` with which a run begins, or at what was published outside every run. A \
     run published, or tried to, when a package was attempted, uploaded or published in it" {
        GateNotFound {
            means: "A run names a decision that does not stand before it. Its `gate` is not the line of an earlier \
                recorded decision of its plan. It then takes none, and is judged as a decision of its own, asked just \
                before it.",
            arises: "A tool got the line number wrong, or took it from another log; the log was moved aside between \
                asking and running; a line before it was removed, so that the numbers moved. Or a run was made to look \
                authorized.",
            concludes: "It is not shown which permission the run went by, if any. It is `violated` even if the \
                rehearsal would have let it go, and even if it published nothing. Whether the gate was asked elsewhere \
                is not shown either.",
            next: "Look at what stands on that line: `sed -n LINEp events.jsonl`. A tool puts the line that the gate's \
                answer gives it into its `plan_created`; mend the one that does not.",
        }
        PublishedDespiteRefusal {
            means: "A run published, or tried to, although the gate had refused. It took a recorded refusal; or it \
                took an earlier permission although a refusal of the same plan and registry was recorded since, and \
                just before the run the gate would still refuse.",
            arises: "A release script does not look at the gate's answer, or goes on after an error. Somebody \
                published by hand. A run names an old permission in `gate` to get past a new refusal.",
            concludes: "The gate said no, this was on record, and at least one package was attempted all the same. How \
                much arrived is told by the counts of the run, not by this code; that somebody meant to do it is not \
                shown.",
            next: "The message gives the line of the refusal, and its reasons if the run took it. See on the live \
                registry what arrived, find out what started the run, and make it stop at every answer that is no \
                permission.",
        }
        DecisionOutdated {
            means: "A run published, or tried to, on an authorization that no longer held. Asked again just before the \
                run, the gate would refuse; and since it answered, a rehearsal of the same plan and registry was \
                completed without passing soundly, or is open with a failure, or an unknown gate event came.",
            arises: "The gate was asked, the plan was rehearsed once more and failed, and the run went on with the old \
                answer: a long wait between asking and running, or a resumption days later. Somebody who keeps an old \
                answer to use it later does just that.",
            concludes: "This speaks against the run and not against the answer, which was given before the change. A \
                rehearsal of another plan in between does not outdate an answer. That whoever ran it knew of the \
                change is not shown.",
            next: "The message says what would refuse; `shipper-replay --timeline --plan-id ID events.jsonl` shows \
                what changed between the answer and the run. Ask right before every run, resumptions included.",
        }
        UngatedPublish {
            means: "A run published, or tried to, without a decision, and the gate would have refused. This log knows \
                a gate that was asked before, perhaps about another plan.",
            arises: "Somebody ran the shipper tool by hand where a pipeline asks the gate, or a script asks for some \
                plans only. Who knows that the gate would refuse need not ask it.",
            concludes: "The run went round the gate, and the evidence at hand spoke against it. That somebody was told \
                so does not follow: nobody asked. Whether it was meant is not shown.",
            next: "The message gives the reasons. Find out what started the run and take away its means to publish \
                without the gate; look at what arrived on the live registry.",
        }
        PublishNotAuthorized {
            means: "A run published, or tried to, and the gate would have refused; nobody had asked it in this log. It \
                is said when a registry is demanded, or when another reason than `no-rehearsal` and `stale-plan` \
                holds: the rehearsal itself speaks against the run.",
            arises: "The shipper tool's own gate decides by two fields of `rehearsal.json`, `plan_id` and `passed`, \
                and never reads the log. It lets pass a sidecar that was edited, one that outlived a failed rehearsal, \
                one of another registry, and one of two rehearsals at once. With `--skip-rehearsal` it lets everything \
                pass and writes no line about it.",
            concludes: "By the events of this log the plan should not have been published. That somebody cheated does \
                not follow: a skip that was agreed upon looks the same in these logs. Where only `no-rehearsal` or \
                `stale-plan` holds, it is an error for no other cause than the demanded registry.",
            next: "Explain each reason in the message with `--explain`. Ask who let the run go, and whether a skip was \
                agreed; look at the sidecar's row. If a demand brought this up, see whether it stays without \
                `--registry`.",
        }
        NotWhatWasRehearsed {
            means: "An authorized run is not what its permission was given for. It set out to publish another number \
                of packages than were rehearsed, or published, or tried to, a package that the rehearsal did not \
                publish. It is said once a run, and only if the run published or tried to.",
            arises: "A tool reuses one `plan_id` for another set of packages, or a package was added between rehearsal \
                and run. The shipper tool makes the `plan_id` from the packages and versions, so with it this means an \
                edited log or another writer. Somebody may use the permission of a rehearsed plan for another package.",
            concludes: "At least one thing differs, the first that was met; there may be more. Names and versions are \
                compared, never contents. A run that publishes less is not accused: packages that are there already \
                are skipped.",
            next: "Compare the `rehearsal_package_published` lines before the receipt with the packages of the run, \
                and look on the live registry at what was not rehearsed.",
        }
        PublishOutsideRun {
            means: "A package was attempted, uploaded or published outside every run. It is said at the first such \
                event between two runs.",
            arises: "The `plan_created` of the run was removed. Or two runs were at work in one log at once: the end \
                of one, or its beginning, ends the other, whose events then stand outside. Or a tool went on after its \
                `execution_finished`.",
            concludes: "No decision covers these events. Which plan they belong to, and whether it was allowed, is not \
                in the log; that it was not allowed does not follow.",
            next: "Look at the lines before it for the end of a run and for a second one. Compare the packages with \
                those of the nearest runs, and the log with a copy: a missing `plan_created` is the way to hide a run.",
        }
        UnprovenPublish {
            means: "Nothing contradicts a run, and no rehearsal backs it. It is said at each run of a decision that is \
                `unproven`.",
            arises: "No rehearsal registry was configured, or the gate was skipped. In logs of the shipper tool: the \
                plan was not rehearsed in this log, and a skip leaves no line. A run that would have been refused and \
                published nothing counts here, too, if nothing was recorded about it.",
            concludes: "The run rests on no rehearsal. There may be a passing one all the same, here or in another \
                log: a gate that is dormant or skipped looks at none. No rule that the log knows of was broken, and \
                the packages may be good.",
            next: "Ask why. `shipper-replay --at LINE --plan-id ID events.jsonl`, with the line before the run, shows \
                under `gate now` whether a rehearsal would have backed it. Where rehearsing is the rule, demand it: \
                with `--registry NAME` a publish without one is an error, unless a skip under that registry was \
                recorded; with `--strict` this finding is one.",
        }
        GateNotAskedAgain {
            means: "A run took no recorded decision, and the rehearsal would have let it go. The gate had been asked \
                in this log before, about this plan or another.",
            arises: "A run of the plan had succeeded, which uses an answer up, and the plan was published again. After \
                a refusal somebody rehearsed, as told, and did not ask again. A plan was published about which the \
                gate was never asked. The run names a decision that is not there.",
            concludes: "The evidence for the run was there when it began, and its decision is `verified` if nothing \
                else is found. What is missing is the question: had something changed meanwhile, nobody would have \
                been told.",
            next: "Ask the gate right before every run, and name its answer in `plan_created` as `gate`.",
        }
        RehearsalUnfinished {
            means: "A rehearsal of the plan stands open before a run. It was started and not completed.",
            arises: "The rehearsal was killed, or it stopped on an error before it could say how it ended. It may be \
                at work still. Who sees a rehearsal going to fail can kill it before it says so, and the older, \
                passing receipt stays the latest.",
            concludes: "How it would have ended is not known. An open rehearsal without a failure refuses nothing: the \
                gate rests on the receipt before it, if there is one. One with a failure, on the registry that is \
                asked about, does refuse.",
            next: "Find out how that rehearsal ended, for example in the log of its CI job. Rehearse to the end before \
                the next run.",
        }
        SharedAuthority {
            means: "A run and the rehearsal that its permission rests on name the same host, for credentials or for \
                the index.",
            arises: "The rehearsal registry was configured with the address of the live one: the shipper tool only \
                sees to it that the two names differ. The rehearsal then publishes for real, and the run finds \
                everything there and skips it. Harmless: two registries behind one host.",
            concludes: "It is a hint that nothing was rehearsed before it was live, and no proof. Without this finding \
                two names may still lead to one registry, by two addresses.",
            next: "Compare the addresses of the two registries in the tool's configuration. A run that published \
                nothing and skipped everything (its counts are in the report) makes the hint a strong one.",
        }
    }
}
