//! Compare means of drawn gradients with exact ones.

use rayon::prelude::*;

use super::exact;
use super::line::{Bar, Line, Part};
use super::subject::{Family, Subject};
use crate::diagnose::RunningMoments;
use crate::engine::reference::image_gradient;
use crate::random::{Purpose, Stream};

/// Draws per estimator: means are then known to 1/200 of a standard deviation.
const DRAWS: u32 = 40_000;

/// Probability that a line fails although all its means are right, were the seed not fixed.
const FALSE_ALARM: f64 = 1e-5;

/// The largest |t| that `comparisons` of right means may show: P(|t| > z) < e^(−z²/2) for a normal t,
/// shared equally among the comparisons (Bonferroni).
pub(super) fn largest_t(comparisons: usize) -> f64 {
    (2.0 * (comparisons as f64 / FALSE_ALARM).ln()).sqrt()
}

/// |difference| in standard errors; what does not vary must agree to the bit.
pub(super) fn t(difference: f64, variance_of_mean: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { difference.abs() / variance_of_mean.sqrt() }
}

/// Mean and variance of `draws` gradients on the Gaussian model. All estimators see the same noise.
pub(super) fn draw(subject: &Subject, draws: u32) -> RunningMoments {
    let stream = Stream::new(0, Purpose::Diagnosis);
    let model = exact::model();
    let estimator = &*subject.estimator;
    let mut noise = vec![0.0f32; estimator.samples()];
    let mut gradient = vec![0.0; model.parameters().len()];
    let mut moments = RunningMoments::new(gradient.len());
    for item in 0..draws {
        stream.normals(0, item, 0, &mut noise);
        let epsilon: Vec<f64> = noise.iter().map(|&e| e.into()).collect();
        gradient.fill(0.0);
        image_gradient(&model, exact::observation(), &epsilon, estimator, 1.0, &mut gradient);
        moments.push(gradient.iter().copied());
    }
    moments
}

/// Every mean of drawn gradients is what quadrature says, biased rules included.
pub(super) fn lines(family: &Family<'_>, means: &[Vec<f64>]) -> Vec<Line> {
    let line = |(subject, expected): (&Subject, &Vec<f64>)| {
        let moments = draw(subject, DRAWS);
        let pairs = moments.mean().iter().zip(expected).zip(moments.variance_of_mean());
        let largest = pairs.map(|((mean, exact), v)| t(mean - exact, v)).fold(0.0, exact::larger);
        let name = format!("{}: largest |t| over θ and φ", subject.label);
        Line::new(Part::Sampled, name, largest, Bar::AtMost(largest_t(expected.len())))
    };
    family.subjects.par_iter().zip(means).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::find;

    #[test]
    fn a_mean_that_is_off_is_seen() {
        let family = Family::new(find("piwae").unwrap(), exact::SAMPLES).unwrap();
        let mut means = exact::means(&family);
        assert!(lines(&family, &means).iter().all(|line| line.holds));
        // One draw of μ's gradient varies by less than one, their mean by less than 1/200 of it.
        means.iter_mut().for_each(|mean| mean[4] += 0.05);
        assert!(lines(&family, &means).iter().all(|line| !line.holds));
    }

    #[test]
    fn the_bar_grows_with_the_comparisons() {
        // P(|t| > 4.7985) = 1.6e-6 for a normal t: less than 1e-5, as Chernoff's bound is not tight.
        assert!((largest_t(1) - 4.7985).abs() < 1e-4);
        assert!(largest_t(282) > largest_t(6));
        assert_eq!((t(0.0, 0.0), t(-3.0, 4.0), t(1.0, 0.0)), (0.0, 1.5, f64::INFINITY));
        assert!([f64::NAN, 1.0].into_iter().fold(0.0, exact::larger).is_nan());
    }
}
