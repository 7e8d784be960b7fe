//! Count how often the intervals of a gradient's ratios hold the truth, as they are printed.

use std::f64::consts::{PI, SQRT_2};
use std::ops::Range;

use super::tests::{Known, architecture, measure, model, probe};
use super::{Probe, ScopeSnr};
use crate::estimators::EstimatorSettings;
use crate::model::{Network, ParameterTable};
use crate::random::{Purpose, Stream};
use crate::statistics::Interval;
use crate::statistics::coverage::{TRIALS, coverage, share_error};

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

/// What share of measurements has an interval of ‖E g‖ / √tr Cov g, and what share of these holds `exact`.
#[derive(Clone, Copy, Debug)]
struct Shares {
    exact: f64,
    given: f64,
    held: f64,
}

impl Shares {
    fn of(scopes: &[ScopeSnr], exact: f64, what: &str) -> Self {
        let given = scopes.iter().filter_map(|scope| scope.ratio.interval());
        let given: Vec<Interval> = given.collect();
        let held = coverage(&given, |_| exact);
        let given = given.len() as f64 / scopes.len() as f64;
        println!(
            "{exact:.3}: ‖E g‖ / √tr Cov g, {what:37} given for {:6.2} %, {:5.2} % of these",
            100.0 * given,
            100.0 * held
        );
        Self { exact, given, held }
    }

    /// Whether 95 % of those that are given hold the truth, to one per cent; of those that are not always given, whose
    /// count depends on the noise, to two standard errors besides.
    fn hold(&self) -> bool {
        let errors = if self.given > 0.95 { 0.0 } else { 2.0 };
        (self.held - 0.95).abs() < 0.01 + errors * share_error(self.given * f64::from(TRIALS))
    }
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

/// Two that 40 draws resolve; the least that they do, and one that they may take for more; two that they do not resolve.
const RATIOS: [[f32; 2]; 3] = [[1.0, 0.65], [0.547_722_6, 0.5], [0.2, 0.05]];

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    for ratios in RATIOS {
        let [phi, theta, layer, small] = &measured(Known::new(ratios), 40);
        let [of_phi, of_theta] = ratios.map(f64::from);
        let mut all = vec![Shares::of(small, of_theta, "40 draws, 5 parameters")];
        for (scopes, exact) in [(phi, of_phi), (theta, of_theta), (layer, of_theta)] {
            all.push(Shares::of(scopes, exact, "40 draws"));
            let share = share_of_directional(scopes, exact);
            assert!((share - 0.95).abs() < 0.01, "{exact}: {share}");
        }
        check(ratios, &all);
    }
}

/// Whether ratios that may be resolved are held, and the others are not given.
fn check(ratios: [f32; 2], all: &[Shares]) {
    let expected = |shares: &Shares| match ratios[0] < 0.5 {
        true => shares.given == 0.0,
        false => shares.hold(),
    };
    assert!(all.iter().all(expected), "{ratios:?}: {all:?}");
    // Of what is twice the limit of 40 draws, 1.095, less than one in forty may be missed; here all are seen before.
    assert!(all.iter().all(|shares| shares.exact < 1.0 || shares.given == 1.0), "{all:?}");
}

/// The fewest draws, and more draws than groups, so that these differ in size.
#[test]
fn intervals_of_few_and_of_grouped_draws_cover_too() {
    for (draws, ratios) in [(20, [1.0, 0.8]), (50, [1.0, 0.5])] {
        let measured = measured(Known::new(ratios), draws);
        let shares = [0, 1].map(|which| {
            Shares::of(&measured[which], ratios[which].into(), &format!("{draws} draws"))
        });
        check(ratios, &shares);
    }
}

/// Where the mean gradient lies among few directions of noise.
#[derive(Clone, Copy, Debug)]
enum Direction {
    /// All parameters have the same mean.
    Even,
    /// The noisiest parameter alone has one.
    Noisiest,
    /// The one of least noise alone has one.
    Quietest,
}

/// The intervals of these `ratios` of φ and θ, whose noise has a variance that falls like 1/i.
fn shares_among_few_directions(direction: Direction, ratios: [f32; 2]) -> [Shares; 2] {
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
            Direction::Quietest => means[range.end - 1] = length,
        }
        variances[range].copy_from_slice(&falling);
    }
    let deviations = variances.iter().map(|v| v.sqrt()).collect();
    let measured = measured(Known::of(means, deviations), 40);
    let what = format!("few directions, {direction:?}");
    [0, 1].map(|which| Shares::of(&measured[which], ratios[which].into(), &what))
}

#[test]
fn intervals_of_ratios_among_few_directions_cover_too() {
    for direction in [Direction::Even, Direction::Noisiest, Direction::Quietest] {
        for ratios in RATIOS {
            check(ratios, &shares_among_few_directions(direction, ratios));
        }
    }
}
