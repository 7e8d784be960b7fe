//! Count how often the intervals of a gradient's ratios hold the truth, as they are printed.

use std::f64::consts::{PI, SQRT_2};
use std::ops::Range;

use super::tests::{Known, architecture, measure, model, probe};
use super::{Probe, ScopeSnr};
use crate::estimators::EstimatorSettings;
use crate::model::{Network, ParameterTable};
use crate::random::{Purpose, Stream};
use crate::statistics::Interval;
use crate::statistics::coverage::{TRIALS, coverage};

/// φ, θ, and two layers of θ that have nine and five parameters.
const SCOPES: [&str; 4] = ["encoder", "decoder", "decoder.2.bias", "decoder.0.bias"];

/// The ratios of [`SCOPES`] in [`TRIALS`] measurements of `draws` draws of `engine`'s gradients.
fn measured(mut engine: Known, draws: u32) -> [Vec<ScopeSnr>; 4] {
    let (parameters, iwae) = (model(), EstimatorSettings::new("iwae", 1, 6));
    let mut measured = SCOPES.map(|_| Vec::new());
    for trial in 0..TRIALS {
        let probe = Probe { seed: trial.into(), ..probe(&parameters, draws) };
        let report = measure(&mut engine, probe, &iwae).expect("finite gradients");
        for (name, scopes) in SCOPES.into_iter().zip(&mut measured) {
            let scope = report.scopes.iter().find(|scope| scope.scope.name == name);
            scopes.push(scope.expect("all of them vary").clone());
        }
    }
    measured
}

/// The parameters of one of [`SCOPES`] that vary: all but the first of φ.
fn varying(table: &ParameterTable, scope: &str) -> Range<usize> {
    match scope {
        "encoder" => 1..table.network_range(Network::Encoder).end,
        "decoder" => table.network_range(Network::Decoder),
        name => table.get(name).expect("a tensor").range(),
    }
}

/// E ‖g∥‖/‖g⊥‖ about the direction that the first 20 draws of `trial` have, whose means are `exact` and
/// whose noise has variance 1 in every parameter.
fn directional(trial: u32, scope: &str, exact: f64) -> f64 {
    let table = ParameterTable::new(&architecture());
    let (stream, mut noise) =
        (Stream::new(trial.into(), Purpose::Diagnosis), vec![0.0; table.total()]);
    let mut direction = vec![0.0; table.total()];
    for draw in 0..20 {
        stream.normals(draw, 0, 0, &mut noise);
        direction.iter_mut().zip(&noise).for_each(|(sum, n)| *sum += exact + f64::from(*n));
    }
    let direction = &direction[varying(&table, scope)];
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

/// How often the intervals of ‖E g‖ / √tr Cov g hold `exact`.
fn share_of_ratio(scopes: &[ScopeSnr], exact: f64, what: &str) -> f64 {
    let intervals: Vec<Interval> = scopes.iter().map(|scope| scope.ratio).collect();
    assert!(intervals.iter().all(|i| i.high > 0.0), "a ratio of 0 has an upper end");
    let share = coverage(&intervals, |_| exact);
    println!("{exact:.2}: ‖E g‖ / √tr Cov g, {what:37} {:5.2} %", 100.0 * share);
    share
}

/// How often the intervals of the directional ratio of 40 draws hold the truth about their own direction.
fn share_of_directional(scopes: &[ScopeSnr], exact: f64) -> f64 {
    let scope = &scopes[0].scope;
    let along = scopes.iter().map(|scope| scope.directional.expect("eight parameters or more"));
    let share =
        coverage(&along.collect::<Vec<_>>(), |trial| directional(trial, &scope.name, exact));
    let what = format!("directional, {} parameters", scope.parameters);
    println!("{exact:.2}: {what:57} {:5.2} %", 100.0 * share);
    share
}

/// φ, then θ.
const NETWORKS: [Network; 2] = [Network::Encoder, Network::Decoder];

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    for ratios in [[1.0, 0.5], [0.2, 0.05]] {
        let [phi, theta, layer, small] = &measured(Known::new(ratios), 40);
        let [of_phi, of_theta] = ratios.map(f64::from);
        for (scopes, exact) in [(phi, of_phi), (theta, of_theta), (layer, of_theta)] {
            let shares =
                [share_of_ratio(scopes, exact, "40 draws"), share_of_directional(scopes, exact)];
            assert!(shares.iter().all(|share| (share - 0.95).abs() < 0.01), "{exact}: {shares:?}");
        }
        let share = share_of_ratio(small, of_theta, "40 draws, 5 parameters");
        assert!((share - 0.95).abs() < 0.01, "a layer, {of_theta}: {share}");
    }
}

/// The fewest draws, and more draws than groups, so that these differ in size.
#[test]
fn intervals_of_few_and_of_grouped_draws_cover_too() {
    for draws in [20, 50] {
        let ratios = [0.2, 0.5];
        for (scopes, exact) in measured(Known::new(ratios), draws).iter().zip(ratios) {
            let share = share_of_ratio(scopes, exact.into(), &format!("{draws} draws"));
            assert!((share - 0.95).abs() < 0.01, "{draws} draws, {exact}: {share}");
        }
    }
}

/// Where the mean gradient lies among few directions of noise.
#[derive(Clone, Copy, Debug)]
enum Direction {
    /// All parameters have the same mean.
    Even,
    /// The noisiest parameter alone has one.
    Noisiest,
}

/// How often the intervals of ratios hold these `ratios` of φ and θ, whose noise has a variance that falls like 1/i.
fn shares_among_few_directions(direction: Direction, ratios: [f32; 2]) -> [f64; 2] {
    let table = ParameterTable::new(&architecture());
    let (mut means, mut variances) = (vec![0.0; table.total()], vec![0.0; table.total()]);
    for (network, ratio) in NETWORKS.into_iter().zip(ratios) {
        // The first parameter of φ does not vary.
        let range = table.network_range(network);
        let range = range.start.max(1)..range.end;
        let variance = |i: usize| 1.0 / i as f32;
        let falling: Vec<f32> = (1..=range.len()).map(variance).collect();
        let length = ratio * falling.iter().sum::<f32>().sqrt();
        match direction {
            Direction::Even => means[range.clone()].fill(length / (range.len() as f32).sqrt()),
            Direction::Noisiest => means[range.start] = length,
        }
        variances[range].copy_from_slice(&falling);
    }
    let deviations = variances.iter().map(|v| v.sqrt()).collect();
    let measured = measured(Known::of(means, deviations), 40);
    let what = format!("few directions, {direction:?}");
    [0, 1].map(|which| share_of_ratio(&measured[which], ratios[which].into(), &what))
}

/// Among few directions of noise that of the signal is not known from draws that hardly resolve it; it is taken for
/// an average one, so intervals are too wide for a signal where noise is weak, and too narrow where it is strong.
#[test]
fn intervals_of_ratios_among_few_directions_take_an_average_one() {
    let near = |share: f64, expected: f64| (share - expected).abs() < 0.01;
    let [large, half] = shares_among_few_directions(Direction::Even, [1.0, 0.5]);
    let [fifth, twentieth] = shares_among_few_directions(Direction::Even, [0.2, 0.05]);
    assert!(near(large, 0.95) && near(twentieth, 0.95), "{large} {twentieth}");
    assert!(half > 0.96 && fifth > 0.98, "too wide: {half} {fifth}");
    let [large, half] = shares_among_few_directions(Direction::Noisiest, [1.0, 0.5]);
    let [fifth, twentieth] = shares_among_few_directions(Direction::Noisiest, [0.2, 0.05]);
    assert!(near(large, 0.95), "{large}");
    let narrow = [half, fifth, twentieth];
    assert!(narrow.iter().all(|share| *share < 0.945) && fifth < 0.9, "too narrow: {narrow:?}");
}
