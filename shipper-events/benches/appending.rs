//! Measures durable appends: `cargo bench -p shipper-events --bench appending`. The disk of the temporary directory
//! determines the time, so compare it only with the bare loop.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run stops at once")]
#![allow(missing_docs, reason = "criterion's macros write functions")]

use std::io::Write;

use camino::Utf8PathBuf;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shipper_events::write::{FsStorage, LogWriter, NewEvent, WriterOptions};

const BATCH: usize = 100;

fn appending(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| Utf8PathBuf::try_from(directory.path().join(name)).expect("UTF-8");
    let draft: NewEvent = r#"{"event_type":{"type":"readiness_poll","attempt":1,"visible":true},"package":"a@0.1.0"}"#
        .parse()
        .expect("a draft");
    let mut log = LogWriter::open(FsStorage, &path("events.jsonl"), WriterOptions::default(), ()).expect("a log");
    let mut group = criterion.benchmark_group("append");
    group.sample_size(20).throughput(Throughput::Elements(1));
    let mut bare = std::fs::OpenOptions::new().create(true).append(true).open(path("bare")).expect("a file");
    let line = [b'x'; 220];
    group.bench_function("bare write and fdatasync", |bench| {
        bench.iter(|| {
            bare.write_all(&line).expect("written");
            bare.sync_data().expect("synced");
        });
    });
    group.bench_function("one event", |bench| {
        bench.iter(|| log.append(std::slice::from_ref(&draft)).expect("appended"));
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    let batch = vec![draft; BATCH];
    group.bench_function("a batch of 100 events", |bench| bench.iter(|| log.append(&batch).expect("appended")));
    group.finish();
}

criterion_group!(benches, appending);
criterion_main!(benches);
