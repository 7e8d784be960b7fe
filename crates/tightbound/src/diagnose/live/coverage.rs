//! Count how often the intervals of a gradient's ratios hold the truth, as they are printed.

use super::tests::{Known, measure, model, probe};
use super::{Probe, ScopeSnr};
use crate::estimators::EstimatorSettings;
use crate::model::Network;
use crate::statistics::Interval;

/// Repetitions: one per cent is 4.6 standard errors √(.95 · .05 / 10,000) = .22 %.
const TRIALS: u64 = 10_000;

/// The ratios of φ and of θ in [`TRIALS`] measurements of 40 draws each, for means of `ratios` and
/// noise of variance 1 in every parameter.
fn measured(ratios: [f32; 2]) -> [Vec<ScopeSnr>; 2] {
    let (parameters, iwae) = (model(), EstimatorSettings::new("iwae", 1, 6));
    let mut engine = Known::new(ratios);
    let reports = (0..TRIALS).map(|seed| {
        let probe = Probe { seed, ..probe(&parameters, 40) };
        let report = measure(&mut engine, probe, &iwae).expect("40 draws of finite gradients");
        [Network::Encoder, Network::Decoder].map(|network| report.network(network).clone())
    });
    let (phi, theta) = reports.map(|[phi, theta]| (phi, theta)).unzip();
    [phi, theta]
}

/// The share of the intervals that hold `truth`, printed.
fn coverage(what: &str, truth: f64, intervals: &[Interval]) -> f64 {
    let held = intervals.iter().filter(|i| i.low <= truth && truth <= i.high);
    let share = held.count() as f64 / intervals.len() as f64;
    println!("{what:54} {:5.2} %", 100.0 * share);
    share
}

/// The mean figure of all trials: its own error is a hundredth of one interval's.
fn mean(intervals: &[Interval]) -> f64 {
    intervals.iter().map(|i| i.value).sum::<f64>() / intervals.len() as f64
}

/// Raw and debiased ratios are held against what they are on average over these 40 draws, not against the
/// signal: their intervals speak of scatter, and what |·| and the cut at 0 add per parameter stays in them.
fn shares(scopes: &[ScopeSnr], exact: f32) -> [f64; 4] {
    let of = |figure: fn(&ScopeSnr) -> Interval| scopes.iter().map(figure).collect::<Vec<_>>();
    let (raw, debiased, ratio) = (of(|s| s.raw), of(|s| s.debiased), of(|s| s.ratio));
    let directional = of(|s| s.directional.expect("more parameters than one"));
    coverage(&format!("{exact}: debiased, of the signal"), f64::from(exact), &debiased);
    assert!(ratio.iter().all(|i| i.high > 0.0), "a ratio of 0 has an upper end");
    [
        coverage(&format!("{exact}: raw"), mean(&raw), &raw),
        coverage(&format!("{exact}: debiased"), mean(&debiased), &debiased),
        coverage(&format!("{exact}: ‖E g‖ / √tr Cov g"), f64::from(exact), &ratio),
        coverage(&format!("{exact}: directional"), mean(&directional), &directional),
    ]
}

#[test]
fn intervals_of_ratios_cover_in_ninety_five_per_cent() {
    let ratios = [1.0, 0.5];
    for (scopes, exact) in measured(ratios).iter().zip(ratios) {
        let [raw, debiased, ratio, directional] = shares(scopes, exact);
        for share in [raw, debiased, ratio] {
            assert!((share - 0.95).abs() < 0.01, "{exact}: {share}");
        }
        // It takes the direction as given, which 20 draws leave open the more, the smaller the signal.
        assert!((0.93..0.96).contains(&directional), "{exact}: {directional}");
    }
}

/// Below what the draws resolve, the interval's lower end is cut off at 0 and a negative square keeps its
/// width, so the interval holds the truth more often than 95 %.
#[test]
fn intervals_of_ratios_under_the_noise_are_wide() {
    let ratios = [0.05, 0.2];
    for (scopes, exact) in measured(ratios).iter().zip(ratios) {
        let [raw, debiased, ratio, _] = shares(scopes, exact);
        assert!(raw.min(debiased).min(ratio) > 0.95, "{exact}: {raw} {debiased} {ratio}");
    }
}
