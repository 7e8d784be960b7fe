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

/// How many of the ratios of b and of μ have an interval, and how often these hold the truth.
fn shares(of_b: f64, of_mu: f64) -> [(f64, f64); 2] {
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let parts = [(Part::B, of_b), (Part::Mu, of_mu)];
    let mut drawn = [Vec::new(), Vec::new()];
    for trial in 0..TRIALS {
        let sums = measured(trial, of_b, of_mu);
        for ((part, value), drawn) in parts.into_iter().zip(&mut drawn) {
            let ends = row(&iwae, 6, part, [&sums, &sums]).interval();
            drawn.extend(ends.map(|[low, high]| Interval { value, low, high }));
        }
    }
    [(of_b, &drawn[0]), (of_mu, &drawn[1])].map(|(exact, drawn)| {
        let some = drawn.len() as f64 / f64::from(TRIALS);
        let share = if drawn.is_empty() { f64::NAN } else { coverage(drawn, |_| exact) };
        println!(
            "toy's ratio {exact}: {:6.2} % drawn, of these {:5.2} %",
            100.0 * some,
            100.0 * share
        );
        (some, share)
    })
}

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    for (some, share) in shares(1.0, 0.5) {
        assert!(some > 0.99 && (share - 0.95).abs() < 0.01, "{some} {share}");
    }
}

/// At twice and at once the standard deviation of a mean of 64 the cut at 0 biases the ratio. In between, at
/// three times, those intervals are left that begin high enough, which hold the truth a little more often.
#[test]
fn there_are_no_intervals_near_the_floor() {
    for (some, _) in shares(0.25, 0.125) {
        assert_eq!(some, 0.0);
    }
    let [(few, low), (most, high)] = shares(0.375, 0.45);
    assert!(few > 0.1 && few < 0.5 && low > 0.94, "{few} {low}");
    assert!(most > 0.9 && high > 0.94, "{most} {high}");
}
