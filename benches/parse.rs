//! How fast lines become chunks: claude's dialect, by shape of line.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use locus_exec::agent::{AgentOptions, Signal, Sink, agent_named};
use locus_exec::stream::Chunk;

mod shapes;

const NOW: u64 = 1_700_000_000_000;

struct BlackBox;

impl Sink for BlackBox {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        black_box(chunk);
    }

    fn signal(&mut self, signal: Signal) {
        black_box(signal);
    }
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for shape in shapes::SHAPES {
        let line = shape.line();
        let line = line.trim_ascii_end();
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(shape.name, |bencher| {
            let mut dialect = agent_named("claude")
                .expect("claude is known")
                .dialect(&AgentOptions::default())
                .expect("a dialect");
            bencher.iter(|| dialect.decode(black_box(line), NOW, &mut BlackBox));
        });
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
