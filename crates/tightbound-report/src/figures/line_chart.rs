//! Draw series of points with their uncertainty as lines between two axes.

use std::fmt::Write;

use super::axis::{Axis, Range};
use super::canvas::{Canvas, FigureError, Spot};
use super::look::{Look, Marker};
use super::page::{AxisPlan, Page, Plot, PlotPlan};
use crate::csv::field;

/// Width and height of the area for data, in pixels.
const SIZE: (f64, f64) = (560.0, 380.0);

/// Half the width of the line that ends an error bar.
const CAP: f64 = 4.0;

/// A series of more points is a line without markers.
const MOST_MARKERS: usize = 40;

/// Opacity of a band, pale enough for lines and other bands to show.
const BAND: f64 = 0.18;

/// Series of points, joined by lines, with the legend beside them.
///
/// A point is left out, and the line broken, where x or y is not finite, is beyond ±10³⁰⁰, or is
/// not positive on a logarithmic axis. So is an end of an uncertainty, except that a bar whose lower
/// end is not positive runs down to the rim of a logarithmic plot, without a cap. A series of more
/// than 40 points has no markers, but for points without neighbours.
///
/// ```
/// use tightbound_report::{Axis, Guide, LineChart, Point, Scale, Series};
///
/// let snr = [(1.0, 4.0), (10.0, 1.3), (100.0, 0.4)];
/// let chart = LineChart {
///     title: "Signal-to-noise ratio of the encoder's gradient".into(),
///     x: Axis { label: "K".into(), scale: Scale::Log },
///     y: Axis { label: "SNR".into(), scale: Scale::Log },
///     series: vec![Series {
///         name: "IWAE".into(),
///         points: snr.map(|(x, y)| Point { x, y, low: Some(0.9 * y), high: Some(1.1 * y) }).into(),
///         ..Series::default()
///     }],
///     guides: vec![Guide { name: "slope −½".into(), through: (1.0, 4.0), slope: -0.5 }],
///     footnote: Some("10 000 gradients".into()),
/// };
/// assert!(chart.to_svg().starts_with("<svg"));
/// assert!(chart.to_csv().starts_with("series,x,y,low,high\nIWAE,1,4,3.6,4.4\n"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineChart {
    /// What the figure shows, above it.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, later ones over earlier ones.
    pub series: Vec<Series>,
    /// Lines to compare with, under the series.
    pub guides: Vec<Guide>,
    /// How the numbers came about, below the figure.
    pub footnote: Option<String>,
}

/// Points of one kind, joined in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// The points.
    pub points: Vec<Point>,
    /// How uncertainty is drawn.
    pub spread: Spread,
    /// The number of the colour, dash and marker, so that a method looks the same in all figures,
    /// see [`estimator_style`](crate::estimator_style); the place among the series by default.
    pub style: Option<usize>,
}

/// A value at a place, and how well it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The place.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// The lower end of what the value may be.
    pub low: Option<f64>,
    /// The upper end of what the value may be.
    pub high: Option<f64>,
}

/// How uncertainty is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// A bar at every point.
    #[default]
    Bars,
    /// A pale band along the line.
    Band,
}

/// A straight dashed line to compare with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guide {
    /// The name in the legend.
    pub name: String,
    /// A point of the line, which the axes always show.
    pub through: (f64, f64),
    /// Rise over run as drawn: with two logarithmic axes the exponent of a power law.
    pub slope: f64,
}

/// A point in places along the axes.
#[derive(Clone, Copy)]
struct Placed {
    x: f64,
    y: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl LineChart {
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

    /// All points as comma-separated values, also those that are not drawn; unknown ends are empty.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("series,x,y,low,high\n");
        let end = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
        for series in &self.series {
            for Point { x, y, low, high } in &series.points {
                let (low, high) = (end(*low), end(*high));
                let _ = writeln!(csv, "{},{x},{y},{low},{high}", field(&series.name));
            }
        }
        csv
    }

    fn draw(&self) -> Canvas {
        let series: Vec<Vec<Vec<Placed>>> = self.series.iter().map(|s| self.runs(s)).collect();
        let guides: Vec<Option<Spot>> = self.guides.iter().map(|g| self.anchor(g)).collect();
        let points = || series.iter().flatten().flatten();
        let anchors = || guides.iter().flatten();
        let x = points().map(|p| p.x).chain(anchors().map(|a| a.0));
        let y = points().flat_map(|p| [Some(p.y), p.low, p.high]).flatten();
        let y = y.filter(|place| place.is_finite()).chain(anchors().map(|a| a.1));
        let plot = PlotPlan {
            title: "",
            x: AxisPlan::of(&self.x, Range::of(x)),
            y: AxisPlan::of(&self.y, Range::of(y)),
            size: SIZE,
        };
        let looks: Vec<Look> = self.looks().collect();
        let names = self.series.iter().map(|s| s.name.as_str()).zip(looks.iter().copied());
        let guide_looks = (0..).map(Look::of_guide);
        let guide_names = self.guides.iter().map(|g| g.name.as_str()).zip(guide_looks);
        let page = Page {
            title: &self.title,
            plots: vec![plot],
            legend: names.chain(guide_names).collect(),
            footnote: self.footnote.as_deref(),
        };
        let (mut canvas, plots) = page.lay_out();
        let plot = &plots[0];
        for (number, (guide, anchor)) in self.guides.iter().zip(&guides).enumerate() {
            if let Some(ends) = anchor.and_then(|at| cut(at, guide.slope, plot)) {
                canvas.stroke(&ends, &Look::of_guide(number));
            }
        }
        for ((runs, series), look) in series.iter().zip(&self.series).zip(&looks) {
            for run in runs {
                match series.spread {
                    Spread::Bars => draw_bars(&mut canvas, plot, run, look),
                    Spread::Band => draw_band(&mut canvas, plot, run, look),
                }
            }
        }
        for (runs, look) in series.iter().zip(&looks) {
            for run in runs {
                let spots: Vec<Spot> = run.iter().map(|p| plot.spot(p.x, p.y)).collect();
                canvas.stroke(&spots, look);
                // A lonely point has no line that would show it.
                let lonely = (spots.len() == 1).then_some(Marker::Dot);
                for spot in spots {
                    look.marker
                        .or(lonely)
                        .into_iter()
                        .for_each(|m| canvas.marker(spot, m, look.colour));
                }
            }
        }
        canvas
    }

    fn looks(&self) -> impl Iterator<Item = Look> {
        let styled = self.series.iter().enumerate();
        styled.map(|(number, series)| {
            let look = Look::of_series(series.style.unwrap_or(number));
            let shown = series.points.len() <= MOST_MARKERS;
            Look { marker: look.marker.filter(|_| shown), ..look }
        })
    }

    /// The points that have a place, in runs between those that have none.
    fn runs(&self, series: &Series) -> Vec<Vec<Placed>> {
        let placed: Vec<_> = series.points.iter().map(|point| self.place(point)).collect();
        let runs = placed.split(Option::is_none).filter(|run| !run.is_empty());
        runs.map(|run| run.iter().flatten().copied().collect()).collect()
    }

    fn place(&self, point: &Point) -> Option<Placed> {
        let end = |value: f64| self.y.scale.place(value);
        let low = |value: f64| {
            let below_all = value.is_finite() && value <= 0.0;
            end(value).or(below_all.then_some(f64::NEG_INFINITY))
        };
        Some(Placed {
            x: self.x.scale.place(point.x)?,
            y: end(point.y)?,
            low: point.low.and_then(low),
            high: point.high.and_then(end),
        })
    }

    fn anchor(&self, guide: &Guide) -> Option<Spot> {
        Some((self.x.scale.place(guide.through.0)?, self.y.scale.place(guide.through.1)?))
    }
}

/// Both ends of the line through a place, where it leaves the plot.
fn cut(through: Spot, slope: f64, plot: &Plot) -> Option<[Spot; 2]> {
    let x_at = |y: f64| through.0 + (y - through.1) / slope;
    let (mut left, mut right) = (plot.x.low, plot.x.high);
    if !slope.is_finite() {
        return None;
    }
    if slope != 0.0 {
        let (a, b) = (x_at(plot.y.low), x_at(plot.y.high));
        (left, right) = (left.max(a.min(b)), right.min(a.max(b)));
    }
    let y_at = |x: f64| through.1 + slope * (x - through.0);
    Some([left, right].map(|x| plot.spot(x, y_at(x))))
}

fn draw_bars(canvas: &mut Canvas, plot: &Plot, run: &[Placed], look: &Look) {
    for point in run {
        let from = plot.spot(point.x, point.y);
        for end in [point.low, point.high].into_iter().flatten() {
            let to = plot.spot(point.x, end);
            canvas.rule(from, to, look.colour, 1.4);
            if end.is_finite() {
                canvas.rule((to.0 - CAP, to.1), (to.0 + CAP, to.1), look.colour, 1.4);
            }
        }
    }
}

fn draw_band(canvas: &mut Canvas, plot: &Plot, run: &[Placed], look: &Look) {
    let upper = run.iter().map(|p| plot.spot(p.x, p.high.unwrap_or(p.y)));
    let lower = run.iter().rev().map(|p| plot.spot(p.x, p.low.unwrap_or(p.y)));
    canvas.area(&upper.chain(lower).collect::<Vec<_>>(), look.colour, BAND);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::axis::Scale;

    fn chart(scale: Scale, points: &[(f64, f64)]) -> LineChart {
        let axis = || Axis { label: String::new(), scale };
        let point = |&(x, y): &(f64, f64)| Point { x, y, ..Point::default() };
        let points = points.iter().map(point).collect();
        let series = vec![Series { points, ..Series::default() }];
        LineChart { x: axis(), y: axis(), series, ..LineChart::default() }
    }

    /// Markers of the first look, without the one in the legend.
    fn markers(chart: &LineChart) -> usize {
        chart.to_svg().matches("<circle").count() - 1
    }

    #[test]
    fn points_without_a_place_are_left_out() {
        let points = [(1.0, 2.0), (2.0, f64::NAN), (f64::INFINITY, 1.0), (-3.0, 1.0), (4.0, 0.0)];
        assert_eq!(markers(&chart(Scale::Linear, &points)), 3);
        assert_eq!(markers(&chart(Scale::Log, &points)), 1);
        let runs = |points| {
            let chart = chart(Scale::Linear, points);
            chart.runs(&chart.series[0]).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(runs(&points), [1, 2], "the line is broken where points are missing");
        assert!(runs(&[(f64::NAN, 0.0)]).is_empty());
    }

    #[test]
    fn long_series_have_no_markers_but_on_lonely_points() {
        let mut points: Vec<_> = (0..40).map(|x| (f64::from(x), 0.0)).collect();
        assert_eq!(markers(&chart(Scale::Linear, &points)), 40);
        points.extend([(40.0, f64::NAN), (41.0, 1.0), (42.0, f64::NAN)]);
        assert_eq!(chart(Scale::Linear, &points).to_svg().matches("<circle").count(), 1);
    }

    #[test]
    fn names_stay_text() {
        let mut chart = chart(Scale::Linear, &[(0.0, 1.0)]);
        chart.series[0].name = "<script>alert('&')</script>".into();
        for text in [&mut chart.title, &mut chart.x.label, &mut chart.y.label] {
            *text = "<script>".into();
        }
        chart.footnote = Some("<script>".into());
        let svg = chart.to_svg();
        assert!(!svg.contains("<script"), "{svg}");
        assert_eq!(svg.matches("&lt;script&gt;").count(), 6);
    }

    #[test]
    fn csv_has_every_point() {
        let mut chart = chart(Scale::Log, &[(1.0, 0.1), (-2.0, f64::NAN)]);
        chart.series[0].name = "MIWAE(8, 8)".into();
        chart.series[0].points[0].low = Some(0.05);
        chart.series[0].points[1].high = Some(1e-9);
        let expected = "\
series,x,y,low,high
\"MIWAE(8, 8)\",1,0.1,0.05,
\"MIWAE(8, 8)\",-2,NaN,,0.000000001
";
        assert_eq!(chart.to_csv(), expected);
    }

    #[test]
    fn png_is_twice_the_svg() {
        let mut chart = chart(Scale::Log, &[(1.0, 2.0), (10.0, 4.0)]);
        chart.title = "A title".into();
        let png = chart.to_png().unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        let (width, height) = (reader.info().width, reader.info().height);
        let sides = format!("width=\"{}\" height=\"{}\"", width / 2, height / 2);
        let svg = chart.to_svg();
        assert!(svg.contains(&sides), "{sides}: {}", &svg[..120]);
        assert!(width > 2 * SIZE.0 as u32 && height > 2 * SIZE.1 as u32);
    }

    #[test]
    fn a_guide_ends_at_the_rim() {
        let range = Range { low: 0.0, high: 10.0 };
        let plot = Plot::new((0.0, 0.0), (100.0, 100.0), range, range);
        assert_eq!(cut((0.0, 5.0), 1.0, &plot), Some([(0.0, 50.0), (50.0, 0.0)]));
        assert_eq!(cut((5.0, 5.0), -2.0, &plot), Some([(25.0, 0.0), (75.0, 100.0)]));
        assert_eq!(cut((5.0, 2.0), 0.0, &plot), Some([(0.0, 80.0), (100.0, 80.0)]));
        assert_eq!(cut((5.0, 2.0), f64::NAN, &plot), None);
    }

    #[test]
    fn bars_without_an_end_on_a_log_axis_reach_the_rim() {
        let point = |low| Point { x: 1.0, y: 1.0, low: Some(low), high: Some(f64::NAN) };
        let place = |scale, low| chart(scale, &[]).place(&point(low)).unwrap();
        assert_eq!(place(Scale::Log, -1.0).low, Some(f64::NEG_INFINITY));
        assert_eq!(place(Scale::Log, 0.1).low, Some(-1.0));
        assert_eq!(place(Scale::Linear, -1.0).low, Some(-1.0));
        assert_eq!(place(Scale::Log, f64::NAN).low, None);
        assert_eq!(place(Scale::Log, 0.1).high, None);
    }

    #[test]
    fn extremes_are_drawn_without_infinities() {
        let points = [(-1e300, 1e300), (1e300, -1e300), (f64::MAX, 0.0), (5e-324, 1e-300)];
        for scale in [Scale::Linear, Scale::Log] {
            for points in [&points[..], &points[3..], &[]] {
                let mut chart = chart(scale, points);
                chart.guides = vec![Guide { through: (1.0, 1.0), slope: 1.0, ..Guide::default() }];
                let svg = chart.to_svg();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
        assert!(LineChart::default().to_png().is_ok());
    }
}
