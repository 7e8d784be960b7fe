//! List the numbers of the papers.

use super::published_score::{Architecture, Corpus, Provenance, PublishedScore, Score, Source};

use Architecture::{Larger, Reference};
use Corpus::{Mnist, Omniglot};
use Provenance::{SecondHand, Unverified};
use Score::{BetaStudy, Iwae64, LogPHat, LogPHatAfter, MinusKl, SsimOmniglot};

const fn rainforth(
    estimator: &'static str,
    score: Score,
    value: f64,
    sd: f64,
    provenance: Provenance,
) -> PublishedScore {
    PublishedScore {
        source: Source::Rainforth2018,
        corpus: Mnist,
        architecture: Reference,
        estimator,
        score,
        value,
        sd: Some(sd),
        provenance,
    }
}

const fn report(
    corpus: Corpus,
    architecture: Architecture,
    score: Score,
    estimator: &'static str,
    value: f64,
) -> PublishedScore {
    PublishedScore {
        source: Source::Report,
        corpus,
        architecture,
        estimator,
        score,
        value,
        sd: None,
        provenance: Provenance::Primary,
    }
}

/// A score of the reference model with its standard deviation.
const fn spread(
    corpus: Corpus,
    score: Score,
    estimator: &'static str,
    value: f64,
    sd: f64,
) -> PublishedScore {
    PublishedScore { sd: Some(sd), ..report(corpus, Reference, score, estimator, value) }
}

/// What a log of the reference model has after `epochs` epochs.
const fn log(corpus: Corpus, estimator: &'static str, epochs: usize, value: f64) -> PublishedScore {
    report(corpus, Reference, LogPHatAfter(epochs), estimator, value)
}

/// Rainforth et al. 2018, MNIST.
pub(super) const RAINFORTH: &[PublishedScore] = &[
    rainforth("iwae", Iwae64, -86.11, 0.10, SecondHand),
    rainforth("piwae(4,16)", Iwae64, -85.68, 0.06, Unverified),
    rainforth("piwae(8,8)", Iwae64, -85.74, 0.07, SecondHand),
    rainforth("miwae(4,16)", Iwae64, -85.60, 0.07, Unverified),
    rainforth("miwae(8,8)", Iwae64, -85.69, 0.04, SecondHand),
    rainforth("ciwae(0.05)", Iwae64, -85.91, 0.11, Unverified),
    rainforth("ciwae(0.5)", Iwae64, -86.08, 0.08, SecondHand),
    rainforth("vae", Iwae64, -86.69, 0.08, SecondHand),
    rainforth("iwae", LogPHat, -84.52, 0.02, SecondHand),
    rainforth("piwae(4,16)", LogPHat, -84.40, 0.17, Unverified),
    rainforth("piwae(8,8)", LogPHat, -84.46, 0.06, SecondHand),
    rainforth("miwae(4,16)", LogPHat, -84.56, 0.05, SecondHand),
    rainforth("miwae(8,8)", LogPHat, -84.97, 0.10, SecondHand),
    rainforth("ciwae(0.05)", LogPHat, -84.57, 0.09, SecondHand),
    rainforth("ciwae(0.5)", LogPHat, -85.24, 0.08, SecondHand),
    rainforth("vae", LogPHat, -86.21, 0.19, SecondHand),
    rainforth("iwae", MinusKl, -1.59, 0.10, SecondHand),
    rainforth("piwae(4,16)", MinusKl, -1.27, 0.18, Unverified),
    rainforth("piwae(8,8)", MinusKl, -1.28, 0.09, SecondHand),
    rainforth("miwae(4,16)", MinusKl, -1.04, 0.08, Unverified),
    rainforth("miwae(8,8)", MinusKl, -0.72, 0.11, SecondHand),
    rainforth("ciwae(0.05)", MinusKl, -1.34, 0.14, Unverified),
    rainforth("ciwae(0.5)", MinusKl, -0.84, 0.11, SecondHand),
    rainforth("vae", MinusKl, -0.47, 0.20, SecondHand),
];

/// The reproduction report: Table 1 for both models, the logs for Omniglot (mean of the last 20 of
/// 1000 epochs), Table 2, section 4.3, and the logs at the ends of stages.
pub(super) const REPORT: &[PublishedScore] = &[
    report(Mnist, Reference, Iwae64, "iwae", -84.64),
    report(Mnist, Reference, Iwae64, "piwae", -84.72),
    report(Mnist, Reference, Iwae64, "miwae", -84.98),
    report(Mnist, Reference, Iwae64, "ciwae(0.5)", -87.05),
    report(Mnist, Reference, Iwae64, "vae", -87.26),
    report(Mnist, Reference, LogPHat, "iwae", -84.64),
    report(Mnist, Reference, LogPHat, "piwae", -84.90),
    report(Mnist, Reference, LogPHat, "miwae", -85.04),
    report(Mnist, Reference, LogPHat, "ciwae(0.5)", -87.00),
    report(Mnist, Reference, LogPHat, "vae", -87.66),
    report(Mnist, Reference, MinusKl, "iwae", 0.00),
    report(Mnist, Reference, MinusKl, "piwae", 0.19),
    report(Mnist, Reference, MinusKl, "miwae", 0.06),
    report(Mnist, Reference, MinusKl, "ciwae(0.5)", -0.05),
    report(Mnist, Reference, MinusKl, "vae", 0.40),
    report(Mnist, Larger, Iwae64, "iwae", -83.85),
    report(Mnist, Larger, Iwae64, "piwae", -83.86),
    report(Mnist, Larger, Iwae64, "miwae", -83.47),
    report(Mnist, Larger, Iwae64, "ciwae(0.5)", -84.92),
    report(Mnist, Larger, Iwae64, "vae", -85.33),
    report(Mnist, Larger, LogPHat, "iwae", -83.92),
    report(Mnist, Larger, LogPHat, "piwae", -83.84),
    report(Mnist, Larger, LogPHat, "miwae", -83.66),
    report(Mnist, Larger, LogPHat, "ciwae(0.5)", -84.98),
    report(Mnist, Larger, LogPHat, "vae", -85.31),
    report(Mnist, Larger, MinusKl, "iwae", 0.06),
    report(Mnist, Larger, MinusKl, "piwae", -0.02),
    report(Mnist, Larger, MinusKl, "miwae", 0.19),
    report(Mnist, Larger, MinusKl, "ciwae(0.5)", 0.06),
    report(Mnist, Larger, MinusKl, "vae", -0.02),
    report(Omniglot, Reference, LogPHat, "iwae", -105.83),
    report(Omniglot, Reference, LogPHat, "piwae", -106.01),
    report(Omniglot, Reference, LogPHat, "miwae", -106.21),
    report(Omniglot, Reference, LogPHat, "ciwae(0.5)", -110.77),
    report(Omniglot, Reference, LogPHat, "vae", -111.08),
    spread(Mnist, SsimOmniglot, "iwae", 0.58, 0.11),
    spread(Mnist, SsimOmniglot, "piwae", 0.60, 0.11),
    spread(Mnist, SsimOmniglot, "miwae", 0.59, 0.12),
    spread(Mnist, SsimOmniglot, "ciwae(0.5)", 0.58, 0.12),
    spread(Mnist, SsimOmniglot, "vae", 0.57, 0.12),
    spread(Omniglot, SsimOmniglot, "iwae", 0.72, 0.09),
    spread(Omniglot, SsimOmniglot, "piwae", 0.74, 0.08),
    spread(Omniglot, SsimOmniglot, "miwae", 0.75, 0.08),
    spread(Omniglot, SsimOmniglot, "ciwae(0.5)", 0.72, 0.10),
    spread(Omniglot, SsimOmniglot, "vae", 0.72, 0.10),
    spread(Mnist, BetaStudy, "ciwae(fixed)", -81.29, 2.98),
    spread(Mnist, BetaStudy, "ciwae(fixed), caption", -81.99, 2.98),
    spread(Mnist, BetaStudy, "ciwae(learned)", -80.34, 0.49),
    log(Mnist, "iwae", 13, -93.7),
    log(Mnist, "iwae", 40, -89.8),
    log(Mnist, "iwae", 121, -87.8),
    log(Mnist, "iwae", 364, -86.3),
    log(Mnist, "piwae", 13, -93.0),
    log(Mnist, "piwae", 40, -89.6),
    log(Mnist, "piwae", 121, -87.7),
    log(Mnist, "piwae", 364, -86.4),
    log(Mnist, "miwae", 13, -92.3),
    log(Mnist, "miwae", 40, -89.4),
    log(Mnist, "miwae", 121, -87.7),
    log(Mnist, "miwae", 364, -86.5),
    log(Mnist, "vae", 13, -98.2),
    log(Mnist, "vae", 40, -93.2),
    log(Mnist, "vae", 121, -90.8),
    log(Mnist, "vae", 364, -89.3),
    log(Omniglot, "iwae", 13, -123.5),
    log(Omniglot, "iwae", 40, -115.1),
    log(Omniglot, "iwae", 121, -110.2),
    log(Omniglot, "miwae", 13, -122.3),
    log(Omniglot, "miwae", 40, -114.5),
    log(Omniglot, "miwae", 121, -110.2),
    log(Omniglot, "vae", 13, -133.8),
    log(Omniglot, "vae", 40, -123.5),
    log(Omniglot, "vae", 121, -117.0),
];
