//! The text of the file README in a bundle.

use std::borrow::Cow;

use shipper_core::audit::AuditOptions;
use shipper_events::Timestamp;

use super::format::Member;

/// Returns the text, one page. `verify_time` is the time of `--verify-time`.
pub(super) fn readme(members: &[Member], demand: &AuditOptions, verify_time: Option<&Timestamp>) -> String {
    let files: String = members.iter().filter_map(|member| description(*member)).collect();
    let index =
        if members.contains(&Member::Index(1)) { "  index/          files of the registry's index\n" } else { "" };
    let command = command(members, demand, verify_time);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "\
Audit of the log of a publish gate
==================================

shipper-replay {version} wrote this archive with --bundle. It has one audit, and
the bytes that the audit read:

{files}{index}
Check the files, without our program:

  tar xf BUNDLE.tar
  cd shipper-bundle
  sha256sum -c SHA256SUMS

Repeat the audit of the sender, in this directory:

  {command}

Judge the log with your own options:

  shipper-replay --registry NAME --policy YOUR-POLICY.toml BUNDLE.tar

That command checks the sums first. It compares the log with the files in the
archive, but takes registry, policy and signers only from the command line.

The sums show damage. They do not show who made the archive: to know that, check
a signature of the archive or of a head of the log. If head.sig is here, use a
list of signers that you trust:

  shipper-replay --signed-head shipper-bundle/head \\
      --allowed-signers YOUR-SIGNERS BUNDLE.tar

statement.json is not signed.
"
    )
}

/// Returns the line about a file; `None` for those of an index.
fn description(member: Member) -> Option<String> {
    let what = match member {
        Member::Index(_) => return None,
        Member::Readme => "this page",
        Member::Sums => "the SHA-256 of every other file",
        Member::Log => "the log",
        Member::GzipLog | Member::ZstdLog => "the log, compressed as it was",
        Member::Repairing => "a marker: a repair was interrupted",
        Member::Unsynced => "a marker: a sync of the log failed",
        Member::Sidecar => "the sidecar",
        Member::State | Member::Receipt => "a file of the packet",
        Member::Head => "the signed head",
        Member::Signature => "its signature",
        Member::Signers => "the signers that the sender accepts",
        Member::Policy => "the policy of the sender",
        Member::Report => "the report of the sender",
        Member::Statement => "the statement of the sender",
    };
    Some(format!("  {:<15} {what}\n", member.name()))
}

/// Returns the command that repeats the audit in the directory of the files.
fn command(members: &[Member], demand: &AuditOptions, verify_time: Option<&Timestamp>) -> String {
    let has = |member, value: &str| members.contains(&member).then(|| value.to_owned());
    let extends = demand.extends.filter(|_| demand.head_signer.is_none());
    // With --at, no file beside the log is compared by default.
    let at = |member, value: &str| has(member, value).filter(|_| demand.at.is_some());
    let options = [
        ("--registry", demand.registry.as_ref().map(ToString::to_string)),
        ("--plan-id", demand.plan_id.as_ref().map(ToString::to_string)),
        ("--at", demand.at.as_ref().map(ToString::to_string)),
        ("--since", demand.since.map(|head| head.to_string())),
        ("--extends", extends.map(|head| head.to_string())),
        ("--signed-head", has(Member::Head, "head")),
        ("--allowed-signers", has(Member::Signers, "allowed_signers")),
        ("--verify-time", verify_time.map(ToString::to_string)),
        ("--policy", has(Member::Policy, "policy.toml")),
        ("--accept", demand.accept_list()),
        ("--acknowledge-earlier", demand.acknowledge_earlier.map(|head| head.to_string())),
        ("--sidecar", at(Member::Sidecar, "rehearsal.json")),
        ("--packet", at(Member::State, ".").or_else(|| at(Member::Receipt, "."))),
        ("--index", has(Member::Index(1), "index")),
    ];
    let mut words = vec!["shipper-replay".to_owned()];
    words.extend(demand.strict.then(|| "--strict".to_owned()));
    for (option, value) in options {
        words.extend(value.into_iter().flat_map(|value| [option.to_owned(), quoted(&value)]));
    }
    words.extend(members.iter().filter(|member| member.is_log()).map(|member| member.name()));
    words.join(" ")
}

/// Quotes a word for a shell. A name with a NUL, which no command line can have, stays as it is.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Cow::into_owned)
}
