//! Count how often the intervals of a toy's ratios and exponents hold the truth, as they are drawn.

use rayon::prelude::*;

use super::accumulate::{Accumulator, Part};
use super::slope::Slope;
use super::sweep::row;
use crate::estimators::EstimatorSettings;
use crate::random::{Purpose, Stream};
use crate::statistics::Interval;
use crate::statistics::coverage::{TRIALS, coverage};

const DIMS: usize = 20;
const POINTS: usize = 2;
/// As many as `toy` takes unless told otherwise.
const DRAWS: usize = 64;
/// Those that `toy` fits slopes through unless told otherwise.
const SIZES: [usize; 3] = [100, 300, 1000];

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

/// Gradients of A, whose D² elements all have ratio `ratio` and noise of their own: at 32 points x has the
/// signs of twenty columns of a Hadamard matrix, which are orthogonal.
fn of_matrix(trial: u32, ratio: f64) -> Accumulator {
    let stream = Stream::new(trial.into(), Purpose::Toy);
    let points: u32 = 32;
    let mut sums = Accumulator::new(DIMS, DRAWS);
    let mut noise = vec![0.0f32; DRAWS * 2 * DIMS];
    for point in 0..points {
        stream.normals(point, 0, 0, &mut noise);
        let sign = |j: usize| 1.0 - 2.0 * f64::from((point & j as u32).count_ones() % 2);
        let x: [f64; DIMS] = std::array::from_fn(sign);
        let mean = ratio / f64::from(points).sqrt() * x.iter().sum::<f64>();
        let draws: Vec<f64> = noise.iter().map(|n| mean + f64::from(*n)).collect();
        sums.add(&x, &draws);
    }
    sums
}

/// Hundreds of parameters average their noise, but not the bias that they share: a debiased ratio r lies too
/// low by about 1/(2 R r), which is all of the interval where r is small. One standard error of 95 % is .9 %.
#[test]
fn intervals_of_many_parameters_hold_large_ratios_alone() {
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let shares = [4.0, 1.0, 0.5].map(|ratio| {
        let interval = |trial| {
            let sums = of_matrix(trial, ratio);
            row(&iwae, 6, Part::A, [&sums, &sums]).interval()
        };
        let ends: Vec<_> = (0..TRIALS / 16).into_par_iter().filter_map(interval).collect();
        let drawn: Vec<_> =
            ends.iter().map(|&[low, high]| Interval { value: ratio, low, high }).collect();
        let share = coverage(&drawn, |_| ratio);
        println!(
            "toy's ratio {ratio} of A: {} drawn, of these {:5.2} %",
            drawn.len(),
            100.0 * share
        );
        share
    });
    let [large, middle, small] = shares;
    assert!(large > 0.93 && large < 0.97, "{shares:?}");
    assert!(small < middle && middle < large, "{shares:?}");
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

/// A ratio that falls as 1/√K from `first` at K = 100.
fn falling(first: f64, size: usize) -> f64 {
    first * (100.0 / size as f64).sqrt()
}

/// The slopes of b's ratios and of μ's, which fall from `of_b` and `of_mu`; every size has noise of
/// its own.
fn slopes(trial: u32, of_b: f64, of_mu: f64) -> [Option<Interval>; 2] {
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let sums = [0, 1, 2].map(|i: u32| {
        let size = SIZES[i as usize];
        measured(3 * trial + i, falling(of_b, size), falling(of_mu, size))
    });
    [Part::B, Part::Mu].map(|part| {
        let rows: Vec<_> = sums.iter().map(|sums| row(&iwae, 6, part, [sums, sums])).collect();
        let ratios: Vec<&[f64]> = rows.iter().map(|row| row.without.as_slice()).collect();
        let Slope { value, interval } = Slope::fit(&SIZES, &ratios)?;
        interval.map(|[low, high]| Interval { value, low, high })
    })
}

/// How often the intervals of these slopes hold the exponent −½.
fn shares_of_exponents(trials: u32, of_b: f64, of_mu: f64) -> [f64; 2] {
    let all: Vec<_> = (0..trials).into_par_iter().map(|trial| slopes(trial, of_b, of_mu)).collect();
    [(0, of_b), (1, of_mu)].map(|(part, first)| {
        let drawn: Vec<Interval> = all.iter().filter_map(|slopes| slopes[part]).collect();
        let mean = drawn.iter().map(|slope| slope.value).sum::<f64>() / drawn.len() as f64;
        let share = coverage(&drawn, |_| -0.5);
        println!(
            "toy's exponent, ratios {first} to {:.2}: {:5.2} % of {}, mean {mean:.3}",
            falling(first, SIZES[2]),
            100.0 * share,
            drawn.len()
        );
        share
    })
}

/// The lowest ratios are ten and three times the standard deviation of a mean of 64. A debiased
/// ratio r of R draws lies too low by about 1/(2 R r), which makes the second slope too steep by
/// two thirds of its error, and its interval too narrow. One standard error is .4 %.
#[test]
fn intervals_of_exponents_cover_where_ratios_are_resolved() {
    let [resolved, hardly] = shares_of_exponents(TRIALS / 4, 4.0, 1.2);
    assert!((resolved - 0.95).abs() < 0.01, "{resolved}");
    assert!(hardly > 0.91 && hardly < 0.95, "{hardly}");
}

/// Five times that deviation, and less than once, where logarithms vary so much that the interval
/// is wide. One standard error is .6 %.
#[test]
fn intervals_of_exponents_near_the_floor_are_wide() {
    let [between, near] = shares_of_exponents(TRIALS / 8, 2.0, 0.3);
    assert!(between > 0.91 && between < 0.96, "{between}");
    assert!(near > 0.96, "{near}");
}
