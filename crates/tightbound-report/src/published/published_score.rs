//! Name a published score by its source, data, model, estimator and kind, and find it.

use super::numbers::{RAINFORTH, REPORT};
use crate::scores::Published;

/// What has to be said wherever columns of [`Source::Report`] are shown.
pub const REPORT_CAVEAT: &str = "The report's evaluation slices batches instead of samples, so that \
    its \"IWAE-64\" is IWAE-5000 on 64 batches and its \"−KL\" is noise, and its PIWAE, CIWAE and VAE \
    were not trained with the samples it names: its columns are context, not a target.";

/// Who published a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Rainforth, Kosiorek, Le, Maddison, Igl, Wood & Teh: *Tighter Variational Bounds are Not
    /// Necessarily Better*, ICML 2018. Mean and standard deviation over four runs of 3280 epochs.
    Rainforth2018,
    /// The reproduction report of that paper: Table 1 (one run of 3280 epochs each; two sizes of the
    /// model), Table 2 (SSIM ± standard deviation over images), its study of β (section 4.3), and its
    /// logs: for Omniglot at the end, for both at the ends of stages of the ladder.
    /// [`REPORT_CAVEAT`] belongs to it.
    Report,
}

/// The data of a training run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corpus {
    /// Handwritten digits, binarised anew at every use.
    Mnist,
    /// Handwritten characters of many alphabets, binarised anew at every use.
    Omniglot,
}

/// The size of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Two layers of 200, and 50 latents.
    Reference,
    /// Layers of 400, and 20 latents.
    Larger,
}

/// The kind of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// The bound of 64 samples on the test set; for [`Source::Report`] it is not, see
    /// [`REPORT_CAVEAT`].
    Iwae64,
    /// The bound of 5000 samples on the test set.
    LogPHat,
    /// The same in the log of a training, after so many epochs.
    LogPHatAfter(usize),
    /// IWAE-64 − log p̂.
    MinusKl,
    /// Similarity of reconstructions to the images of Omniglot's test set, whatever the training data.
    SsimOmniglot,
    /// The score of the report's study of β, in nats, which the report compares only with itself.
    BetaStudy,
}

/// How far a number has been followed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Read in the source itself.
    Primary,
    /// Read in another project's table or code.
    SecondHand,
    /// Still to be checked against the source.
    Unverified,
}

impl Provenance {
    /// Whether the number was read in the source itself.
    pub fn checked(self) -> bool {
        self == Self::Primary
    }

    /// The mark behind such a number; empty for what was read in the source.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Primary => "",
            Self::SecondHand => "‡",
            Self::Unverified => "§",
        }
    }

    /// The sentence that explains the mark.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Primary => None,
            Self::SecondHand => Some("‡: read in another project, not in the paper itself."),
            Self::Unverified => Some("§: still to be checked against the paper."),
        }
    }
}

/// A published number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedScore {
    /// Who published it.
    pub source: Source,
    /// What the model was trained on.
    pub corpus: Corpus,
    /// The size of the model.
    pub architecture: Architecture,
    /// The estimator as the program names it, with its samples or β where the source has several:
    /// `iwae`, `miwae(4,16)`, `ciwae(0.05)`.
    pub estimator: &'static str,
    /// What was measured.
    pub score: Score,
    /// The number.
    pub value: f64,
    /// Its standard deviation: over runs, or over images for SSIM.
    pub sd: Option<f64>,
    /// How far it has been followed back.
    pub provenance: Provenance,
}

/// The number for a cell of a [`ScoreTable`](crate::ScoreTable), with the mark of its provenance.
impl From<&PublishedScore> for Published {
    fn from(score: &PublishedScore) -> Self {
        Self { value: score.value, sd: score.sd, mark: score.provenance.mark() }
    }
}

/// All published numbers, in the order of their tables.
pub fn published_scores() -> impl Iterator<Item = &'static PublishedScore> {
    RAINFORTH.iter().chain(REPORT)
}

/// The number that a source has for a score of an estimator; none where it has none.
///
/// The estimators of [`Source::Rainforth2018`] are `iwae`, `piwae(4,16)`, `piwae(8,8)`,
/// `miwae(4,16)`, `miwae(8,8)`, `ciwae(0.05)`, `ciwae(0.5)` and `vae`; those of [`Source::Report`]
/// are `iwae`, `piwae`, `miwae`, `ciwae(0.5)` and `vae`, and in its study of β `ciwae(learned)` and
/// `ciwae(fixed)`, for which its text and the caption of its figure differ: `ciwae(fixed), caption`.
///
/// ```
/// use tightbound_report::{Architecture, Corpus, Published, Score, Source, published};
///
/// let paper = |score| {
///     published(Source::Rainforth2018, Corpus::Mnist, Architecture::Reference, "miwae(8,8)", score)
/// };
/// let found = paper(Score::LogPHat).unwrap();
/// assert_eq!((found.value, found.sd), (-84.97, Some(0.10)));
/// assert_eq!(Published::from(found).mark, "‡", "second-hand");
/// assert!(paper(Score::SsimOmniglot).is_none());
/// ```
pub fn published(
    source: Source,
    corpus: Corpus,
    architecture: Architecture,
    estimator: &str,
    score: Score,
) -> Option<&'static PublishedScore> {
    published_scores().find(|known| {
        (known.source, known.corpus, known.architecture) == (source, corpus, architecture)
            && (known.estimator, known.score) == (estimator, score)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_has_a_name_of_its_own() {
        for known in published_scores() {
            let PublishedScore { source, corpus, architecture, estimator, score, .. } = *known;
            let found = published(source, corpus, architecture, estimator, score).unwrap();
            assert!(std::ptr::eq(found, known), "{known:?}");
        }
        assert_eq!(published_scores().count(), 3 * 8 + 2 * 3 * 5 + 5 + 2 * 5 + 3 + 4 * 4 + 3 * 3);
    }

    /// What was read wrongly would rarely fit: −KL is the difference of the other two, up to the rounding
    /// of three numbers by 0.005 each.
    #[test]
    fn differences_are_those_of_their_terms() {
        let mut checked = 0;
        for known in published_scores().filter(|known| known.score == Score::MinusKl) {
            let other = |score| {
                published(known.source, known.corpus, known.architecture, known.estimator, score)
                    .unwrap()
                    .value
            };
            let difference = other(Score::Iwae64) - other(Score::LogPHat);
            assert!((difference - known.value).abs() < 0.015 + 1e-9, "{known:?} {difference}");
            checked += 1;
        }
        assert_eq!(checked, 8 + 2 * 5);
    }

    /// Every log rises to what was published at its end.
    #[test]
    fn logs_rise() {
        for estimator in ["iwae", "piwae", "miwae", "vae"] {
            for corpus in [Corpus::Mnist, Corpus::Omniglot] {
                let report = |score| {
                    let size = Architecture::Reference;
                    published(Source::Report, corpus, size, estimator, score).map(|p| p.value)
                };
                let stages = [13, 40, 121, 364].map(Score::LogPHatAfter);
                let all: Vec<f64> =
                    stages.into_iter().chain([Score::LogPHat]).filter_map(report).collect();
                assert!(all.is_sorted_by(|a, b| a < b), "{estimator} {corpus:?}: {all:?}");
            }
        }
    }

    #[test]
    fn marks_and_notes_belong_together() {
        for provenance in [Provenance::Primary, Provenance::SecondHand, Provenance::Unverified] {
            let explained =
                provenance.note().is_some_and(|note| note.starts_with(provenance.mark()));
            assert_eq!(explained, !provenance.checked());
        }
        let marks = published_scores().filter(|known| known.source == Source::Rainforth2018);
        let unverified = marks.filter(|known| known.provenance == Provenance::Unverified).count();
        assert_eq!(unverified, 3 + 1 + 3, "as many cells still want a check");
    }
}
