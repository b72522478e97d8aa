//! How fast a log is read: `cargo bench -p shipper-events --bench reading`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run stops at once")]
#![allow(missing_docs, reason = "criterion's macros write functions")]

use std::hint::black_box;
use std::io;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shipper_events::{
    EventReader, EventType, Follower, HeadHasher, Piece, Regard, parse_line, scan, survey, survey_stream,
};

const LOG: usize = 8 << 20;

/// What an audit wants, nearly: few are built.
fn regard(type_name: &str) -> Regard<()> {
    let whole = type_name.starts_with("rehearsal_") || type_name == "plan_created" || !EventType::is_known(type_name);
    if whole { Regard::Whole } else { Regard::Quiet }
}

/// From bytes to lines, to checked lines, to events.
fn scanning(criterion: &mut Criterion) {
    let log = shipper_testkit::sample_log::sample_log(LOG);
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(log.len() as u64)).sample_size(20);
    group.bench_function("lines", |bench| bench.iter(|| scan(black_box(&log)).0.count()));
    group.bench_function("survey, one thread", |bench| bench.iter(|| survey(black_box(&log), regard).lines()));
    group.bench_function("survey, all threads", |bench| {
        bench.iter(|| {
            let (mut rest, mut lines) = (black_box(&log[..]), 0);
            let read = |buffer: &mut [u8]| io::Read::read(&mut rest, buffer);
            let taken = survey_stream(read, regard, |piece| {
                if let Piece::Lines(block) = piece {
                    lines += block.lines();
                }
                Ok::<(), io::Error>(())
            });
            taken.expect("nothing fails");
            lines
        });
    });
    group.bench_function("line by line", |bench| {
        bench.iter(|| scan(black_box(&log)).0.filter(|line| parse_line(line).is_ok()).count());
    });
    group.bench_function("every event built", |bench| {
        bench.iter(|| EventReader::new(black_box(&log[..])).filter(Result::is_ok).count());
    });
    group.finish();
}

/// Links and heads.
fn chaining(criterion: &mut Criterion) {
    let log = shipper_testkit::sample_log::sample_log(LOG);
    let chained = shipper_testkit::sample_log::chain(&log);
    let mut group = criterion.benchmark_group("chain");
    group.sample_size(20);
    for (name, log) in [("unchained", &log), ("chained", &chained)] {
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_function(format!("survey and follow, {name}"), |bench| {
            bench.iter(|| {
                let mut follower = Follower::new();
                let taken = follower.take(survey(black_box(log), regard), |seen, _| {
                    if seen.followed.breaks.is_empty() { Ok(()) } else { Err(seen) }
                });
                taken.expect("the chain is whole");
                follower.head()
            });
        });
    }
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("head, line by line", |bench| {
        bench.iter(|| {
            let mut prefix = HeadHasher::new();
            scan(black_box(&log)).0.for_each(|line| prefix.push_line(line));
            prefix.head()
        });
    });
    group.finish();
}

criterion_group!(benches, scanning, chaining);
criterion_main!(benches);
