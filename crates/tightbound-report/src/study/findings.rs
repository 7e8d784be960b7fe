//! Say in sentences what the scores show, and nothing that they do not.

use statrs::distribution::{ContinuousCDF, Normal};
use tightbound::evaluate::ImageRow;
use tightbound::statistics::Interval;

use super::comparison::{Comparison, Method};
use super::run::Run;
use super::tables::report_ssim;
use crate::number::{Measured, mean_and_sd};
use crate::scores::{FEWEST_SEEDS, LEVEL, OverSeeds, pairs, tested_means};

/// A note on the weights is due from this fraction of images on.
const MANY_IMAGES: f64 = 0.05;

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

/// A method with a score of its seeds, and the mean of that.
type Ranked<'a> = (&'a Method<'a>, Vec<f64>, Measured);

/// The methods that have a score, from the highest mean.
fn ranked<'a>(
    comparison: &'a Comparison<'a>,
    score: impl Fn(&Method) -> Vec<f64>,
) -> Vec<Ranked<'a>> {
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
    let [first, second, ..] = &ranked[..] else { return None };
    let [(best, values, mean), (next, others, other)] = [first, second];
    let spread = if values.len().max(others.len()) > 1 { " (± sd over seeds)" } else { "" };
    let begin = format!(
        "On {}, {} has the highest log p̂, {mean} nats, and {} the next, {other}{spread}",
        comparison.name(),
        best.label,
        next.label
    );
    let verdict = if comparison.is_scored_alike(comparison.data) {
        how_clear([first, second], &ranked)
    } else {
        "not all were scored alike, so that nothing follows".to_owned()
    };
    Some(format!("{begin}; {verdict}."))
}

/// Whether the log p̂ of two methods `among` others differ: over seeds, or of single runs on the same images.
fn how_clear(two: [&Ranked; 2], among: &[Ranked]) -> String {
    let [(_, values, _), (_, others, _)] = two;
    match OverSeeds::test(values, others, seeds_means(among)) {
        OverSeeds::P(p) if p < 0.001 => {
            "over seeds the difference is clear (Games–Howell test, p < 0.001)".to_owned()
        }
        OverSeeds::P(p) if p < LEVEL => {
            format!("over seeds the difference is clear (Games–Howell test, p = {p:.3})")
        }
        OverSeeds::P(p) => {
            format!("over seeds the two are not told apart (Games–Howell test, p = {p:.2})")
        }
        OverSeeds::Undefined => "whether seeds would tell the two apart is not known".to_owned(),
        OverSeeds::TooFew => on_the_same_images(two, among.len()).unwrap_or_else(|| {
            format!(
                "whether seeds would tell the two apart is not known: a test needs \
                 {FEWEST_SEEDS} of each"
            )
        }),
    }
}

/// Whether the log p̂ of two methods of `among` differ image by image; none unless each has one run.
fn on_the_same_images(
    [(best, values, _), (next, others, _)]: [&Ranked; 2],
    among: usize,
) -> Option<String> {
    if (values.len(), others.len()) != (1, 1) {
        return None;
    }
    let difference = paired(best, next, |row| row.log_p_hat)?;
    let told = match is_clear(&difference, pairs(among)) {
        true => "on the same images these two models differ",
        false => "even on the same images these two models are not told apart",
    };
    Some(format!(
        "{told} ({difference} nats, 95 % interval); what another seed would give is not known from one run each"
    ))
}

/// How many of these methods have seeds enough for a test.
fn seeds_means(ranked: &[Ranked]) -> usize {
    tested_means(ranked.iter().map(|(_, values, _)| values.as_slice()))
}

/// Standard errors that a difference must exceed to be called one, among so many pairs (Bonferroni).
fn errors_wanted(pairs: usize) -> f64 {
    Normal::standard().inverse_cdf(1.0 - LEVEL / (2.0 * pairs as f64))
}

/// Whether a difference with its 95 % interval is above zero, whichever of the pairs it is of.
fn is_clear(difference: &Interval, pairs: usize) -> bool {
    let error = (difference.high - difference.value) / errors_wanted(1);
    difference.value > errors_wanted(pairs) * error
}

/// The mean difference of a score, image by image, of the only scored runs; none if their images are
/// not known or not the same.
fn paired(a: &Method, b: &Method, score: fn(&ImageRow) -> f64) -> Option<Interval> {
    let (a, b) = (scored_run(a)?, scored_run(b)?);
    let ids = |rows: &[ImageRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    if a.images.len() < 2 || ids(&a.images) != ids(&b.images) {
        return None;
    }
    let pairs = a.images.iter().zip(&b.images);
    Some(Interval::of_mean(&pairs.map(|(a, b)| score(a) - score(b)).collect::<Vec<_>>()))
}

/// The first run with scores.
fn scored_run<'a>(method: &Method<'a>) -> Option<&'a Run> {
    method.runs.iter().copied().find(|run| run.own().is_some())
}

/// How many images' log p̂ cannot be relied on, where that are many.
fn unreliable(comparison: &Comparison) -> Option<String> {
    let above = |m: &Method| m.scores(comparison.data, |e| Some(e.scores.pareto_k?.above));
    let ranked = ranked(comparison, above);
    let (worst, least) = (ranked.first()?, ranked.last()?);
    if worst.2.value <= MANY_IMAGES {
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
        "On {}, log p̂ may be far too low for {range} (Pareto k̂ above its limit): rankings by log p̂ \
         are rankings of a lower bound, and flatter a model whose encoder is close to its posterior.",
        comparison.name()
    ))
}

/// What can be said of the first and the last of a ranking: nothing where seeds do not tell them apart or are
/// too few for a test, or single runs do not even `differ` on their images; else how far to believe it.
fn told_apart(ranked: &[Ranked], differ: impl FnOnce() -> bool) -> Option<&'static str> {
    let [(_, first, _), .., (_, last, _)] = ranked else { return None };
    match OverSeeds::test(first, last, seeds_means(ranked)) {
        OverSeeds::P(p) if p < LEVEL => {
            Some(" (Games–Howell test over seeds, all pairs of bounds counted)")
        }
        OverSeeds::TooFew if (first.len(), last.len()) == (1, 1) => {
            differ().then_some(" (one run each; seeds may differ)")
        }
        OverSeeds::P(_) | OverSeeds::TooFew | OverSeeds::Undefined => None,
    }
}

/// Between which encoders the distance to the posterior differs most.
fn closest(comparison: &Comparison) -> Option<String> {
    let ranked =
        ranked(comparison, |m| m.scores(comparison.data, |e| Some(-e.scores.kl_q_p.value)));
    let [first, .., last] = &ranked[..] else { return None };
    if !comparison.is_scored_alike(comparison.data) {
        return None;
    }
    let all = pairs(ranked.len());
    let how_sure = told_apart(&ranked, || {
        let kl = |row: &ImageRow| row.log_p_hat - row.elbo;
        paired(last.0, first.0, kl).is_some_and(|difference| is_clear(&difference, all))
    })?;
    Some(format!(
        "On {}, the encoder of {} is closer to its posterior, KL(q‖p) at least {:.2} nats, than that of \
         {}, at least {:.2}{how_sure}.",
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
    others.sort_unstable();
    let other = others.first()?;
    let ranked = ranked(comparison, |m| m.scores(other, |e| Some(report_ssim(e)?.0)));
    let [first, .., last] = &ranked[..] else { return None };
    if !comparison.is_scored_alike(other) {
        return None;
    }
    let all = pairs(ranked.len());
    let how_sure = told_apart(&ranked, || {
        // Of other data's single images nothing is read: both means vary, as if independently, so that
        // less is claimed than pairs of images would allow.
        let squared_error = |method: &Method| {
            let evaluation = method.runs.iter().find_map(|run| run.on(other))?;
            Some(report_ssim(evaluation)?.1.powi(2) / evaluation.scores.images as f64)
        };
        let variance = squared_error(first.0).zip(squared_error(last.0)).map(|(a, b)| a + b);
        variance
            .is_some_and(|variance| first.1[0] - last.1[0] > errors_wanted(all) * variance.sqrt())
    })?;
    Some(format!(
        "Trained on {} and shown {other}, {} reconstructs better (SSIM {:.3}, zero-padded) than {} \
         ({:.3}){how_sure}.",
        comparison.name(),
        first.0.label,
        first.2.value,
        last.0.label,
        last.2.value
    ))
}
