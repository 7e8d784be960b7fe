//! Count how often the intervals of a toy's ratios and exponents hold the truth, where they are drawn.

use std::fmt;

use rayon::prelude::*;

use super::accumulate::{Accumulator, Part};
use super::slope::{Resolved, Slope};
use super::sweep::{Row, row, slope};
use crate::estimators::EstimatorSettings;
use crate::random::{Purpose, Stream};
use crate::statistics::coverage::{TRIALS, coverage, share_error};
use crate::statistics::{Interval, Jackknife};

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

/// What share of rows has an interval, what share of these holds the mean ratio, and what share of the
/// usual intervals about the same ratios would.
#[derive(Clone, Copy, Debug)]
struct Shares {
    given: f64,
    held: f64,
    usual: f64,
}

impl Shares {
    /// Of these rows, of mean ratio `mean`.
    fn of(part: Part, ratios: Ratios, mean: f64, rows: &[Row]) -> Self {
        let given: Vec<Interval> = rows
            .iter()
            .filter_map(Row::interval)
            .map(|[low, high]| Interval { value: mean, low, high })
            .collect();
        let usual =
            |row: &Row| Some(Jackknife::of_equal_groups(&row.resolved()?.logs)?.interval(&[]));
        let usual: Vec<Interval> = rows.iter().filter_map(usual).collect();
        let shares = Self {
            given: given.len() as f64 / rows.len() as f64,
            held: coverage(&given, |_| mean),
            usual: coverage(&usual, |_| mean.ln()),
        };
        println!("toy, {part}, ratios {ratios:?} about {mean}: {shares}");
        shares
    }

    /// Whether 95 % hold the truth, to one per cent and so many standard errors of `trials` figures that could
    /// have an interval.
    fn hold(&self, trials: u32, errors: f64) -> bool {
        (self.held - 0.95).abs() < 0.01 + errors * share_error(self.given * f64::from(trials))
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [given, held, usual] = [self.given, self.held, self.usual].map(|share| 100.0 * share);
        write!(f, "{given:6.2} % given, of these hold {held:5.2} %; usual ones {usual:5.2} %")
    }
}

/// Those of b and of μ, of mean ratios `means`, in so many trials.
fn shares(trials: u32, ratios: Ratios, means: [f64; 2]) -> [Shares; 2] {
    let sums = (0..trials).into_par_iter().map(|trial| measured(trial, ratios, means));
    let rows: Vec<[Row; 2]> =
        sums.map(|sums| [Part::B, Part::Mu].map(|part| measured_row(&sums, part))).collect();
    let (b, mu): (Vec<Row>, Vec<Row>) = rows.into_iter().map(|[b, mu]| (b, mu)).unzip();
    [Shares::of(Part::B, ratios, means[0], &b), Shares::of(Part::Mu, ratios, means[1], &mu)]
}

/// How many trials A has.
const MATRICES: u32 = TRIALS / 16;

/// Those of A.
fn shares_of_matrix(ratios: Ratios, mean: f64) -> Shares {
    let trials = (0..MATRICES).into_par_iter();
    let rows: Vec<Row> =
        trials.map(|trial| measured_row(&of_matrix(trial, ratios, mean), Part::A)).collect();
    Shares::of(Part::A, ratios, mean, &rows)
}

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        for shares in shares(TRIALS, ratios, [4.0, 1.5]) {
            assert!(shares.given == 1.0 && shares.hold(TRIALS, 0.0), "{shares}");
        }
    }
}

/// Where the mean is that of an estimator with a quarter of the noise, a ratio of .375 is resolved, twelve standard
/// deviations of that mean.
#[test]
fn intervals_of_guided_ratios_cover_too() {
    let (mean, own_sd, trials) = (1.5, 4.0, TRIALS / 2);
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let measure = |trial| {
        let own = with_noise(trial, own_sd, Ratios::Normal, [mean; 2]);
        let guide = measured(TRIALS + trial, Ratios::Normal, [mean; 2]);
        row(&iwae, 6, Part::B, [&own, &guide])
    };
    let rows: Vec<Row> = (0..trials).into_par_iter().map(measure).collect();
    let shares = Shares::of(Part::B, Ratios::Normal, mean / own_sd, &rows);
    assert!(shares.given == 1.0 && shares.hold(trials, 0.0), "{shares}");
}

/// Hundreds of parameters average their noise, but not a bias that they share, so they show the smallest; the
/// last ratio is the limit.
#[test]
fn intervals_of_many_parameters_have_no_bias() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        for mean in [4.0, 1.5, 1.0] {
            let shares = shares_of_matrix(ratios, mean);
            assert!(shares.hold(MATRICES, 2.0), "{shares}");
            assert!((shares.given == 1.0) == (mean > 1.0), "{shares}");
        }
    }
}

/// The length of the noise of half of the parameters is in the raw ratio, and the other half makes it look resolved.
#[test]
fn intervals_take_noise_of_half_of_the_parameters_for_signal() {
    let [large, small] = shares(TRIALS / 4, Ratios::Half, [4.0, 1.5]);
    assert!(large.held < 0.95 && small.held < 0.9, "{large} {small}");
}

/// At the limit half of the ratios have an interval, below it few: those that came out high. Usual intervals about
/// these would hold the truth in three of five.
#[test]
fn intervals_at_the_limit_cover_too() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        let [half, few] = shares(TRIALS / 2, ratios, [1.0, 0.95]);
        assert!(half.given > 0.4 && half.given < 0.6 && half.hold(TRIALS / 2, 0.0), "{half}");
        assert!(few.given > 0.03 && few.given < 0.1 && few.hold(TRIALS / 2, 2.0), "{few}");
        assert!(few.usual < 0.7, "{few}");
    }
}

/// Six standard deviations of a mean.
#[test]
fn there_are_no_intervals_near_the_floor() {
    for ratios in [Ratios::Alike, Ratios::Normal] {
        for shares in shares(TRIALS / 16, ratios, [0.75; 2]) {
            assert_eq!(shares.given, 0.0);
        }
    }
}

/// How a ratio goes along K, from its lowest to its highest.
#[derive(Clone, Copy, Debug)]
enum Law {
    /// As 1/√K: the lowest is that of the largest K.
    Falling,
    /// As √K.
    Rising,
}

impl Law {
    fn exponent(self) -> f64 {
        match self {
            Self::Falling => -0.5,
            Self::Rising => 0.5,
        }
    }

    /// The ratio at `size`, if its lowest is `lowest`.
    fn ratio(self, lowest: f64, size: usize) -> f64 {
        let from = match self {
            Self::Falling => SIZES[2],
            Self::Rising => SIZES[0],
        };
        lowest * (size as f64 / from as f64).powf(self.exponent())
    }
}

/// The slopes of b's ratios and of μ's, whose lowest are these; every size has noise of its own. Then the
/// usual intervals about the same slopes.
fn slopes(trial: u32, ratios: Ratios, law: Law, lowest: [f64; 2]) -> [Option<[Interval; 2]>; 2] {
    let sums = [0, 1, 2].map(|i: u32| {
        let size = SIZES[i as usize];
        measured(3 * trial + i, ratios, lowest.map(|lowest| law.ratio(lowest, size)))
    });
    [Part::B, Part::Mu].map(|part| {
        let rows: Vec<Row> = sums.iter().map(|sums| measured_row(sums, part)).collect();
        let slope = slope(&rows.iter().collect::<Vec<_>>(), &SIZES)?;
        let interval = |[low, high]: [f64; 2]| Interval { value: slope.value, low, high };
        let resolved: Option<Vec<Resolved>> = rows.iter().map(Row::resolved).collect();
        let mut unlimited = resolved?;
        unlimited.iter_mut().for_each(|ratio| ratio.passed.limit = f64::NEG_INFINITY);
        let usual = Slope::fit(&SIZES, &[1.0; 3], Some(&unlimited))?.interval?;
        Some([interval(slope.interval?), interval(usual)])
    })
}

/// How many of these slopes have an interval, and how often it holds the exponent.
fn shares_of_exponents(ratios: Ratios, law: Law, lowest: [f64; 2]) -> [Shares; 2] {
    let trials = (0..TRIALS / 2).into_par_iter();
    let all: Vec<_> = trials.map(|trial| slopes(trial, ratios, law, lowest)).collect();
    [0, 1].map(|part| {
        let given: Vec<[Interval; 2]> = all.iter().filter_map(|slopes| slopes[part]).collect();
        let held = |which: usize| {
            let intervals: Vec<Interval> = given.iter().map(|two| two[which]).collect();
            coverage(&intervals, |_| law.exponent())
        };
        let given = given.len() as f64 / all.len() as f64;
        let shares = Shares { given, held: held(0), usual: held(1) };
        println!(
            "toy's exponent, ratios {ratios:?}, {law:?}, the lowest about {}: {shares}",
            lowest[part]
        );
        shares
    })
}

/// The lowest ratios are ten standard deviations of a mean, and just below the limit.
#[test]
fn intervals_of_exponents_cover_in_ninety_five_per_cent() {
    for (ratios, law) in [
        (Ratios::Alike, Law::Falling),
        (Ratios::Normal, Law::Falling),
        (Ratios::Normal, Law::Rising),
    ] {
        let [all, few] = shares_of_exponents(ratios, law, [1.25, 0.95]);
        assert!(all.given > 0.999 && all.hold(TRIALS / 2, 0.0), "{all}");
        assert!(few.given > 0.03 && few.given < 0.1 && few.hold(TRIALS / 2, 2.0), "{few}");
        assert!(few.usual < 0.7, "{few}");
    }
}

#[test]
fn exponents_of_ratios_near_the_floor_have_no_interval() {
    for shares in shares_of_exponents(Ratios::Alike, Law::Falling, [0.6, 0.1]) {
        assert_eq!(shares.given, 0.0);
    }
}
