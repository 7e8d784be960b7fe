//! Count how often the intervals of a toy's ratios and exponents hold the truth, where they are drawn.

use rayon::prelude::*;

use super::accumulate::{Accumulator, Part};
use super::sweep::{Row, row, slope};
use crate::estimators::EstimatorSettings;
use crate::random::{Purpose, Stream};
use crate::statistics::Interval;
use crate::statistics::coverage::{TRIALS, coverage};

const DIMS: usize = 20;
const POINTS: usize = 4;
/// As many as `toy` takes unless told otherwise; the standard deviation of a mean is 1/8.
const DRAWS: usize = 64;
/// Those that `toy` fits slopes through unless told otherwise.
const SIZES: [usize; 3] = [100, 300, 1000];

/// How the ratios of the parameters lie about their mean.
#[derive(Clone, Copy, Debug)]
enum Ratios {
    /// All are the same.
    Alike,
    /// As the lengths of normal numbers, as those of a problem whose parameters are moved by normal noise.
    Normal,
    /// Every other one is 0.
    Half,
}

impl Ratios {
    /// The ratios of D parameters over their mean.
    fn over_mean(self) -> [f64; DIMS] {
        let mut ratios = [1.0; DIMS];
        match self {
            Self::Alike => (),
            Self::Normal => {
                let mut normal = [0.0; DIMS];
                Stream::new(1, Purpose::Toy).normals(0, 0, 0, &mut normal);
                ratios = normal.map(|n| f64::from(n.abs()));
            }
            Self::Half => ratios = std::array::from_fn(|d| (d % 2) as f64),
        }
        let mean = ratios.iter().sum::<f64>() / DIMS as f64;
        ratios.map(|ratio| ratio / mean)
    }
}

/// Signal and noise of one part, as `toy` computes them.
fn measured_row(sums: &Accumulator, part: Part) -> Row {
    row(&EstimatorSettings::new("iwae", 1, 6), 6, part, [sums, sums])
}

/// Gradients of b with mean ratio `means[0]`, and of μ with `means[1]`: noise of variance 1 at every point, so
/// that of their mean over the points is 1/N.
fn measured(trial: u32, ratios: Ratios, means: [f64; 2]) -> Accumulator {
    with_noise(trial, 1.0, ratios, means)
}

/// The same gradients, with noise of another standard deviation.
fn with_noise(trial: u32, sd: f64, ratios: Ratios, means: [f64; 2]) -> Accumulator {
    let stream = Stream::new(trial.into(), Purpose::Toy);
    let mut sums = Accumulator::new(DIMS, DRAWS);
    let mut noise = vec![0.0f32; DRAWS * 2 * DIMS];
    let ratios = ratios.over_mean();
    for point in 0..POINTS as u32 {
        stream.normals(point, 0, 0, &mut noise);
        let mean = |i: usize| {
            let (part, d) = (i / DIMS % 2, i % DIMS);
            means[part] * ratios[d] / (POINTS as f64).sqrt()
        };
        let draws: Vec<f64> =
            noise.iter().enumerate().map(|(i, n)| mean(i) + sd * f64::from(*n)).collect();
        sums.add(&[0.0; DIMS], &draws);
    }
    sums
}

/// Gradients of A, whose D² elements have mean ratio `mean`, alike in each row, and noise of their own: at 32
/// points x has the signs of twenty columns of a Hadamard matrix, which are orthogonal.
fn of_matrix(trial: u32, ratios: Ratios, mean: f64) -> Accumulator {
    let stream = Stream::new(trial.into(), Purpose::Toy);
    let points: u32 = 32;
    let ratios = ratios.over_mean();
    let mut sums = Accumulator::new(DIMS, DRAWS);
    let mut noise = vec![0.0f32; DRAWS * 2 * DIMS];
    for point in 0..points {
        stream.normals(point, 0, 0, &mut noise);
        let sign = |j: usize| 1.0 - 2.0 * f64::from((point & j as u32).count_ones() % 2);
        let x: [f64; DIMS] = std::array::from_fn(sign);
        let mean = mean / f64::from(points).sqrt() * x.iter().sum::<f64>();
        let draws: Vec<f64> = noise
            .iter()
            .enumerate()
            .map(|(i, n)| mean * ratios[i % DIMS] + f64::from(*n))
            .collect();
        sums.add(&x, &draws);
    }
    sums
}

/// How many of these rows have an interval, and how many of these hold the true mean ratio.
fn share(part: Part, ratios: Ratios, mean: f64, rows: &[Row]) -> (f64, f64) {
    let ends = rows.iter().filter_map(Row::interval);
    let drawn: Vec<_> = ends.map(|[low, high]| Interval { value: mean, low, high }).collect();
    let some = drawn.len() as f64 / rows.len() as f64;
    let share = if drawn.is_empty() { f64::NAN } else { coverage(&drawn, |_| mean) };
    let [some_percent, percent] = [some, share].map(|share| 100.0 * share);
    println!(
        "toy, {part}, ratios {ratios:?} about {mean}: {some_percent:6.2} % drawn, of these {percent:5.2} %"
    );
    (some, share)
}

/// [`share`] of b and of μ, of mean ratios `means`, in so many trials.
fn shares(trials: u32, ratios: Ratios, means: [f64; 2]) -> [(f64, f64); 2] {
    let sums = (0..trials).into_par_iter().map(|trial| measured(trial, ratios, means));
    let rows: Vec<[Row; 2]> =
        sums.map(|sums| [Part::B, Part::Mu].map(|part| measured_row(&sums, part))).collect();
    let (b, mu): (Vec<Row>, Vec<Row>) = rows.into_iter().map(|[b, mu]| (b, mu)).unzip();
    [share(Part::B, ratios, means[0], &b), share(Part::Mu, ratios, means[1], &mu)]
}

/// [`share`] of A in every sixteenth of the trials, of which one standard error of 95 % is .9 %.
fn share_of_matrix(ratios: Ratios, mean: f64) -> (f64, f64) {
    let trials = (0..TRIALS / 16).into_par_iter();
    let rows: Vec<Row> =
        trials.map(|trial| measured_row(&of_matrix(trial, ratios, mean), Part::A)).collect();
    share(Part::A, ratios, mean, &rows)
}

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        for (some, share) in shares(TRIALS, ratios, [4.0, 1.5]) {
            assert!(some == 1.0 && (share - 0.95).abs() < 0.01, "{some} {share}");
        }
    }
}

/// Where the mean is that of an estimator with a quarter of the noise, a ratio of .375 is resolved, twelve standard
/// deviations of that mean. One standard error is .3 %.
#[test]
fn intervals_of_guided_ratios_cover_too() {
    let (mean, own_sd) = (1.5, 4.0);
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let measure = |trial| {
        let own = with_noise(trial, own_sd, Ratios::Normal, [mean; 2]);
        let guide = measured(TRIALS + trial, Ratios::Normal, [mean; 2]);
        row(&iwae, 6, Part::B, [&own, &guide])
    };
    let rows: Vec<Row> = (0..TRIALS / 2).into_par_iter().map(measure).collect();
    let (some, share) = share(Part::B, Ratios::Normal, mean / own_sd, &rows);
    assert!(some == 1.0 && (share - 0.95).abs() < 0.01, "{some} {share}");
}

/// Hundreds of parameters average their noise, but not a bias that they share, so they show the smallest.
#[test]
fn intervals_of_many_parameters_have_no_bias() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        for mean in [4.0, 1.5] {
            let (some, share) = share_of_matrix(ratios, mean);
            // One per cent and two standard errors.
            assert!(some == 1.0 && (share - 0.95).abs() < 0.028, "{some} {share}");
        }
    }
}

/// The length of the noise of half of the parameters is in the raw ratio, and the other half makes it look resolved.
#[test]
fn intervals_take_noise_of_half_of_the_parameters_for_signal() {
    let [(_, large), (_, small)] = shares(TRIALS / 4, Ratios::Half, [4.0, 1.5]);
    assert!(large < 0.95 && small < 0.9, "{large} {small}");
}

/// At the limit and below it, those ratios have an interval that came out high.
#[test]
fn intervals_at_the_limit_cover_too() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        let [(half, at_limit), (few, below)] = shares(TRIALS / 2, ratios, [1.0, 0.95]);
        assert!(half > 0.4 && half < 0.6 && few > 0.03 && few < 0.1, "{half} {few}");
        assert!((at_limit - 0.95).abs() < 0.01, "{at_limit}");
        // One per cent and two standard errors of so many that are drawn: 250 and 310 at least.
        assert!((below - 0.95).abs() < 0.038, "{below}");
        let (half, of_a) = share_of_matrix(ratios, 1.0);
        assert!(half > 0.4 && half < 0.6 && (of_a - 0.95).abs() < 0.035, "{half} {of_a}");
    }
}

/// Six standard deviations of a mean.
#[test]
fn there_are_no_intervals_near_the_floor() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        for (some, _) in shares(TRIALS / 16, ratios, [0.75; 2]) {
            assert_eq!(some, 0.0);
        }
    }
}

/// A ratio that falls as 1/√K from `first` at K = 100.
fn falling(first: f64, size: usize) -> f64 {
    first * (100.0 / size as f64).sqrt()
}

/// The slopes of b's ratios and of μ's, which fall from `firsts`; every size has noise of its own.
fn slopes(trial: u32, ratios: Ratios, firsts: [f64; 2]) -> [Option<Interval>; 2] {
    let sums = [0, 1, 2].map(|i: u32| {
        let size = SIZES[i as usize];
        measured(3 * trial + i, ratios, firsts.map(|first| falling(first, size)))
    });
    [Part::B, Part::Mu].map(|part| {
        let rows: Vec<Row> = sums.iter().map(|sums| measured_row(sums, part)).collect();
        let slope = slope(&rows.iter().collect::<Vec<_>>(), &SIZES)?;
        slope.interval.map(|[low, high]| Interval { value: slope.value, low, high })
    })
}

/// How many of these slopes have an interval, and how often it holds the exponent −½.
fn shares_of_exponents(ratios: Ratios, firsts: [f64; 2]) -> [(f64, f64); 2] {
    let trials = TRIALS / 2;
    let all: Vec<_> =
        (0..trials).into_par_iter().map(|trial| slopes(trial, ratios, firsts)).collect();
    [0, 1].map(|part| {
        let drawn: Vec<Interval> = all.iter().filter_map(|slopes| slopes[part]).collect();
        let some = drawn.len() as f64 / f64::from(trials);
        let share = if drawn.is_empty() { f64::NAN } else { coverage(&drawn, |_| -0.5) };
        let [first, last] = [SIZES[0], SIZES[2]].map(|size| falling(firsts[part], size));
        println!(
            "toy's exponent, ratios {ratios:?} about {first} to {last:.2}: {:6.2} % drawn, of these {:5.2} %",
            100.0 * some,
            100.0 * share
        );
        (some, share)
    })
}

/// The lowest ratios are ten standard deviations of a mean, and the limit itself, where half of the exponents
/// have an interval. One standard error is .3 and .4 %.
#[test]
fn intervals_of_exponents_cover_in_ninety_five_per_cent() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        let [(all, share), (half, at_limit)] = shares_of_exponents(ratios, [4.0, f64::sqrt(10.0)]);
        assert!(all > 0.999 && (share - 0.95).abs() < 0.01, "{all} {share}");
        assert!(half > 0.4 && half < 0.6, "{half}");
        assert!((at_limit - 0.95).abs() < 0.01, "{at_limit}");
    }
}

#[test]
fn exponents_of_ratios_near_the_floor_have_no_interval() {
    for (some, _) in shares_of_exponents(Ratios::Alike, [2.0, 0.3]) {
        assert_eq!(some, 0.0);
    }
}
