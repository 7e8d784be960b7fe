//! Count samples in bins, and draw the counts of several series over each other, panel by panel.

use std::fmt::Write;

use super::axis::{Range, Scale};
use super::box_chart::Mark;
use super::canvas::{Canvas, FigureError};
use super::look::Look;
use super::page::{AxisPlan, Page, Plot, PlotPlan};
use super::style::estimator_styles;
use crate::csv::field;

/// Width and height of a panel's area for data, in pixels.
const SIZE: (f64, f64) = (290.0, 230.0);

/// Opacity of the area under a step.
const FILL: f64 = 0.15;

/// Panels in a row, each with the shares of several series in the same bins.
///
/// Samples that are not finite, or beyond ±10³⁰⁰, are left out. Series of one name look the same in
/// all panels, and those named like an estimator as [`estimator_styles`] says; values to compare with
/// come by [`with_marks`](Self::with_marks). Every panel has its own range and height.
///
/// ```
/// use tightbound_report::{Histogram, Panel, Samples};
///
/// let histogram = Histogram {
///     title: "Effective sample size".into(),
///     panels: vec![Panel {
///         title: "K = 64".into(),
///         x_label: "ESS".into(),
///         series: vec![Samples { name: "IWAE".into(), values: vec![1.0, 2.0, 9.0] }],
///     }],
///     bins: 2,
///     footnote: None,
/// };
/// let expected = "\
/// panel,series,low,high,count,share
/// K = 64,IWAE,1,5,2,0.6666666666666666
/// K = 64,IWAE,5,9,1,0.3333333333333333
/// ";
/// assert_eq!(histogram.to_csv(), expected);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// What the figure shows, above it.
    pub title: String,
    /// The panels, from left to right.
    pub panels: Vec<Panel>,
    /// Bins from the smallest to the largest sample of a panel; 0 is taken as 1.
    pub bins: usize,
    /// How the numbers came about, below the figure.
    pub footnote: Option<String>,
}

/// Series over one axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What sets this panel apart, above it.
    pub title: String,
    /// The quantity and its unit.
    pub x_label: String,
    /// What is counted, later ones over earlier ones.
    pub series: Vec<Samples>,
}

/// Samples of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// The name in the legend.
    pub name: String,
    /// The samples.
    pub values: Vec<f64>,
}

/// How many samples of each series are in each bin of a panel.
struct Binned {
    range: Range,
    bins: usize,
    /// `[series][bin]`.
    counts: Vec<Vec<usize>>,
}

impl Binned {
    fn count(panel: &Panel, bins: usize) -> Self {
        let bins = bins.max(1);
        let kept = |samples: &Samples| -> Vec<f64> {
            samples.values.iter().filter_map(|&value| Scale::Linear.place(value)).collect()
        };
        let series: Vec<Vec<f64>> = panel.series.iter().map(kept).collect();
        let range = Range::of(series.iter().flatten().copied());
        let mut counts = vec![vec![0; bins]; series.len()];
        for (values, counts) in series.iter().zip(&mut counts) {
            for value in values {
                let part = (value - range.low) / (range.high - range.low);
                counts[((part * bins as f64) as usize).min(bins - 1)] += 1;
            }
        }
        Self { range, bins, counts }
    }

    /// Where bin `number` begins, and the one before it ends.
    fn edge(&self, number: usize) -> f64 {
        let part = number as f64 / self.bins as f64;
        self.range.low * (1.0 - part) + self.range.high * part
    }

    /// Parts of a series in each bin; zeros where it has no samples.
    fn shares(&self, series: usize) -> Vec<f64> {
        let counts = &self.counts[series];
        let total = counts.iter().sum::<usize>().max(1) as f64;
        counts.iter().map(|&count| count as f64 / total).collect()
    }
}

impl Histogram {
    /// The figure as SVG.
    pub fn to_svg(&self) -> String {
        self.draw(&[]).to_svg()
    }

    /// The figure as the bytes of a PNG file with twice the SVG's pixels, in a font of its own.
    ///
    /// # Errors
    /// If the picture cannot be encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        self.draw(&[]).into_png()
    }

    /// Every bin with its count, and the share of its series that is, as comma-separated values.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("panel,series,low,high,count,share\n");
        for panel in &self.panels {
            let binned = Binned::count(panel, self.bins);
            for (number, series) in panel.series.iter().enumerate() {
                let heading = format!("{},{}", field(&panel.title), field(&series.name));
                let bins = binned.counts[number].iter().zip(binned.shares(number));
                for (bin, (count, share)) in bins.enumerate() {
                    let (low, high) = (binned.edge(bin), binned.edge(bin + 1));
                    let _ = writeln!(csv, "{heading},{low},{high},{count},{share}");
                }
            }
        }
        csv
    }

    /// The figure with upright lines at values to compare with, in all panels.
    ///
    /// ```
    /// use tightbound_report::{Histogram, Mark, Panel, Samples};
    ///
    /// let series = vec![Samples { name: "iwae".into(), values: vec![0.1, 0.3, 0.9] }];
    /// let panels = vec![Panel { x_label: "k̂".into(), series, ..Panel::default() }];
    /// let histogram = Histogram { panels, bins: 8, ..Histogram::default() };
    /// let limit = [Mark { name: "k̂ = 0.7".into(), value: 0.7 }];
    /// assert!(histogram.with_marks(&limit).to_svg().contains(">k̂ = 0.7<"));
    /// ```
    pub fn with_marks<'a>(&'a self, marks: &'a [Mark]) -> MarkedHistogram<'a> {
        MarkedHistogram { histogram: self, marks }
    }

    fn draw(&self, marks: &[Mark]) -> Canvas {
        let binned: Vec<Binned> =
            self.panels.iter().map(|panel| Binned::count(panel, self.bins)).collect();
        let names = self.names();
        let styles = estimator_styles(names.iter().copied());
        let placed = || {
            let places = marks.iter().map(|mark| Scale::Linear.place(mark.value));
            places.enumerate().filter_map(|(number, place)| Some((number, place?)))
        };
        let legend = names.iter().zip(&styles).map(|(name, style)| (*name, look(*style)));
        let guides = marks.iter().enumerate();
        let guides = guides.map(|(number, mark)| (mark.name.as_str(), Look::of_guide(number)));
        let plots = self.panels.iter().zip(&binned).enumerate();
        let page = Page {
            title: &self.title,
            plots: plots
                .map(|(number, (panel, binned))| {
                    plan(number, panel, binned, placed().map(|(_, place)| place))
                })
                .collect(),
            legend: legend.chain(guides).collect(),
            footnote: self.footnote.as_deref(),
        };
        let (mut canvas, plots) = page.lay_out();
        for ((panel, binned), plot) in self.panels.iter().zip(&binned).zip(&plots) {
            for (series, samples) in panel.series.iter().enumerate() {
                let number = names.iter().position(|name| *name == samples.name);
                let look = look(number.map_or(0, |number| styles[number]));
                draw_steps(&mut canvas, plot, binned, series, &look);
            }
            for (number, x) in placed() {
                let ends = [plot.y.low, plot.y.high].map(|y| plot.spot(x, y));
                canvas.stroke(&ends, &Look::of_guide(number));
            }
        }
        canvas
    }

    /// The names of all series, each once.
    fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for samples in self.panels.iter().flat_map(|panel| &panel.series) {
            if !names.contains(&samples.name.as_str()) {
                names.push(&samples.name);
            }
        }
        names
    }
}

/// A histogram with values to compare with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkedHistogram<'a> {
    histogram: &'a Histogram,
    marks: &'a [Mark],
}

impl MarkedHistogram<'_> {
    /// The figure as SVG.
    pub fn to_svg(&self) -> String {
        self.histogram.draw(self.marks).to_svg()
    }

    /// The figure as the bytes of a PNG file with twice the SVG's pixels, in a font of its own.
    ///
    /// # Errors
    /// If the picture cannot be encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        self.histogram.draw(self.marks).into_png()
    }
}

fn look(number: usize) -> Look {
    Look { marker: None, ..Look::of_series(number) }
}

fn plan<'a>(
    number: usize,
    panel: &'a Panel,
    binned: &Binned,
    marks: impl Iterator<Item = f64>,
) -> PlotPlan<'a> {
    let range = Range::of(marks.chain([binned.range.low, binned.range.high]));
    let shares = (0..panel.series.len()).flat_map(|series| binned.shares(series));
    let highest = shares.fold(0.0, f64::max);
    let high = if highest > 0.0 { 1.05 * highest } else { 1.0 };
    PlotPlan {
        title: &panel.title,
        x: AxisPlan {
            label: &panel.x_label,
            scale: Scale::Linear,
            range: range.with_margin(),
            names: &[],
        },
        y: AxisPlan {
            label: if number == 0 { "share of samples" } else { "" },
            scale: Scale::Linear,
            range: Range { low: 0.0, high },
            names: &[],
        },
        size: SIZE,
    }
}

/// Draws a series from its first to its last bin that is not empty.
fn draw_steps(canvas: &mut Canvas, plot: &Plot, binned: &Binned, series: usize, look: &Look) {
    let shares = binned.shares(series);
    let filled = |share: &f64| *share > 0.0;
    let Some(first) = shares.iter().position(filled) else { return };
    let last = shares.iter().rposition(filled).unwrap_or(first);
    let mut spots = vec![plot.spot(binned.edge(first), 0.0)];
    for (bin, share) in shares.iter().enumerate().take(last + 1).skip(first) {
        spots.extend([bin, bin + 1].map(|edge| plot.spot(binned.edge(edge), *share)));
    }
    spots.push(plot.spot(binned.edge(last + 1), 0.0));
    canvas.area(&spots, look.colour, FILL);
    canvas.stroke(&spots, look);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(bins: usize, series: &[(&str, &[f64])]) -> Histogram {
        let samples = |(name, values): &(&str, &[f64])| Samples {
            name: (*name).into(),
            values: values.to_vec(),
        };
        let series = series.iter().map(samples).collect();
        let panels = vec![Panel { title: "a".into(), series, ..Panel::default() }];
        Histogram { panels, bins, ..Histogram::default() }
    }

    #[test]
    fn series_share_bins_and_the_largest_sample_is_in_the_last() {
        let values = [0.0, 1.0, f64::NAN, 1.9, f64::INFINITY, 0.5];
        let csv = histogram(2, &[("p, q", &values), ("r", &[4.0]), ("none", &[])]).to_csv();
        let expected = "\
panel,series,low,high,count,share
a,\"p, q\",0,2,4,1
a,\"p, q\",2,4,0,0
a,r,0,2,0,0
a,r,2,4,1,1
a,none,0,2,0,0
a,none,2,4,0,0
";
        assert_eq!(csv, expected);
    }

    #[test]
    fn few_samples_and_few_bins_do_no_harm() {
        assert_eq!(
            histogram(0, &[("one", &[3.0, 3.0])]).to_csv(),
            "panel,series,low,high,count,share\na,one,2.5,3.5,2,1\n"
        );
        for histogram in [histogram(3, &[("none", &[])]), histogram(3, &[]), Histogram::default()] {
            assert!(histogram.to_png().is_ok());
            assert!(!histogram.to_svg().contains("NaN"));
        }
    }

    #[test]
    fn a_name_has_one_look_in_all_panels() {
        let mut histogram = histogram(2, &[("first <script>", &[1.0]), ("second", &[2.0])]);
        histogram.panels.push(Panel {
            series: vec![histogram.panels[0].series[1].clone()],
            ..Panel::default()
        });
        let svg = histogram.to_svg();
        let filled = |number| {
            let fill = format!("fill=\"{}\"", look(number).colour);
            svg.matches(&fill).count()
        };
        assert_eq!((filled(0), filled(1), filled(2)), (1, 2, 0));
        assert_eq!(svg.matches(">second<").count(), 1, "one entry in the legend");
        assert!(svg.contains(">first &lt;script&gt;<"));
    }

    #[test]
    fn marks_stand_in_every_panel_and_within_the_axis() {
        let mut histogram = histogram(2, &[("one", &[1.0, 2.0])]);
        histogram.panels.push(histogram.panels[0].clone());
        let marks = [Mark { name: "limit".into(), value: 9.0 }];
        let svg = histogram.with_marks(&marks).to_svg();
        let lines = |svg: &str| svg.matches(Look::of_guide(0).colour).count();
        assert_eq!((lines(&histogram.to_svg()), lines(&svg)), (0, 3), "two panels and the legend");
        assert!(svg.contains(">8<") && !histogram.to_svg().contains(">8<"));
        let nowhere = [Mark { name: "nowhere".into(), value: f64::NAN }];
        assert!(!histogram.with_marks(&nowhere).to_svg().contains("NaN"));
    }

    #[test]
    fn panels_stand_side_by_side() {
        let mut histogram = histogram(2, &[("one", &[1.0])]);
        let width = |histogram: &Histogram| {
            let png = histogram.to_png().unwrap();
            png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap().info().width
        };
        let one = width(&histogram);
        histogram.panels.push(histogram.panels[0].clone());
        assert!(width(&histogram) > one + 2 * SIZE.0 as u32);
    }
}
