//! Measures the reading of a log: `cargo bench -p shipper-events --bench reading`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run stops at once")]
#![allow(missing_docs, reason = "criterion's macros write functions")]

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shipper_events::scan::{Interest, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::{EventKind, EventReader, HeadHasher, parse_line};
use shipper_testkit::lines::split_lines;

const LOG: usize = 8 << 20;

/// A visitor that builds about as few events as an audit does.
struct Audit;

impl LogVisitor for Audit {
    fn interest(&self) -> fn(&str) -> Interest {
        |event_type| {
            let full = event_type.starts_with("rehearsal_") || event_type == "plan_created";
            if full || EventKind::from_name(event_type).is_none() { Interest::Full } else { Interest::Skip }
        }
    }

    fn visit(&mut self, line: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
        assert!(line.errors.is_empty(), "the chain is unbroken");
        ControlFlow::Continue(())
    }
}

/// Measures the steps from bytes to lines, and from lines to events.
fn reading(criterion: &mut Criterion) {
    let log = shipper_testkit::sample_log::sample_log(LOG);
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(log.len() as u64)).sample_size(20);
    group.bench_function("lines", |bench| bench.iter(|| split_lines(black_box(&log)).0.count()));
    group.bench_function("line by line", |bench| {
        bench.iter(|| split_lines(black_box(&log)).0.filter(|line| parse_line(line).is_ok()).count());
    });
    group.bench_function("every event built", |bench| {
        bench.iter(|| EventReader::new(black_box(&log[..])).filter(Result::is_ok).count());
    });
    group.finish();
}

/// Measures the verification of lines, links and heads.
fn scanning(criterion: &mut Criterion) {
    let log = shipper_testkit::sample_log::sample_log(LOG);
    let chained = shipper_testkit::sample_log::chain(&log);
    let mut group = criterion.benchmark_group("scan");
    group.sample_size(20);
    for (name, log) in [("unchained", &log), ("chained", &chained)] {
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_function(format!("{name}, one thread"), |bench| {
            bench.iter(|| {
                let mut scanner = LogScanner::new();
                assert!(scanner.feed(black_box(log), &mut Audit).is_continue());
                scanner.head()
            });
        });
        group.bench_function(format!("{name}, all threads"), |bench| {
            bench.iter(|| {
                let mut scanner = LogScanner::new();
                let ended = scanner.read_to_end(black_box(&log[..]), &mut Audit).expect("memory can be read");
                assert!(ended.is_continue());
                scanner.head()
            });
        });
    }
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("head, line by line", |bench| {
        bench.iter(|| {
            let mut hasher = HeadHasher::new();
            split_lines(black_box(&log)).0.for_each(|line| hasher.push_line(line));
            hasher.head()
        });
    });
    group.finish();
}

criterion_group!(benches, reading, scanning);
criterion_main!(benches);
