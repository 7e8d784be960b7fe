//! Hold the draws against the scalar stream, and their gradient against f64.

use super::support::{ROUNDING, assert_close, assert_same_bits, normals, on_all_paths};
use crate::engine::Noise;
use crate::engine::cpu::kernels::{DrawLatents, PosteriorGradient, pad};
use crate::random::{Purpose, Stream};

#[test]
fn draws_are_those_of_the_stream() {
    let stream = Stream::new(0x1234_5678_9abc_def0, Purpose::Noise);
    let (noise, image) = (Noise { stream, time: 3_000_000_000 }, 60_001);
    let samples = [0, 1, 63, 4_000_000_000];
    for latents in 1..=130 {
        let stride = pad(latents);
        let mut mean = normals(1, stride);
        mean[latents..].fill(0.0);
        // σ is positive beyond L too, as in the engine.
        let sd: Vec<f32> = normals(2, stride).iter().map(|x| 0.1 + x.abs()).collect();
        let mut e = vec![0.0; samples.len() * stride];
        for (row, &sample) in e.chunks_exact_mut(stride).zip(&samples) {
            stream.normals(noise.time, image, sample, &mut row[..latents]);
        }
        let parameters = sd.iter().zip(&mean).cycle();
        let z: Vec<f32> = e.iter().zip(parameters).map(|(&e, (sd, &m))| sd.mul_add(e, m)).collect();

        let log_ratio = on_all_paths(&[f64::NAN; 4], |path, log_ratio| {
            let [mut epsilon, mut got_z] = [(); 2].map(|()| vec![f32::NAN; e.len()]);
            path.run(DrawLatents {
                latents,
                noise,
                image,
                samples: &samples,
                mean: &mean,
                sd: &sd,
                epsilon: &mut epsilon,
                z: &mut got_z,
                log_ratio,
            });
            assert_same_bits(&epsilon, &e, format_args!("{path}: ε, L = {latents}"));
            assert_same_bits(&got_z, &z, format_args!("{path}: z, L = {latents}"));
        });
        let rows = e.chunks_exact(stride).zip(z.chunks_exact(stride));
        for ((e, z), log_ratio) in rows.zip(log_ratio) {
            let [e, z] = [e, z].map(|x| 0.5 * x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>());
            // Two squares, their difference and a sum over at most nine vectors are rounded.
            assert_close(log_ratio, e - z, 12.0 * ROUNDING * (e + z), latents);
        }
    }
}

#[test]
fn normal_numbers_are_those_of_the_stream() {
    let stream = Stream::new(7, Purpose::Toy);
    let noise = Noise { stream, time: 1000 };
    for count in (0..=130).chain([20_000]) {
        let mut exact = vec![0.0; count];
        stream.normals(noise.time, 5, 6, &mut exact);
        let blank = vec![f32::NAN; count];
        let got = on_all_paths(&blank, |path, out| path.normals(noise, 5, 6, out));
        assert_same_bits(&got, &exact, format_args!("{count} numbers"));
    }
}

#[test]
fn posterior_gradient_adds_the_path_terms() {
    for (latents, rows) in [(1, 1), (16, 15), (17, 16), (50, 37), (64, 0)] {
        let stride = pad(latents);
        let b = &normals(1, rows)[..];
        let [d_z, z, epsilon] = &[2, 3, 4].map(|seed| normals(seed, rows * stride));
        let before = normals(5, 2 * stride);
        let after = on_all_paths(&before, |path, both| {
            let (d_mean, d_sd) = both.split_at_mut(stride);
            path.run(PosteriorGradient { b, d_z, z, epsilon, d_mean, d_sd });
        });
        for (i, (before, after)) in before.into_iter().zip(after).enumerate() {
            let (mut exact, mut size) = (f64::from(before), f64::from(before.abs()));
            for row in 0..rows {
                let at = row * stride + i % stride;
                let [b, d_z, z, e] = [b[row], d_z[at], z[at], epsilon[at]].map(f64::from);
                let term = b * (d_z - z) * if i < stride { 1.0 } else { e };
                exact += term;
                size += term.abs();
            }
            // A term is rounded twice, then come at most 16 additions in a block and 3 of blocks.
            assert_close(after, exact, 21.0 * ROUNDING * size, format_args!("{latents}: {i}"));
        }
    }
}
