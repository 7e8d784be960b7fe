//! Count how often the interval of a toy's ratio holds the truth, as it is drawn.

use super::accumulate::{Accumulator, Part};
use super::sweep::row;
use crate::estimators::EstimatorSettings;
use crate::random::{Purpose, Stream};
use crate::statistics::Interval;
use crate::statistics::coverage::{TRIALS, coverage};

const DIMS: usize = 20;
const POINTS: usize = 2;
/// As many as `toy` takes unless told otherwise.
const DRAWS: usize = 64;

/// Gradients of b with ratio `of_b`, and of μ with `of_mu`: noise of variance 1 at every point, so that of their
/// mean over the points is 1/N.
fn measured(trial: u32, of_b: f64, of_mu: f64) -> Accumulator {
    let stream = Stream::new(trial.into(), Purpose::Toy);
    let mut sums = Accumulator::new(DIMS, DRAWS);
    let mut noise = vec![0.0f32; DRAWS * 2 * DIMS];
    for point in 0..POINTS as u32 {
        stream.normals(point, 0, 0, &mut noise);
        let of = |i: usize| if i % (2 * DIMS) < DIMS { of_b } else { of_mu };
        let mean = |i| of(i) / (POINTS as f64).sqrt();
        let draws: Vec<f64> =
            noise.iter().enumerate().map(|(i, n)| mean(i) + f64::from(*n)).collect();
        sums.add(&[0.0; DIMS], &draws);
    }
    sums
}

/// How often the intervals of b's and μ's ratios hold them.
fn shares(of_b: f64, of_mu: f64) -> [f64; 2] {
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let parts = [(Part::B, of_b), (Part::Mu, of_mu)];
    let mut drawn = [Vec::new(), Vec::new()];
    for trial in 0..TRIALS {
        let sums = measured(trial, of_b, of_mu);
        for ((part, value), drawn) in parts.into_iter().zip(&mut drawn) {
            let ends = row(&iwae, 6, part, [&sums, &sums]).interval();
            let [low, high] = ends.expect("of 20 parameters one is not cut to 0");
            drawn.push(Interval { value, low, high });
        }
    }
    drawn.map(|drawn| {
        let exact = drawn[0].value;
        let share = coverage(&drawn, |_| exact);
        println!("toy's ratio {exact}: {:5.2} %", 100.0 * share);
        share
    })
}

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    for share in shares(1.0, 0.5) {
        assert!((share - 0.95).abs() < 0.01, "{share}");
    }
}

/// At twice and at once the standard deviation of a mean of 64, where the cut at 0 biases the ratio.
#[test]
fn intervals_of_ratios_near_the_floor_are_rough() {
    for share in shares(0.25, 0.125) {
        assert!((0.9..0.99).contains(&share), "{share}");
    }
}
