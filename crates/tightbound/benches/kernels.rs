//! Time every kernel on every path: `cargo bench -p tightbound --features bench --bench kernels`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tightbound::engine::Noise;
use tightbound::engine::cpu::KernelPath;
use tightbound::engine::cpu::bench::{self, Latents};
use tightbound::random::{Purpose, Stream};

/// The products of a group of the reference model: (m, k, n), whether A is transposed, as it is for
/// gradients of weights, and the longest block of k.
const PRODUCTS: [(usize, usize, usize, bool, usize); 6] = [
    (128, 50, 208, false, 72),
    (128, 200, 208, false, 72),
    (128, 200, 784, false, 72),
    (128, 784, 208, false, 208),
    (784, 128, 208, true, 208),
    (200, 128, 208, true, 208),
];

/// `n` numbers in (−1, 1).
fn numbers(n: usize) -> Vec<f32> {
    let stream = Stream::new(1, Purpose::Sampling);
    (0..n).map(|i| 2.0 * stream.uniform(0, 0, 0, i as u32) - 1.0).collect()
}

/// Operations per second, two per multiply-add; divide by the peak that `tightbound bench` prints.
fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    for (m, k, n, transposed, block) in PRODUCTS {
        let (a, b, mut c) = (numbers(m * k), numbers(k * n), vec![0.0; m * n]);
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        for path in KernelPath::available() {
            let shape = format!("{m}x{k}x{n}{}", if transposed { "-transposed" } else { "" });
            group.bench_function(BenchmarkId::new(path.name(), shape), |bencher| {
                bencher.iter(|| {
                    let c = black_box(&mut c);
                    bench::gemm(path, (m, k, n), transposed, block, &a, &b, c);
                });
            });
        }
    }
}

/// Elements per second on 3,136 numbers, which stay in the first-level cache.
fn functions(criterion: &mut Criterion) {
    type Function = fn(KernelPath, &mut [f32]);
    let functions: [(&str, Function); 5] = [
        ("exp", bench::exp),
        ("ln", bench::ln),
        ("tanh", bench::tanh),
        ("softplus", bench::softplus),
        ("sigmoid", bench::sigmoid),
    ];
    // Positive numbers, so that the logarithm has them too.
    let x: Vec<f32> = numbers(3136).iter().map(|x| 1.5 + x).collect();
    let mut out = x.clone();
    for (name, function) in functions {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(x.len() as u64));
        for path in KernelPath::available() {
            group.bench_function(path.name(), |bencher| {
                bencher.iter(|| {
                    out.copy_from_slice(&x);
                    function(path, black_box(&mut out));
                });
            });
        }
    }
}

/// The passes over the rows of one image (64 samples), and over all parameters.
fn passes(criterion: &mut Criterion) {
    const ROWS: usize = 64;
    const PIXELS: usize = 784;
    const PARAMETERS: usize = 425_284;
    let x: Vec<f32> = (0..PIXELS).map(|i| (i % 3 == 0).into()).collect();
    let logits = numbers(ROWS * PIXELS);
    let (mut residuals, mut log_likelihood) = (logits.clone(), vec![0.0; ROWS]);
    let mut latents = Latents::new(50, ROWS as u32);
    let noise = Noise { stream: Stream::new(1, Purpose::Noise), time: 1 };
    let gradient = numbers(PARAMETERS);
    let (mut parameters, mut first) = (gradient.clone(), gradient.clone());
    let mut second: Vec<f32> = gradient.iter().map(|g| g * g).collect();
    let weight = numbers(PIXELS * 200);
    let mut transposed = vec![0.0; PIXELS * 208];
    for path in KernelPath::available() {
        let mut group = criterion.benchmark_group(path.name());
        group.throughput(Throughput::Elements(logits.len() as u64));
        group.bench_function("bernoulli", |bencher| {
            bencher.iter(|| {
                residuals.copy_from_slice(&logits);
                bench::bernoulli(path, &x, black_box(&mut residuals), &mut log_likelihood);
            });
        });
        group.throughput(Throughput::Elements(50 * ROWS as u64));
        group.bench_function("latents", |bencher| bencher.iter(|| latents.draw(path, noise)));
        group.throughput(Throughput::Elements(PARAMETERS as u64));
        group.bench_function("adam", |bencher| {
            bencher.iter(|| {
                let moments = (black_box(&mut first), &mut second);
                bench::adam(path, &mut parameters, &gradient, moments.0, moments.1);
            });
        });
        group.throughput(Throughput::Elements(weight.len() as u64));
        group.bench_function("transpose", |bencher| {
            bencher.iter(|| bench::transpose(path, PIXELS, &weight, black_box(&mut transposed)));
        });
    }
}

criterion_group!(benches, products, functions, passes);
criterion_main!(benches);
