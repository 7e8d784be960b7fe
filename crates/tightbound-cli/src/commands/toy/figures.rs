//! Draw the toy experiment: ratios against sizes, and histograms of gradient estimates.

use tightbound::diagnose::toy::{
    Axis as Grows, Estimates, Part, Perturbation, Row, ToyOptions, label,
};
use tightbound_report::{
    Axis, FigureError, Guide, Histogram, LineChart, Panel, Point, Samples, Scale, Series,
};

use super::command::{Results, Swept, owner};

/// Bins of a histogram.
const BINS: usize = 60;

/// What a chart shows of a row.
#[derive(Clone, Copy)]
enum Ratio {
    /// The debiased signal-to-noise ratio.
    Snr,
    /// The directional one.
    Dsnr,
}

impl Ratio {
    fn name(self) -> &'static str {
        match self {
            Self::Snr => "SNR",
            Self::Dsnr => "DSNR",
        }
    }

    /// The ratio with its interval; none where there is no ratio.
    fn point(self, row: &Row) -> Option<Point> {
        let quality = row.quality.ok()?;
        let x = row.size as f64;
        Some(match self {
            Self::Snr => {
                let [low, high] = row.interval().map_or([None; 2], |ends| ends.map(Some));
                Point { x, y: quality.snr.debiased, low, high }
            }
            Self::Dsnr => Point { x, y: quality.directional.value, low: None, high: None },
        })
    }
}

/// Names and bytes of the figures, each as SVG and as PNG.
pub fn draw(results: &Results) -> Result<Vec<(String, Vec<u8>)>, FigureError> {
    let mut files = Vec::new();
    let mut add = |stem: &str, svg: String, png: Vec<u8>| {
        files.extend([(format!("{stem}.svg"), svg.into_bytes()), (format!("{stem}.png"), png)]);
    };
    for swept in &results.swept {
        for part in Part::ALL {
            for ratio in [Ratio::Snr, Ratio::Dsnr] {
                let chart = chart(&results.options, swept, part, ratio);
                let axis = swept.sweep.axis.name();
                let stem = format!("{}-{axis}-{}", ratio.name(), short(part)).to_lowercase();
                add(&stem, chart.to_svg(), chart.to_png()?);
            }
        }
    }
    for name in names(results.estimates.iter().map(|e| label(&e.estimator))) {
        let shown = results.estimates.iter().filter(|e| label(&e.estimator) == name);
        let histogram = histogram(&results.options, &name, &shown.collect::<Vec<_>>());
        let stem = format!("histogram-{}", name.replace(" γ=", "-gamma-"));
        add(&stem, histogram.to_svg(), histogram.to_png()?);
    }
    Ok(files)
}

/// One line per estimator.
fn chart(options: &ToyOptions, swept: &Swept, part: Part, ratio: Ratio) -> LineChart {
    let rows = &swept.report.rows;
    // An estimator looks the same in all charts.
    let all = names(swept.report.slopes.iter().map(|row| label(&row.estimator)));
    let series = swept.distinct().filter(|slope| slope.part == part).map(|slope| {
        let name = label(&slope.estimator);
        let shown = |row: &&Row| row.part == part && label(&row.estimator) == name;
        let points = rows.iter().filter(shown).filter_map(|row| ratio.point(row)).collect();
        let style = all.iter().position(|other| *other == name);
        Series { name: owner(slope), points, style, ..Series::default() }
    });
    let series: Vec<Series> = series.collect();
    let axis = swept.sweep.axis;
    let fixed = match axis {
        Grows::K => "M = 1",
        Grows::M => "K = 1",
    };
    LineChart {
        title: format!("{} of the gradient of {part}, {fixed}, {}", ratio.name(), place(options)),
        x: Axis { label: axis.name().into(), scale: Scale::Log },
        y: Axis { label: ratio.name().into(), scale: Scale::Log },
        guides: guides(&series, axis == Grows::K && part.is_phi(), noise_alone(rows, part, ratio)),
        series,
        footnote: Some(footnote(options, ratio)),
    }
}

/// Lines of the slopes that theory knows, through the middle of the values at the smallest size,
/// and what noise alone would show.
fn guides(series: &[Series], may_fall: bool, floor: Option<f64>) -> Vec<Guide> {
    let points = || series.iter().flat_map(|s| &s.points).filter(|p| p.y > 0.0);
    let x = points().map(|p| p.x).fold(f64::INFINITY, f64::min);
    let logs: Vec<f64> = points().filter(|p| p.x == x).map(|p| p.y.ln()).collect();
    let middle = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    let mut guides = vec![Guide { name: "slope +½".into(), through: (x, middle), slope: 0.5 }];
    if may_fall {
        guides.push(Guide { name: "slope −½".into(), through: (x, middle), slope: -0.5 });
    }
    let noise = |y| Guide { name: "noise alone".into(), through: (x, y), slope: 0.0 };
    guides.extend(floor.map(noise));
    guides
}

fn noise_alone(rows: &[Row], part: Part, ratio: Ratio) -> Option<f64> {
    let mut of_part = rows.iter().filter(|row| row.part == part);
    match ratio {
        Ratio::Snr => None,
        Ratio::Dsnr => of_part.find_map(|row| Some(row.quality.ok()?.directional.floor)),
    }
}

/// The estimates of one estimator, one panel per parameter, all sizes over each other.
fn histogram(options: &ToyOptions, name: &str, estimates: &[&Estimates]) -> Histogram {
    let panel = |title: &str, values: fn(&Estimates) -> &[f64]| {
        let samples = |e: &&Estimates| {
            let (m, k) = (e.estimator.m, e.estimator.k);
            let name = if m > 1 { format!("M = {m}") } else { format!("K = {k}") };
            Samples { name, values: values(e).to_vec() }
        };
        let series = estimates.iter().map(samples).collect();
        Panel { title: title.into(), x_label: "gradient".into(), series }
    };
    let draws = estimates.iter().map(|e| e.b.len()).max().unwrap_or(0);
    Histogram {
        title: format!("Gradient estimates of {name}, {}", place(options)),
        panels: vec![panel("φ, b₁", |e| &e.b), panel("θ, μ₁", |e| &e.mu)],
        bins: BINS,
        footnote: Some(footnote(&ToyOptions { draws, ..options.clone() }, Ratio::Dsnr)),
    }
}

fn place(options: &ToyOptions) -> &'static str {
    match options.perturbation {
        Perturbation::Near => "near the optimum",
        Perturbation::Far => "far from the optimum",
    }
}

/// How the numbers were made.
fn footnote(options: &ToyOptions, ratio: Ratio) -> String {
    let ToyOptions { dims, points, draws, seed, .. } = options;
    let bars = match ratio {
        Ratio::Snr => {
            "; debiased; bars, where draws resolve the ratio, are 95 % intervals from raw ratios"
        }
        Ratio::Dsnr => "",
    };
    format!("D = {dims}, means over N = {points} points, {draws} draws, seed {seed}{bars}")
}

fn short(part: Part) -> &'static str {
    match part {
        Part::B => "b",
        Part::A => "A",
        Part::Mu => "mu",
    }
}

/// Every name once, in order of appearance.
fn names(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut names = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
