//! Count how often the intervals of a gradient's ratios hold the truth, as they are printed.

use std::f64::consts::{PI, SQRT_2};

use super::tests::{Known, architecture, measure, model, probe};
use super::{Probe, ScopeSnr};
use crate::estimators::EstimatorSettings;
use crate::model::{Network, ParameterTable};
use crate::random::{Purpose, Stream};
use crate::statistics::Interval;
use crate::statistics::coverage::{TRIALS, coverage};

/// The ratios of φ and of θ in [`TRIALS`] measurements of 40 draws each, for means of `ratios` and
/// noise of variance 1 in every parameter.
fn measured(ratios: [f32; 2]) -> [Vec<ScopeSnr>; 2] {
    let (parameters, iwae) = (model(), EstimatorSettings::new("iwae", 1, 6));
    let mut engine = Known::new(ratios);
    let reports = (0..TRIALS).map(|trial| {
        let probe = Probe { seed: trial.into(), ..probe(&parameters, 40) };
        let report = measure(&mut engine, probe, &iwae).expect("40 draws of finite gradients");
        NETWORKS.map(|network| report.network(network).clone())
    });
    let (phi, theta) = reports.map(|[phi, theta]| (phi, theta)).unzip();
    [phi, theta]
}

/// E ‖g∥‖/‖g⊥‖ about the direction that the first 20 draws of `trial` have, whose means are `exact` and
/// whose noise has variance 1 in every parameter.
fn directional(trial: u32, network: Network, exact: f64) -> f64 {
    let table = ParameterTable::new(&architecture());
    let (stream, mut noise) =
        (Stream::new(trial.into(), Purpose::Diagnosis), vec![0.0; table.total()]);
    let mut direction = vec![0.0; table.total()];
    for draw in 0..20 {
        stream.normals(draw, 0, 0, &mut noise);
        direction.iter_mut().zip(&noise).for_each(|(sum, n)| *sum += exact + f64::from(*n));
    }
    // The first parameter is 0 in every draw.
    let range = table.network_range(network);
    let direction = &direction[range.start.max(1)..range.end];
    let norm = direction.iter().map(|u| u * u).sum::<f64>().sqrt();
    let along = exact * direction.iter().sum::<f64>() / norm;
    let across = exact * exact * direction.len() as f64 - along * along;
    mean_length(along) * mean_inverse_length(direction.len() as f64 - 1.0, across)
}

/// E |N(mean, 1)|.
fn mean_length(mean: f64) -> f64 {
    (2.0 / PI).sqrt() * (-mean * mean / 2.0).exp() + mean * libm::erf(mean / SQRT_2)
}

/// E 1/‖N(μ, I)‖ in `n` dimensions with ‖μ‖² = `square`: a chi distribution of n + 2j degrees, j of Poisson's
/// with mean ‖μ‖²/2.
fn mean_inverse_length(n: f64, square: f64) -> f64 {
    let (half, mut poisson, mut sum) = (square / 2.0, (-square / 2.0).exp(), 0.0);
    for j in 0..400 {
        let degrees = n / 2.0 + f64::from(j);
        let ratio = (libm::lgamma(degrees - 0.5) - libm::lgamma(degrees)).exp();
        sum += poisson * ratio / SQRT_2;
        poisson *= half / f64::from(j + 1);
    }
    sum
}

/// How often the interval of ‖E g‖ / √tr Cov g holds `exact`, and how often that of the directional ratio
/// holds the truth about its own direction.
fn shares(scopes: &[ScopeSnr], network: Network, exact: f32) -> [f64; 2] {
    let of = |figure: fn(&ScopeSnr) -> Interval| scopes.iter().map(figure).collect::<Vec<_>>();
    let (ratio, along) =
        (of(|s| s.ratio), of(|s| s.directional.expect("more parameters than one")));
    assert!(ratio.iter().all(|i| i.high > 0.0), "a ratio of 0 has an upper end");
    let signal = f64::from(exact);
    let table = [
        ("‖E g‖ / √tr Cov g", coverage(&ratio, |_| signal)),
        ("directional", coverage(&along, |trial| directional(trial, network, signal))),
    ];
    for (what, share) in table {
        println!("{exact}: {what:42} {:5.2} %", 100.0 * share);
    }
    table.map(|(_, share)| share)
}

/// φ, then θ.
const NETWORKS: [Network; 2] = [Network::Encoder, Network::Decoder];

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    let ratios = [1.0, 0.5];
    for ((scopes, exact), network) in measured(ratios).iter().zip(ratios).zip(NETWORKS) {
        for share in shares(scopes, network, exact) {
            assert!((share - 0.95).abs() < 0.01, "{exact}: {share}");
        }
    }
}

/// Below what the draws resolve, the interval's lower end is cut off at 0 and a negative square keeps its
/// width, and the jackknife counts the variance of squares of noise twice (Efron & Stein 1981), so the
/// interval holds the truth more often than 95 %.
#[test]
fn intervals_of_ratios_under_the_noise_are_wide() {
    let ratios = [0.05, 0.2];
    for ((scopes, exact), network) in measured(ratios).iter().zip(ratios).zip(NETWORKS) {
        let [ratio, directional] = shares(scopes, network, exact);
        assert!(ratio > 0.95, "{exact}: {ratio}");
        // Lengths along a direction of no signal are skewed, and their mean of 20 is a little, too.
        assert!((0.93..0.96).contains(&directional), "{exact}: {directional}");
    }
}
