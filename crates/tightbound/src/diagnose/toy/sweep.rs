//! Let K grow at M = 1, or M at K = 1, and fit how signal-to-noise ratios follow.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::accumulate::{Accumulator, Part};
use super::measure::{Progress, ToyError, ToyOptions, accumulate};
use super::naming::{is_called, label};
use super::problem::Perturbation;
use super::rates::rate;
use super::slope::{Resolved, Slope};
use super::verdict::{ASYMPTOTIC, Verdict, judge};
use crate::diagnose::{DirectionalSnr, Snr, SnrError};
use crate::estimators::{EstimatorError, EstimatorSettings, Gradient, examples};
use crate::statistics::{Interval, Jackknife, Passed};

/// A ratio is resolved from this many standard deviations of a measured mean on, 1/√R each for R draws
/// without a guide.
///
/// A parameter whose own ratio is not resolved adds its noise's length to the raw mean. From here on these are few if
/// the parameters' ratios lie about as the lengths of normal numbers do, which is how this problem's parameters
/// are moved, and intervals hold the truth as often as they say, at this limit too: they are those of ratios that came
/// out above it. Where half of the parameters have no signal at all they do not.
pub const RESOLVED: f64 = 8.0;

/// The largest M or K: the samples of one draw must fit memory on every core.
const MOST_SAMPLES: usize = 100_000;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axis {
    /// K, at M = 1.
    K,
    /// M, at K = 1.
    M,
}

/// Sizes along one axis, and the estimators to measure there.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// What grows.
    pub axis: Axis,
    /// Its values.
    pub sizes: Vec<usize>,
    /// Slopes are fitted through the sizes from here on, where the asymptotic regime is hoped for.
    pub fit_from: usize,
    /// Labels or names of estimators, which stand for all their rules; all estimators if empty.
    pub chosen: Vec<String>,
}

/// One part of one estimator's gradient at one size.
#[derive(Clone, Debug)]
pub struct Row {
    /// The estimator, with its M and K.
    pub estimator: EstimatorSettings,
    /// K or M, whichever grows.
    pub size: usize,
    /// The parameters.
    pub part: Part,
    /// Signal and noise, or why there is none.
    pub quality: Result<Quality, SnrError>,
    /// The SNR from all draws, then without each group of them.
    snrs: Vec<Snr>,
}

/// Signal against noise of one gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Per parameter, and over all.
    pub snr: Snr,
    /// About the mean direction.
    pub directional: DirectionalSnr,
}

/// How one part of one estimator's gradient follows the size.
#[derive(Clone, Debug)]
pub struct SlopeRow {
    /// The estimator at the largest size.
    pub estimator: EstimatorSettings,
    /// The parameters.
    pub part: Part,
    /// The sizes that the line goes through.
    pub sizes: Vec<usize>,
    /// The fit; none through fewer than two sizes, or where a ratio is zero.
    pub slope: Option<Slope>,
    /// The slope that theory expects of large sizes, where there is a theorem.
    pub rate: Option<f64>,
    /// Whether both agree, where the sizes are large enough to tell.
    pub verdict: Option<Verdict>,
}

/// What came of a sweep.
#[derive(Clone, Debug)]
pub struct SweepReport {
    /// By size, estimator and part.
    pub rows: Vec<Row>,
    /// By estimator and part.
    pub slopes: Vec<SlopeRow>,
}

/// Estimates of two parameters' gradients, for a histogram.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimates {
    /// The estimator, with its M and K.
    pub estimator: EstimatorSettings,
    /// The gradient of b_1, one mean over all points per draw.
    pub b: Vec<f64>,
    /// The gradient of μ_1, likewise.
    pub mu: Vec<f64>,
}

impl Axis {
    /// The default sweep's sizes.
    pub const SIZES: [usize; 7] = [1, 3, 10, 30, 100, 300, 1000];

    /// The letter of what grows.
    pub fn name(self) -> &'static str {
        match self {
            Self::K => "K",
            Self::M => "M",
        }
    }
}

impl Sweep {
    /// All estimators at 1, 3, …, 1000, with slopes from [`ASYMPTOTIC`] on.
    pub fn new(axis: Axis) -> Self {
        Self { axis, sizes: Axis::SIZES.to_vec(), fit_from: ASYMPTOTIC, chosen: Vec::new() }
    }

    /// All estimators at `size`.
    ///
    /// Along K every bound under every rule, M·K samples each; an estimator without an inner
    /// average has M = `size` there. Along M, where K = 1 makes all bounds the ELBO, the plain rule
    /// and the one without score terms.
    fn all(&self, size: usize) -> Vec<EstimatorSettings> {
        match self.axis {
            Axis::K => examples(1, size),
            Axis::M => [Gradient::Plain, Gradient::Stl]
                .map(|rule| EstimatorSettings::new("miwae", size, 1).with_gradient(rule))
                .to_vec(),
        }
    }

    /// The chosen estimators at `size`.
    fn estimators(&self, size: usize) -> Vec<EstimatorSettings> {
        let chosen = |s: &EstimatorSettings| {
            self.chosen.is_empty() || self.chosen.iter().any(|name| is_called(s, name))
        };
        self.all(size).into_iter().filter(chosen).collect()
    }

    /// Measures everything; `progress` hears how far it is.
    pub fn measure(
        &self,
        options: &ToyOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<SweepReport, ToyError> {
        self.check(options)?;
        let problem = options.problem();
        let of = problem.points.len();
        let mut rows = Vec::new();
        for &size in &self.sizes {
            let wanted = self.estimators(size);
            let guided = Guided::new(wanted)?;
            let heard = &mut |done| progress(Progress { size, done, of });
            let sums = accumulate(&problem, &guided.all, options.draws, heard)?;
            for (estimator, sum, guide) in guided.pairs(&sums) {
                rows.extend(Part::ALL.map(|part| row(estimator, size, part, [sum, guide])));
            }
        }
        let slopes = self.slopes(&rows, options.perturbation);
        Ok(SweepReport { rows, slopes })
    }

    /// Draws the estimates of b_1's and μ_1's gradients that a histogram shows, at every size.
    pub fn estimates(
        &self,
        options: &ToyOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Estimates>, ToyError> {
        self.check(options)?;
        let problem = options.problem();
        let of = problem.points.len();
        let mut all = Vec::new();
        for &size in &self.sizes {
            let estimators = self.estimators(size);
            let heard = &mut |done| progress(Progress { size, done, of });
            let sums = accumulate(&problem, &estimators, options.draws, heard)?;
            all.extend(estimators.into_iter().zip(sums).map(|(estimator, sum)| Estimates {
                estimator,
                b: sum.estimates(Part::B, 0),
                mu: sum.estimates(Part::Mu, 0),
            }));
        }
        Ok(all)
    }

    /// Refuses what cannot be measured.
    fn check(&self, options: &ToyOptions) -> Result<(), ToyError> {
        options.check()?;
        let what = self.axis.name();
        let largest = *self.sizes.iter().max().ok_or(ToyError::Nothing(what))?;
        for (i, &size) in self.sizes.iter().enumerate() {
            if size == 0 {
                return Err(ToyError::TooSmall { what, least: 1, given: size });
            }
            if size > MOST_SAMPLES {
                return Err(ToyError::TooLarge { what, most: MOST_SAMPLES, given: size });
            }
            if self.sizes[..i].contains(&size) {
                return Err(ToyError::Repeated { what, size });
            }
        }
        let all = self.all(largest);
        let chosen = self.estimators(largest).len();
        for name in &self.chosen {
            if !all.iter().any(|s| is_called(s, name)) {
                let known: Vec<_> = all.iter().map(label).collect();
                let known = known.join(", ");
                return Err(ToyError::NoSuchEstimator { name: name.clone(), known });
            }
        }
        // Every estimator may bring a guide.
        options.check_memory(2 * chosen, largest)
    }

    /// One slope per estimator and part, in the order of the largest size.
    fn slopes(&self, rows: &[Row], perturbation: Perturbation) -> Vec<SlopeRow> {
        let largest = self.sizes.iter().max();
        let ends = rows.iter().filter(|row| Some(&row.size) == largest);
        ends.map(|end| {
            let same = |row: &&Row| row.size >= self.fit_from && row.is_of_the_series(end);
            let series: Vec<&Row> = rows.iter().filter(same).collect();
            let sizes: Vec<usize> = series.iter().map(|row| row.size).collect();
            let slope = slope(&series, &sizes);
            let rate = rate(&end.estimator, end.part, self.axis);
            let verdict = judge(slope, rate, &sizes, perturbation);
            let estimator = end.estimator.clone();
            SlopeRow { estimator, part: end.part, sizes, slope, rate, verdict }
        })
        .collect()
    }
}

impl Row {
    /// The 95 % confidence interval of the SNR, where it is [resolved](RESOLVED): that of the raw ratio's
    /// logarithm, from leaving draws out as for a slope, given that it is resolved. Its middle is not the debiased
    /// ratio, which lies lower by about 1/(2 R r); near the limit it reaches further down.
    pub fn interval(&self) -> Option<[f64; 2]> {
        let Resolved { logs, passed } = self.resolved()?;
        let Interval { low, high, .. } = Jackknife::of_equal_groups(&logs)?.interval(&[passed]);
        let ends = [low, high].map(f64::exp);
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }

    /// The raw SNR and how many times its floor it is, if it is resolved and there are draws to leave out.
    pub(super) fn resolved(&self) -> Option<Resolved> {
        let limit = RESOLVED * (PI / 2.0).sqrt();
        let first = self.snrs.first()?;
        let is_resolved = first.raw >= limit * first.floor;
        if !is_resolved {
            return None;
        }
        let each =
            |of: fn(&Snr) -> f64| self.snrs.iter().map(|snr| of(snr).ln()).collect::<Vec<_>>();
        let figure = Jackknife::of_equal_groups(&each(|snr| snr.raw / snr.floor))?;
        let passed = Passed { figure, limit: limit.ln() };
        Some(Resolved { logs: each(|snr| snr.raw), passed })
    }

    /// Whether both rows differ in M and K alone.
    fn is_of_the_series(&self, other: &Self) -> bool {
        let shaped = |row: &Self| EstimatorSettings { m: 1, k: 1, ..row.estimator.clone() };
        self.part == other.part && shaped(self) == shaped(other)
    }
}

/// The slope of the debiased SNR of these rows on their sizes; none where a ratio is not known.
pub(super) fn slope(series: &[&Row], sizes: &[usize]) -> Option<Slope> {
    let ratios: Result<Vec<f64>, _> =
        series.iter().map(|row| row.quality.as_ref().map(|quality| quality.snr.debiased)).collect();
    let resolved: Option<Vec<Resolved>> = series.iter().map(|row| row.resolved()).collect();
    Slope::fit(sizes, &ratios.ok()?, resolved.as_deref())
}

/// Measures one part of one estimator, whose mean φ gradient is its guide's.
pub(super) fn row(
    estimator: &EstimatorSettings,
    size: usize,
    part: Part,
    sums: [&Accumulator; 2],
) -> Row {
    let [own, guide] = sums;
    let guide = if part.is_phi() { guide } else { own };
    let measured = own.snrs(guide, part).and_then(|snrs| {
        let directional = own.directional(guide, part)?;
        Ok((Quality { snr: snrs[0], directional }, snrs))
    });
    let (quality, snrs) = match measured {
        Ok((quality, snrs)) => (Ok(quality), snrs),
        Err(error) => (Err(error), Vec::new()),
    };
    Row { estimator: estimator.clone(), size, part, quality, snrs }
}

/// Estimators, and for each the one that its mean φ gradient is taken from.
struct Guided {
    all: Vec<EstimatorSettings>,
    /// For the first of `all`: the position of the guide.
    guides: Vec<usize>,
}

impl Guided {
    /// Adds the guides that are not wanted for themselves.
    fn new(wanted: Vec<EstimatorSettings>) -> Result<Self, EstimatorError> {
        let mut all = wanted.clone();
        let mut guides = Vec::new();
        for settings in &wanted {
            let guide = guide(settings)?;
            let found = all.iter().position(|s| *s == guide);
            guides.push(found.unwrap_or(all.len()));
            if found.is_none() {
                all.push(guide);
            }
        }
        Ok(Self { all, guides })
    }

    /// Each wanted estimator, what was summed of it, and of its guide.
    fn pairs<'a>(
        &'a self,
        sums: &'a [Accumulator],
    ) -> impl Iterator<Item = (&'a EstimatorSettings, &'a Accumulator, &'a Accumulator)> {
        self.guides.iter().enumerate().map(|(i, &guide)| (&self.all[i], &sums[i], &sums[guide]))
    }
}

/// The unbiased rule of least variance for the same bound, M and K: dreg, or else stl. A biased
/// estimator has no mean but its own.
fn guide(settings: &EstimatorSettings) -> Result<EstimatorSettings, EstimatorError> {
    if settings.is_unbiased()? {
        for rule in [Gradient::Dreg, Gradient::Stl] {
            let other = EstimatorSettings { gamma: None, ..settings.clone() }.with_gradient(rule);
            if other.build().is_ok() && other.is_unbiased()? {
                return Ok(other);
            }
        }
    }
    Ok(settings.clone())
}
