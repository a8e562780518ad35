//! How fast bytes become lines.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use locus_exec::stream::FrameDecoder;

mod shapes;

const LINE_LIMIT: usize = 16 * 1024 * 1024;
const STREAM_BYTES: usize = 4 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;

fn frame(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for shape in shapes::SHAPES.iter().filter(|shape| matches!(shape.name, "text" | "result-1mb")) {
        let line = shape.line();
        let stream = line.repeat(STREAM_BYTES / line.len());
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(shape.name, |bencher| {
            bencher.iter(|| {
                let mut decoder = FrameDecoder::new(LINE_LIMIT);
                for read in stream.chunks(READ_BYTES) {
                    decoder.buffer().extend_from_slice(read);
                    while let Some(frame) = decoder.next_frame() {
                        black_box(frame);
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
