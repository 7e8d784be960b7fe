//! Count how often error bars hold the truth, on data like the program's.

use super::Interval;
use crate::estimators::log_mean_exp;
use crate::evaluate::Estimate;
use crate::random::{Purpose, Stream};

/// Repetitions: one per cent is 4.6 standard errors √(.95 · .05 / 10,000) = .22 %.
pub(crate) const TRIALS: u32 = 10_000;

/// Normal numbers of one trial, from a seed of the case.
fn normals(case: u64, trial: u32, count: usize) -> Vec<f64> {
    let mut noise = vec![0.0f32; count];
    Stream::new(case, Purpose::Diagnosis).normals(0, trial, 0, &mut noise);
    noise.into_iter().map(f64::from).collect()
}

/// The share of intervals that hold the truth of their trial.
pub(crate) fn coverage(intervals: &[Interval], truth: impl Fn(u32) -> f64) -> f64 {
    let holds = |(interval, trial): &(&Interval, u32)| {
        let truth = truth(*trial);
        interval.low <= truth && truth <= interval.high
    };
    intervals.iter().zip(0..).filter(holds).count() as f64 / intervals.len() as f64
}

/// The standard error of a share of 95 % of `count` intervals.
pub(crate) fn share_error(count: f64) -> f64 {
    (0.95 * 0.05 / count).sqrt()
}

/// The mean figure of all trials: its own error is a hundredth of one interval's.
fn mean(intervals: &[Interval]) -> f64 {
    intervals.iter().map(|i| i.value).sum::<f64>() / intervals.len() as f64
}

/// What ± se covers when it is read as 95 %.
fn two_sided(estimate: Estimate) -> Interval {
    let Estimate { value, se } = estimate;
    Interval { value, low: value - 1.96 * se, high: value + 1.96 * se }
}

/// log-mean-exp of K = 5 log-weights of each of 200 images, and their mean.
fn bounds(case: u64, trial: u32, sd: f64) -> (Vec<f64>, Vec<f64>) {
    let noise = normals(case, trial, 200 * 5);
    let images = noise.chunks_exact(5).map(|row| {
        let log_weights: Vec<f64> = row.iter().map(|n| sd * n).collect();
        (log_mean_exp(&log_weights), log_weights.iter().sum::<f64>() / 5.0)
    });
    images.unzip()
}

#[test]
fn error_bars_cover_in_ninety_five_per_cent() {
    let seeds = |case, n| {
        let of = |trial| Interval::of_mean(&normals(case, trial, n));
        coverage(&(0..TRIALS).map(of).collect::<Vec<_>>(), |_| 0.0)
    };
    // Means over images whose scores are skewed; the truth is the mean of all trials.
    let images = |of: &dyn Fn(u32) -> Interval| {
        let intervals: Vec<_> = (0..TRIALS).map(of).collect();
        let truth = mean(&intervals);
        coverage(&intervals, |_| truth)
    };
    let table = [
        ("mean of 3 seeds, Student", seeds(1, 3)),
        ("mean of 4 seeds, Student", seeds(2, 4)),
        (
            "bound of 200 images ± 1.96 se",
            images(&|t| two_sided(Estimate::mean(&bounds(3, t, 2.0).0))),
        ),
        (
            "L_5 − L_1 of 200 images ± 1.96 se, paired",
            images(&|t| {
                let (bound, elbo) = bounds(4, t, 2.0);
                two_sided(Estimate::mean_difference(&bound, &elbo))
            }),
        ),
        (
            "difference of 200 images, Student",
            images(&|t| {
                let (one, other) = (bounds(5, t, 2.0).0, bounds(6, t, 1.0).0);
                Interval::of_mean(&one.iter().zip(other).map(|(a, b)| a - b).collect::<Vec<_>>())
            }),
        ),
    ];
    for (what, share) in table {
        println!("{what:42} {:5.2} %", 100.0 * share);
    }
    for (what, share) in table {
        assert!((share - 0.95).abs() < 0.01, "{what}: {share}");
    }
}
