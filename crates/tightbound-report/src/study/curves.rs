//! Draw what runs logged and scored: training, β, the L_K curve, weights, and gradients.

use tightbound::evaluate::{CurvePoint, ImageRow, reliable_k};
use tightbound::run::sha256_hex;
use tightbound::settings::{BetaObjective, Settings};

use super::comparison::{Comparison, Method, name, without_seed};
use super::figure::{Drawing, Figure};
use super::run::Run;
use crate::figures::{
    Axis, BoxChart, LineChart, Mark, Point, Samples, Scale, Series, Spread, estimator_styles,
};
use crate::number::mean_and_sd;
use crate::rolling::rolling_mean;

/// Epochs that the curve of the training bound is averaged over, where there are many.
const WINDOW: usize = 9;

/// From so many epochs on the curve is averaged.
const MANY_EPOCHS: usize = 50;

/// Bytes of a stem: file systems take names of 255, and a temporary name is longer than its file's.
const LONGEST_STEM: usize = 200;

impl Comparison<'_> {
    /// The styles of the methods, the same in every figure of the comparison.
    pub(super) fn styles(&self) -> Vec<usize> {
        estimator_styles(self.methods.iter().map(|method| &*method.label))
    }

    /// Stem of the names of this comparison's files.
    pub(super) fn stem(&self, what: &str) -> String {
        let text = format!("{what} {}", self.name()).to_lowercase();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        let stem = words.collect::<Vec<_>>().join("-");
        if stem.len() <= LONGEST_STEM {
            return stem;
        }
        // The end may be what tells it from others.
        format!("{}-{}", &stem[..LONGEST_STEM - 9], &sha256_hex(text.as_bytes())[..8])
    }

    /// A line chart of the series that have points; none if no series has.
    fn chart(&self, frame: Frame, series: Vec<Series>) -> Option<Figure> {
        let series: Vec<_> = series.into_iter().filter(|s| !s.points.is_empty()).collect();
        if series.is_empty() {
            return None;
        }
        let Frame { what, title, caption, x, y } = frame;
        let title = format!("{title}: {}", self.name());
        let chart = LineChart { title, x, y, series, ..LineChart::default() };
        let caption = caption.to_owned();
        Some(Figure { name: self.stem(&what), caption, drawing: Drawing::Lines(chart) })
    }

    /// One series per method, from the points of each.
    fn series(&self, points: impl Fn(&Method) -> Vec<Point>) -> Vec<Series> {
        let styled = self.methods.iter().zip(self.styles());
        let series = styled.map(|(method, style)| Series {
            name: method.label.clone(),
            points: points(method),
            spread: Spread::Band,
            style: Some(style),
        });
        series.collect()
    }

    /// All figures that the runs have numbers for.
    pub(super) fn curves(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let iwae_64 = |method: &Method| over_seeds(method, |run| logged(run, |p| p.k == 64));
        let epochs = |what: &str, title, caption, y| Frame {
            what: what.to_owned(),
            title,
            caption,
            x: Axis { label: EPOCH.into(), scale: Scale::Log },
            y,
        };
        figures.extend(self.chart(
            epochs(
                "iwae-64",
                "IWAE-64 of test images during training",
                "Where there are several seeds, their mean; the band is one standard deviation. Nothing is \
                 selected by it.",
                nats("L_64"),
            ),
            self.series(iwae_64),
        ));
        figures.extend(self.chart(
            Frame {
                what: "iwae-64-time".into(),
                title: "IWAE-64 of test images by training time",
                caption: "The same scores against the time that the epochs before them took, as logged, \
                          without scoring; of several seeds the mean time. Comparable only between \
                          trainings with as many threads on the same machine and nothing beside them.",
                x: Axis { label: "minutes of training".into(), scale: Scale::Log },
                y: nats("L_64"),
            },
            self.series(|method| {
                let timed = |p: Point| Some(Point { x: minutes(method, p.x)?, ..p });
                iwae_64(method).into_iter().filter_map(timed).collect()
            }),
        ));
        let k = self.logged_k();
        figures.extend(self.chart(
            epochs(
                "log-p-hat",
                "log p̂ of test images during training",
                "Of the largest K that a training was asked to score (--eval-k); trainings that scored \
                 with fewer samples are not drawn.",
                nats(&format!("L_{k}")),
            ),
            self.series(|method| over_seeds(method, |run| logged(run, |p| p.k == k && k > 64))),
        ));
        figures.extend(self.chart(
            epochs(
                "bound",
                "The bound that is trained on",
                "Every method's own bound on training images, each under the parameters of its own \
                 step (of PIWAE the decoder's); of long trainings the mean over 9 epochs. The bounds \
                 differ in tightness, so that lines of different bounds cannot be compared.",
                nats("bound"),
            ),
            self.series(|method| over_seeds(method, training_bound)),
        ));
        figures.extend(self.chart(
            epochs(
                "beta",
                "β during training",
                "β = 0 is IWAE, β = 1 the VAE. A β that climbs the bound ends at 0: the bound is \
                 largest there.",
                Axis { label: "β".into(), scale: Scale::Linear },
            ),
            self.series(|method| match method.learns_beta() {
                true => over_seeds(method, beta_path),
                false => Vec::new(),
            }),
        ));
        figures.extend(self.beta_study());
        figures.extend(self.chart(
            Frame {
                what: "l-k".into(),
                title: "How tight the bound L_K is, by K",
                caption: "All points of a model come from one set of samples. A curve that still rises \
                          at its end says that log p̂ is too low.",
                x: Axis { label: "K, samples under the logarithm".into(), scale: Scale::Log },
                y: nats("L_K of test images"),
            },
            self.series(|method| over_seeds(method, scored_curve)),
        ));
        figures.extend(self.weights());
        figures.extend(self.chart(
            epochs(
                "snr-training",
                "Signal-to-noise ratio of the encoder's gradient during training",
                "One minibatch at the end of every epoch, debiased (--monitor snr).",
                Axis { label: RATIO.into(), scale: Scale::Log },
            ),
            self.series(|method| over_seeds(method, monitored)),
        ));
        figures.extend(self.methods.iter().filter_map(|method| self.snr(method)));
        figures
    }

    /// The final log p̂ of all CIWAE with a fixed β, against β: a line for those that differ in nothing
    /// else.
    fn beta_study(&self) -> Option<Figure> {
        let mut groups: Vec<(Settings, usize, Vec<Point>)> = Vec::new();
        for method in &self.methods {
            let mut others = without_seed(method.settings());
            let Some(beta) = others.estimator.beta.take() else { continue };
            let values = method.scores(self.data, |e| Some(e.scores.log_p_hat.value));
            if others.train.beta_objective != BetaObjective::Fixed || values.is_empty() {
                continue;
            }
            let (epoch, point) = (method.runs[0].epoch(), spread(beta, &values));
            match groups.iter_mut().find(|group| (&group.0, group.1) == (&others, epoch)) {
                Some((.., points)) => points.push(point),
                None => groups.push((others, epoch, vec![point])),
            }
        }
        let series = groups.into_iter().filter_map(|(settings, epoch, mut points)| {
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            let varies = points.first()?.x < points.last()?.x;
            let name = format!("{}, fixed β, {epoch} epochs", name(&settings));
            varies.then(|| Series { name, points, ..Series::default() })
        });
        let frame = Frame {
            what: "beta-study".into(),
            title: "log p̂ by β",
            caption: "CIWAE after training with each β; bars are one standard deviation over seeds.",
            x: Axis { label: "β (0: IWAE, 1: VAE)".into(), scale: Scale::Linear },
            y: nats("log p̂"),
        };
        self.chart(frame, series.collect())
    }

    /// The largest K that a training's log has scores of; 0 where there are none.
    fn logged_k(&self) -> u32 {
        let runs = self.methods.iter().flat_map(|method| &method.runs);
        let records = runs.flat_map(|run| &run.scored);
        records.filter_map(|record| Some(curve_of(record)?.last()?.k)).max().unwrap_or(0)
    }

    /// How far the importance weights behind log p̂ can be relied on.
    fn weights(&self) -> Vec<Figure> {
        let rows = |value: fn(&ImageRow) -> Option<f64>| {
            let rows = self.methods.iter().map(|method| {
                let images = method.runs.iter().flat_map(|run| &run.images);
                Samples { name: method.label.clone(), values: images.filter_map(value).collect() }
            });
            rows.filter(|row| !row.values.is_empty()).collect::<Vec<_>>()
        };
        let own = self.methods.iter().flat_map(|m| &m.runs).filter_map(|run| run.own());
        let mut sizes: Vec<u32> = own.map(|own| own.options.k).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let (k, limit) = match sizes[..] {
            [k] => (format!(" of {k}"), reliable_k(k)),
            _ => (String::new(), reliable_k(u32::MAX)),
        };
        let tails = rows(|row| row.pareto_k);
        let infinite = tails.iter().flat_map(|row| &row.values).filter(|k| k.is_infinite()).count();
        let ess = BoxChart {
            title: format!("Effective samples behind log p̂: {}", self.name()),
            x: Axis { label: format!("(Σw)² / Σw²{k}"), scale: Scale::Log },
            rows: rows(|row| Some(row.effective_samples)),
            ..BoxChart::default()
        };
        let mark = Mark { name: format!("{limit:.2}"), value: limit };
        let tails = BoxChart {
            title: format!("Tails of the weights behind log p̂: {}", self.name()),
            x: Axis { label: "Pareto k̂".into(), scale: Scale::Linear },
            rows: tails,
            marks: vec![mark],
            footnote: Some(format!(
                "Above {limit:.2} log p̂ of an image may be far too low (Vehtari et al. 2024). Not drawn: \
                 {infinite} images whose k̂ is infinite."
            )),
        };
        let drawn = [
            (
                "effective-samples",
                "How many of the K samples of an image count. A handful means that log p̂ hangs on \
                 single samples. Images of all seeds.",
                ess,
            ),
            (
                "pareto-k",
                "The heavier the tail, the less log p̂ can be relied on. Images of all seeds.",
                tails,
            ),
        ];
        let drawn = drawn.into_iter().filter(|(.., chart)| !chart.rows.is_empty());
        drawn
            .map(|(what, caption, chart)| Figure {
                name: self.stem(what),
                caption: caption.to_owned(),
                drawing: Drawing::Boxes(chart),
            })
            .collect()
    }

    /// Both networks' ratios against K, a line for each M.
    fn snr(&self, method: &Method) -> Option<Figure> {
        let run = method.runs.iter().find(|run| !run.snr.is_empty())?;
        let mut outer: Vec<usize> = run.snr.iter().map(|report| report.estimator.m).collect();
        outer.sort_unstable();
        outer.dedup();
        let mut series = Vec::new();
        for (network, word) in [(0, "encoder"), (1, "decoder")] {
            for (index, &m) in outer.iter().enumerate() {
                let own = run.snr.iter().filter(|report| report.estimator.m == m);
                let point = |report: &tightbound::diagnose::live::SnrReport| {
                    let ratio = report.scopes.get(network)?.ratio;
                    let interval = ratio.interval();
                    let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
                    Some(Point { x: report.estimator.k as f64, y: ratio.value(), low, high })
                };
                series.push(Series {
                    name: format!("{word}, M = {m}"),
                    points: own.filter_map(point).collect(),
                    spread: Spread::Bars,
                    style: Some(network + 7 * index),
                });
            }
        }
        let frame = Frame {
            what: format!("snr {}", method.label),
            title: &format!("Clarity of the gradients of {}", method.label),
            caption: "Signal-to-noise ratio of whole networks' gradients on one minibatch, for bounds \
                      with K samples under each of M logarithms; bars are 95 % intervals, of those that the \
                      draws resolve.",
            x: Axis { label: "K".into(), scale: Scale::Log },
            y: Axis { label: RATIO.into(), scale: Scale::Log },
        };
        self.chart(frame, series)
    }
}

/// What a line chart is called, and what its axes are.
struct Frame<'a> {
    /// Stem of its files' names, before that of the comparison.
    what: String,
    title: &'a str,
    caption: &'a str,
    x: Axis,
    y: Axis,
}

/// The axis of figures of a training.
pub(super) const EPOCH: &str = "epoch";

/// ‖mean‖ against spread of a network's gradient.
const RATIO: &str = "‖E g‖ / √tr Cov g";

fn nats(label: &str) -> Axis {
    Axis { label: format!("{label}, nats"), scale: Scale::Linear }
}

/// Mean over the seeds that have points, at every place that all of these have, with one standard
/// deviation to both sides.
fn over_seeds(method: &Method, points: impl Fn(&Run) -> Vec<(f64, f64)>) -> Vec<Point> {
    let mut runs: Vec<Vec<(f64, f64)>> = method.runs.iter().map(|run| points(run)).collect();
    runs.retain(|points| !points.is_empty());
    let at = |run: &[(f64, f64)], x: f64| run.iter().find(|p| p.0 == x).map(|p| p.1);
    let common = runs.first().into_iter().flatten().filter_map(|&(x, _)| {
        let values: Option<Vec<f64>> = runs.iter().map(|run| at(run, x)).collect();
        Some(spread(x, &values?))
    });
    common.collect()
}

/// The mean of `values` at `x`, with one standard deviation to both sides where there is one.
fn spread(x: f64, values: &[f64]) -> Point {
    let measured = mean_and_sd(values);
    let reach = measured.error.is_finite().then_some(measured.error);
    Point {
        x,
        y: measured.value,
        low: reach.map(|reach| measured.value - reach),
        high: reach.map(|reach| measured.value + reach),
    }
}

/// The curve of a logged evaluation, unless it could not be scored.
fn curve_of(record: &tightbound::run::EvaluationRecord) -> Option<Vec<CurvePoint>> {
    serde_json::from_value(record.scores.get("l_k")?.clone()).ok()
}

/// The largest point of the logged curves that is `wanted`, by epoch.
fn logged(run: &Run, wanted: impl Fn(&CurvePoint) -> bool) -> Vec<(f64, f64)> {
    let point = |record: &tightbound::run::EvaluationRecord| {
        let point = curve_of(record)?.into_iter().rev().find(|point| wanted(point))?;
        Some((record.epoch as f64, point.estimate.value))
    };
    run.scored.iter().filter_map(point).collect()
}

/// How long the first `epochs` took, on average over seeds; none where a log has not all of them.
fn minutes(method: &Method, epochs: f64) -> Option<f64> {
    let of_run = |run: &&Run| {
        let first = run.epochs.iter().filter(|e| e.epoch as f64 <= epochs);
        let seconds: Vec<f64> = first.map(|e| e.timing.seconds).collect();
        (seconds.len() as f64 == epochs).then(|| seconds.iter().sum::<f64>() / 60.0)
    };
    let minutes: Vec<f64> = method.runs.iter().map(of_run).collect::<Option<_>>()?;
    Some(mean_and_sd(&minutes).value)
}

/// θ's bound by epoch, averaged over neighbouring epochs where there are many.
fn training_bound(run: &Run) -> Vec<(f64, f64)> {
    let points = run.epochs.iter().filter_map(|e| Some((e.epoch as f64, e.bound?)));
    let points: Vec<_> = points.collect();
    if points.len() < MANY_EPOCHS { points } else { rolling_mean(&points, WINDOW) }
}

fn beta_path(run: &Run) -> Vec<(f64, f64)> {
    run.epochs.iter().filter_map(|e| Some((e.epoch as f64, e.beta?))).collect()
}

fn scored_curve(run: &Run) -> Vec<(f64, f64)> {
    let points = run.own().map_or(&[][..], |own| &own.scores.l_k);
    points.iter().map(|point| (f64::from(point.k), point.estimate.value)).collect()
}

fn monitored(run: &Run) -> Vec<(f64, f64)> {
    let ratio = |record: &tightbound::run::SnrRecord| {
        Some((record.epoch as f64, record.figures.as_ref()?.encoder.value()))
    };
    run.monitored.iter().filter_map(ratio).collect()
}
