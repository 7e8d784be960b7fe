//! Say in sentences what the scores show, and nothing that they do not.

use tightbound::evaluate::{ImageRow, RELIABLE_K};
use tightbound::statistics::Interval;

use super::comparison::{Comparison, Method};
use super::tables::report_ssim;
use crate::number::{Measured, mean_and_sd};
use crate::scores::welch_p;

/// Differences are called so if they would come about by chance once in twenty times.
const LEVEL: f64 = 0.05;

/// What all comparisons show, the most important first.
pub(super) fn findings(comparisons: &[Comparison]) -> Vec<String> {
    let mut findings = Vec::new();
    for comparison in comparisons {
        findings.extend(highest(comparison));
        findings.extend(unreliable(comparison));
        findings.extend(closest(comparison));
        findings.extend(similarity(comparison));
    }
    findings
}

/// The methods that have a score, with its mean over seeds, from the highest.
fn ranked<'a>(
    comparison: &'a Comparison<'a>,
    score: impl Fn(&Method) -> Vec<f64>,
) -> Vec<(&'a Method<'a>, Vec<f64>, Measured)> {
    let scored = comparison.methods.iter().map(|method| (method, score(method)));
    let scored = scored.filter(|(_, values)| !values.is_empty());
    let mut ranked: Vec<_> =
        scored.map(|(method, values)| (method, values.clone(), mean_and_sd(&values))).collect();
    ranked.sort_by(|a, b| b.2.value.total_cmp(&a.2.value));
    ranked
}

/// Which method has the highest log p̂, and how far ahead of the next it is.
fn highest(comparison: &Comparison) -> Option<String> {
    let ranked =
        ranked(comparison, |m| m.scores(comparison.data, |e| Some(e.scores.log_p_hat.value)));
    let [(best, values, mean), (next, others, other), ..] = &ranked[..] else { return None };
    let begin = format!(
        "On {}, {} has the highest log p̂, {mean} nats, and {} the next, {other}",
        comparison.name(),
        best.label,
        next.label
    );
    let verdict = if let Some(p) = welch_p(values, others) {
        match p < LEVEL {
            true => format!("; over seeds the difference is clear (Welch's test, p = {p:.3})"),
            false => format!("; over seeds the two are not told apart (Welch's test, p = {p:.2})"),
        }
    } else if let Some(difference) = paired(best, next) {
        let told = if difference.low > 0.0 {
            "on the same images these two models differ"
        } else {
            "even on the same images these two models are not told apart"
        };
        format!(
            "; {told} ({difference} nats); what another seed would give is not known from one run \
             each"
        )
    } else {
        String::new()
    };
    Some(format!("{begin}{verdict}."))
}

/// The mean difference of log p̂, image by image, of the first runs; none if they were scored
/// on different things.
fn paired(a: &Method, b: &Method) -> Option<Interval> {
    let (a, b) = (a.runs[0], b.runs[0]);
    let (own, other) = (a.own()?, b.own()?);
    let ids = |rows: &[ImageRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let alike = own.on == other.on && own.options == other.options;
    if !alike || a.images.len() < 2 || ids(&a.images) != ids(&b.images) {
        return None;
    }
    let pairs = a.images.iter().zip(&b.images);
    Some(Interval::of_mean(&pairs.map(|(a, b)| a.log_p_hat - b.log_p_hat).collect::<Vec<_>>()))
}

/// How many images' log p̂ cannot be relied on, where that are many.
fn unreliable(comparison: &Comparison) -> Option<String> {
    let above = |m: &Method| m.scores(comparison.data, |e| Some(e.scores.pareto_k?.above));
    let ranked = ranked(comparison, above);
    let (worst, least) = (ranked.first()?, ranked.last()?);
    if worst.2.value <= LEVEL {
        return None;
    }
    let percent = |value: f64| format!("{:.0} %", 100.0 * value);
    let range = if worst.0.label == least.0.label {
        format!("{} of the test images", percent(worst.2.value))
    } else {
        format!(
            "{} of the test images with {} and {} with {}",
            percent(worst.2.value),
            worst.0.label,
            percent(least.2.value),
            least.0.label
        )
    };
    Some(format!(
        "On {}, log p̂ may be far too low for {range} (Pareto k̂ > {RELIABLE_K}): rankings by log p̂ \
         are rankings of a lower bound, and flatter a model whose encoder is close to its posterior.",
        comparison.name()
    ))
}

/// What can be said of the first and the last of a ranking: nothing where seeds do not tell them apart,
/// and how far to believe it where there is one run each.
fn told_apart(first: &[f64], last: &[f64]) -> Option<&'static str> {
    match welch_p(first, last) {
        Some(p) if p >= LEVEL => None,
        Some(_) => Some(""),
        None => Some(" (one run each; seeds may differ)"),
    }
}

/// Whose encoder is closest to the posterior.
fn closest(comparison: &Comparison) -> Option<String> {
    let ranked =
        ranked(comparison, |m| m.scores(comparison.data, |e| Some(-e.scores.kl_q_p.value)));
    let [first, .., last] = &ranked[..] else { return None };
    let how_sure = told_apart(&first.1, &last.1)?;
    Some(format!(
        "On {}, the encoder of {} is closest to its posterior, KL(q‖p) {:.2} nats; that of {} is \
         farthest, {:.2}{how_sure}.",
        comparison.name(),
        first.0.label,
        -first.2.value,
        last.0.label,
        -last.2.value
    ))
}

/// How well other images are reconstructed.
fn similarity(comparison: &Comparison) -> Option<String> {
    let evaluations = comparison.methods.iter().flat_map(|m| &m.runs).flat_map(|r| &r.evaluations);
    let mut others: Vec<&str> = evaluations
        .filter(|e| e.on.part == "test" && e.on.data != comparison.data)
        .map(|e| &*e.on.data)
        .collect();
    others.dedup();
    let other = others.first()?;
    let ranked = ranked(comparison, |m| m.scores(other, |e| Some(report_ssim(e)?.0)));
    let [first, .., last] = &ranked[..] else { return None };
    let how_sure = told_apart(&first.1, &last.1)?;
    Some(format!(
        "Trained on {} and shown {other}, {} reconstructs best (SSIM {:.3}, zero-padded) and {} worst \
         ({:.3}){how_sure}.",
        comparison.name(),
        first.0.label,
        first.2.value,
        last.0.label,
        last.2.value
    ))
}
