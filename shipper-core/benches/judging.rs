//! Measures the fold, the audit and the gate: `cargo bench -p shipper-core --bench judging`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run stops at once")]
#![allow(missing_docs, reason = "criterion's macros write functions")]

use std::hint::black_box;

use camino::Utf8PathBuf;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use shipper_core::audit::{AuditOptions, SidecarInput, audit_reader};
use shipper_core::{GateQuery, GateState, SkipRequest, ask_gate, evaluate};
use shipper_events::write::{FsStorage, LockOptions};
use shipper_events::{EventReader, LogEntry};

const LOG: usize = 8 << 20;

fn query() -> GateQuery {
    let (plan_id, registry) = ("p".parse().expect("a name"), "rehearsal".parse().expect("a name"));
    GateQuery::new(plan_id, Some(registry))
}

/// Measures the fold and the evaluation of events in memory.
fn folding(criterion: &mut Criterion) {
    let log = shipper_testkit::sample_log::sample_log(LOG / 8);
    let entries: Vec<LogEntry> = EventReader::new(&log[..]).collect::<Result<_, _>>().expect("events");
    let state: GateState = entries.iter().collect();
    let mut group = criterion.benchmark_group("fold");
    group.throughput(Throughput::Elements(entries.len() as u64));
    group.bench_function("evolve", |bench| bench.iter(|| black_box(&entries).iter().collect::<GateState>()));
    group.throughput(Throughput::Elements(1));
    group.bench_function("evaluate", |bench| bench.iter(|| evaluate(black_box(&state), &query())));
    group.finish();
}

fn auditing(criterion: &mut Criterion) {
    let log = shipper_testkit::sample_log::sample_log(LOG);
    let chained = shipper_testkit::sample_log::chain(&log);
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(20);
    for (name, log) in [("unchained", &log), ("chained", &chained)] {
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_function(format!("{name}, one thread"), |bench| {
            bench.iter(|| {
                audit_reader(&black_box(log)[..], SidecarInput::NotRequested, &AuditOptions::default())
                    .expect("an audit")
            });
        });
    }
    group.finish();
}

/// Measures the whole gate: open, verify, fold, evaluate, append, sync.
fn asking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gate");
    group.sample_size(10);
    for bytes in [0, LOG / 8, LOG] {
        let sample = if bytes == 0 { Vec::new() } else { shipper_testkit::sample_log::sample_log(bytes) };
        let log = shipper_testkit::sample_log::chain(&sample);
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_function(format!("a log of {} KiB", log.len() / 1024), |bench| {
            let fresh = || {
                let directory = tempfile::tempdir().expect("a directory");
                std::fs::write(directory.path().join("events.jsonl"), &log).expect("a log");
                directory
            };
            let ask = |directory: tempfile::TempDir| {
                let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
                let answer =
                    ask_gate(FsStorage, &path, &query(), &SkipRequest::default(), None, LockOptions::default());
                assert!(answer.expect("an answer").line().is_some(), "it was recorded");
                directory
            };
            bench.iter_batched(fresh, ask, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, folding, auditing, asking);
criterion_main!(benches);
