//! Draw the quartiles and tails of several sets of samples, one below the other.

use std::fmt::Write;

use super::axis::{Axis, Range, Scale};
use super::canvas::{Canvas, FigureError};
use super::histogram::Samples;
use super::look::{Look, Marker};
use super::page::{AxisPlan, Page, Plot, PlotPlan};
use super::style::estimator_styles;
use crate::csv::field;

/// Width of the area for data and height of a row, in pixels.
const WIDTH: f64 = 520.0;
const ROW: f64 = 34.0;

/// Half the height of a box and of a whisker's end, in rows.
const HALF_BOX: f64 = 0.28;
const HALF_END: f64 = 0.14;

/// Opacity of a box.
const FILL: f64 = 0.25;

/// Shares of the samples below the ends of whiskers and boxes, and the median.
const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// What the parts of a row are, below every figure.
const KEY: &str = "Box: quartiles and median. Whiskers: 5 % and 95 %. Dots: smallest and largest.";

/// Distributions of several sets of samples as rows of boxes, with values to compare them with.
///
/// Right for many sets, such as k̂ or the effective sample size of every model, where the steps of a
/// [`Histogram`](crate::Histogram) would cover each other. A box spans the quartiles around the
/// median, whiskers reach from 5 % to 95 %, and two dots are the smallest and the largest sample.
/// Quantiles are interpolated linearly between neighbours. Samples are left out that are not finite,
/// are beyond ±10³⁰⁰, or are not positive on a logarithmic axis. Rows named like an estimator have
/// its colour, see [`estimator_styles`].
///
/// ```
/// use tightbound_report::{Axis, BoxChart, Mark, Samples, Scale};
///
/// let chart = BoxChart {
///     title: "Pareto shape of the weights".into(),
///     x: Axis { label: "k̂".into(), scale: Scale::Linear },
///     rows: vec![Samples { name: "iwae".into(), values: vec![0.1, 0.2, 0.3, 0.4, 0.9] }],
///     marks: vec![Mark { name: "0.7".into(), value: 0.7 }],
///     footnote: None,
/// };
/// let expected = "\
/// name,count,smallest,p05,p25,p50,p75,p95,largest
/// iwae,5,0.1,0.12,0.2,0.3,0.4,0.8,0.9
/// ";
/// assert_eq!(chart.to_csv(), expected);
/// assert!(chart.to_svg().contains(">0.7<"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxChart {
    /// What the figure shows, above it.
    pub title: String,
    /// The quantity.
    pub x: Axis,
    /// The sets of samples, from top to bottom.
    pub rows: Vec<Samples>,
    /// Values to compare with, as lines across all rows.
    pub marks: Vec<Mark>,
    /// How the samples came about, below the figure.
    pub footnote: Option<String>,
}

/// A value to compare with, which the axis always shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mark {
    /// The name in the legend.
    pub name: String,
    /// The value.
    pub value: f64,
}

/// What a row shows, in places along the axis or in values.
struct Summary {
    count: usize,
    /// Smallest, the five shares, largest.
    numbers: [f64; 7],
}

impl Summary {
    /// None of nothing.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (smallest, largest) = (*values.first()?, *values.last()?);
        let [a, b, c, d, e] = SHARES.map(|share| quantile(&values, share));
        Some(Self { count: values.len(), numbers: [smallest, a, b, c, d, e, largest] })
    }
}

/// The value below which a share of the sorted values lies, between neighbours by a straight line.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    let part = place - below as f64;
    sorted[below] * (1.0 - part) + above * part
}

impl BoxChart {
    /// The figure as SVG.
    pub fn to_svg(&self) -> String {
        self.draw().to_svg()
    }

    /// The figure as the bytes of a PNG file with twice the SVG's pixels, in a font of its own.
    ///
    /// # Errors
    /// If the picture cannot be encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        self.draw().into_png()
    }

    /// What the rows show, as comma-separated values; a row without samples has only its count.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("name,count,smallest,p05,p25,p50,p75,p95,largest\n");
        for row in &self.rows {
            let _ = match self.summary(row) {
                None => writeln!(csv, "{},0,,,,,,,", field(&row.name)),
                Some(Summary { count, numbers }) => {
                    // Fifteen digits: the last of a double are noise of the interpolation.
                    let number = |n: f64| format!(",{}", format!("{n:.14e}").parse().unwrap_or(n));
                    let numbers = numbers.map(number).concat();
                    writeln!(csv, "{},{count}{numbers}", field(&row.name))
                }
            };
        }
        csv
    }

    fn summary(&self, row: &Samples) -> Option<Summary> {
        let drawable = |value: &f64| self.x.scale.place(*value).is_some();
        Summary::of(row.values.iter().copied().filter(drawable).collect())
    }

    fn draw(&self) -> Canvas {
        let place = |value| self.x.scale.place(value);
        let summaries: Vec<_> = self.rows.iter().map(|row| self.summary(row)).collect();
        let numbers = summaries.iter().flatten().flat_map(|summary| summary.numbers);
        let all = numbers.chain(self.marks.iter().map(|mark| mark.value));
        let names: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        let rows = self.rows.len().max(1) as f64;
        let plot = PlotPlan {
            title: "",
            x: AxisPlan::of(&self.x, Range::of(all.filter_map(place))),
            y: AxisPlan {
                label: "",
                scale: Scale::Linear,
                range: Range { low: 0.5 - rows, high: 0.5 },
                names: &names,
            },
            size: (WIDTH, rows * ROW),
        };
        let marks = self.marks.iter().enumerate();
        let footnote = match &self.footnote {
            Some(footnote) => format!("{KEY}\n{footnote}"),
            None => KEY.to_owned(),
        };
        let page = Page {
            title: &self.title,
            plots: vec![plot],
            legend: marks.map(|(number, m)| (m.name.as_str(), Look::of_guide(number))).collect(),
            footnote: Some(&footnote),
        };
        let (mut canvas, plots) = page.lay_out();
        let plot = &plots[0];
        let styles = estimator_styles(names.iter().copied());
        for (number, summary) in summaries.iter().enumerate() {
            if let Some(summary) = summary {
                let places = summary.numbers.map(|value| place(value).unwrap_or(value));
                draw_row(
                    &mut canvas,
                    plot,
                    -(number as f64),
                    places,
                    Look::of_series(styles[number]).colour,
                );
            }
        }
        for (number, mark) in self.marks.iter().enumerate() {
            if let Some(x) = place(mark.value) {
                let ends = [plot.y.low, plot.y.high].map(|y| plot.spot(x, y));
                canvas.stroke(&ends, &Look::of_guide(number));
            }
        }
        canvas
    }
}

fn draw_row(canvas: &mut Canvas, plot: &Plot, y: f64, places: [f64; 7], colour: &'static str) {
    let [smallest, low, left, median, right, high, largest] = places;
    let outline = [(left, HALF_BOX), (right, HALF_BOX), (right, -HALF_BOX), (left, -HALF_BOX)];
    let outline = outline.map(|(x, dy)| plot.spot(x, y + dy));
    canvas.area(&outline, colour, FILL);
    for corner in 0..4 {
        canvas.rule(outline[corner], outline[(corner + 1) % 4], colour, 1.4);
    }
    for (from, to) in [(low, left), (right, high)] {
        canvas.rule(plot.spot(from, y), plot.spot(to, y), colour, 1.4);
    }
    for (x, half, width) in [(low, HALF_END, 1.4), (median, HALF_BOX, 3.0), (high, HALF_END, 1.4)] {
        canvas.rule(plot.spot(x, y - half), plot.spot(x, y + half), colour, width);
    }
    for x in [smallest, largest] {
        canvas.marker(plot.spot(x, y), Marker::Dot, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(rows: &[(&str, &[f64])]) -> BoxChart {
        let row = |(name, values): &(&str, &[f64])| Samples {
            name: (*name).into(),
            values: values.to_vec(),
        };
        BoxChart { rows: rows.iter().map(row).collect(), ..BoxChart::default() }
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values = [10.0, 20.0, 40.0];
        let found = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&values, share));
        assert_eq!(found, [10.0, 15.0, 20.0, 30.0, 40.0]);
        assert_eq!(quantile(&[3.0], 0.95), 3.0);
    }

    #[test]
    fn csv_has_a_line_for_every_row() {
        let mut chart = chart(&[("a, b", &[f64::NAN, 3.0, -1.0]), ("none", &[f64::INFINITY])]);
        let expected = "\
name,count,smallest,p05,p25,p50,p75,p95,largest
\"a, b\",2,-1,-0.8,0,1,2,2.8,3
none,0,,,,,,,
";
        assert_eq!(chart.to_csv(), expected);
        chart.x.scale = Scale::Log;
        assert!(chart.to_csv().contains("\"a, b\",1,3,3,3,3,3,3,3\n"), "only what has a place");
    }

    #[test]
    fn rows_and_marks_are_drawn() {
        let mut chart = chart(&[("iwae", &[1.0, 2.0, 3.0]), ("<script>", &[2.0]), ("none", &[])]);
        let low = chart.to_svg();
        assert!(
            low.contains(">iwae<") && low.contains(">&lt;script&gt;<") && low.contains(">none<")
        );
        assert!(low.contains(KEY) && !low.contains("NaN"));
        chart.marks.push(Mark { name: "limit".into(), value: 50.0 });
        let svg = chart.to_svg();
        assert!(svg.contains(">50<"), "the axis shows the mark");
        assert!(svg.contains(Look::of_guide(0).colour) && !low.contains(Look::of_guide(0).colour));
        assert!(BoxChart::default().to_png().is_ok());
    }
}
