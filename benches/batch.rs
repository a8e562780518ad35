//! How fast events become batches: packed, encoded for V8, and merged in the queue.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use locus_exec::event::{Event, Payload};
use locus_exec::stream::{Batch, Chunk, Packer};

/// As many as a read of 64 KiB brings.
const EVENTS: u64 = 240;
const TEXTS: &[(&str, &str)] = &[("ascii", "function "), ("latin1", "café, naïve "), ("utf16", "日本語 🦀")];
const NOW: u64 = 1_700_000_000_000;

fn pack(packer: &mut Packer, text: &str, first_seq: u64) {
    for seq in first_seq..first_seq + EVENTS {
        let chunk = Chunk::TextDelta { content: text.into(), parent_tool_use_id: None };
        packer.push(&Event { seq, timestamp: NOW, payload: Payload::Chunk(chunk) });
    }
}

fn packed(text: &str, first_seq: u64) -> Packer {
    let mut packer = Packer::default();
    pack(&mut packer, text, first_seq);
    packer
}

fn one_batch(text: &str, first_seq: u64) -> Batch {
    packed(text, first_seq).take().next().expect("events were packed")
}

fn batch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(EVENTS));
    for (name, text) in TEXTS {
        group.bench_function(format!("pack/{name}"), |bencher| {
            bencher.iter_batched_ref(
                || packed(text, 1),
                |packer| pack(packer, black_box(text), 1 + EVENTS),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("encode/{name}"), |bencher| {
            bencher.iter_batched_ref(
                || packed(text, 1),
                |packer| packer.take().for_each(|batch| drop(black_box(batch))),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("append/{name}"), |bencher| {
            bencher.iter_batched(
                || (one_batch(text, 1), one_batch(text, 1 + EVENTS)),
                |(mut last, next)| {
                    last.append(next).expect("there is room");
                    last
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, batch);
criterion_main!(benches);
