//! Draw points by class, without lines, many of them over each other.

use std::fmt::Write;

use super::axis::{Axis, Range};
use super::canvas::{Canvas, FigureError, Hold, Spot, Type};
use super::look::Look;
use super::page::{AxisPlan, Page, PlotPlan};
use crate::csv::field;

/// Width and height of the area for data, in pixels.
const SIZE: (f64, f64) = (500.0, 500.0);

/// Radius of the dots of a small and of a large figure, and how many dots make it large.
const RADII: (f64, f64) = (3.5, 1.75);
const MANY: usize = 1000;

/// Opacity of a dot: what lies below shows.
const OPACITY: f64 = 0.55;

/// Names of classes, in the middle of their points where they are no wider.
const NAME: Type = Type::size(13).held(Hold::Middle);
const LONGEST_NAME: f64 = 18.0;

/// Parts of every class that are drawn in turns, so that the last class does not cover the others.
const TURNS: usize = 16;

/// Points of several classes between two axes, as small translucent dots.
///
/// The colours are ten that also colour-blind eyes tell apart (Petroff 2021); further classes have
/// them again. Short names, such as digits, also stand at the medians of their classes. A point is left out where a coordinate is not finite, is beyond ±10³⁰⁰, or is not
/// positive on a logarithmic axis. Dots are smaller where there are more than 1000, and
/// stand on multiples of a quarter pixel, which keeps 10 000 of them below 1 MB of SVG.
///
/// ```
/// use tightbound_report::{Axis, Cloud, Scale, Scatter};
///
/// let scatter = Scatter {
///     title: "Means of the posterior".into(),
///     x: Axis { label: "z₁".into(), scale: Scale::Linear },
///     y: Axis { label: "z₂".into(), scale: Scale::Linear },
///     clouds: vec![
///         Cloud { name: "0".into(), points: vec![(0.1, 1.2), (0.2, 0.9)] },
///         Cloud { name: "1".into(), points: vec![(-1.0, 0.4)] },
///     ],
///     footnote: None,
/// };
/// assert!(scatter.to_svg().starts_with("<svg"));
/// assert_eq!(scatter.to_csv(), "class,x,y\n0,0.1,1.2\n0,0.2,0.9\n1,-1,0.4\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// What the figure shows, above it.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The classes, in the order of the legend.
    pub clouds: Vec<Cloud>,
    /// How the points came about, below the figure.
    pub footnote: Option<String>,
}

/// Points of one class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloud {
    /// The name in the legend.
    pub name: String,
    /// The points.
    pub points: Vec<(f64, f64)>,
}

impl Scatter {
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

    /// All points as comma-separated values, also those that are not drawn.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("class,x,y\n");
        for cloud in &self.clouds {
            for (x, y) in &cloud.points {
                let _ = writeln!(csv, "{},{x},{y}", field(&cloud.name));
            }
        }
        csv
    }

    fn draw(&self) -> Canvas {
        let place = |(x, y): &(f64, f64)| Some((self.x.scale.place(*x)?, self.y.scale.place(*y)?));
        let placed = |cloud: &Cloud| cloud.points.iter().filter_map(place).collect();
        let clouds: Vec<Vec<Spot>> = self.clouds.iter().map(placed).collect();
        let places = || clouds.iter().flatten();
        let plot = PlotPlan {
            title: "",
            x: AxisPlan::of(&self.x, Range::of(places().map(|place| place.0))),
            y: AxisPlan::of(&self.y, Range::of(places().map(|place| place.1))),
            size: SIZE,
        };
        let names = self.clouds.iter().enumerate();
        let page = Page {
            title: &self.title,
            plots: vec![plot],
            legend: names.map(|(number, c)| (c.name.as_str(), Look::of_class(number))).collect(),
            footnote: self.footnote.as_deref(),
        };
        let (mut canvas, plots) = page.lay_out();
        let radius = if places().count() > MANY { RADII.1 } else { RADII.0 };
        for turn in 0..TURNS {
            for (number, places) in clouds.iter().enumerate() {
                let part = places.iter().skip(turn).step_by(TURNS);
                let spots: Vec<Spot> = part.map(|(x, y)| plots[0].spot(*x, *y)).collect();
                canvas.dots(&spots, radius, Look::of_class(number).colour, OPACITY);
            }
        }
        for (cloud, places) in self.clouds.iter().zip(&clouds) {
            if let Some((x, y)) = middle(places)
                && clouds.len() > 1
                && NAME.width(&cloud.name) <= LONGEST_NAME
            {
                let spot = plots[0].spot(x, y);
                canvas.dots(&[spot], LONGEST_NAME / 2.0, "#ffffff", 0.8);
                canvas.text((spot.0, spot.1 + 4.5), &cloud.name, NAME);
            }
        }
        canvas
    }
}

/// The median of either coordinate.
fn middle(places: &[Spot]) -> Option<Spot> {
    let median = |coordinate: fn(&Spot) -> f64| {
        let mut values: Vec<f64> = places.iter().map(coordinate).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    Some((median(|spot| spot.0)?, median(|spot| spot.1)?))
}

#[cfg(test)]
mod tests {
    use super::super::axis::Scale;
    use super::*;

    fn scatter(clouds: &[(&str, &[(f64, f64)])]) -> Scatter {
        let cloud = |(name, points): &(&str, &[(f64, f64)])| Cloud {
            name: (*name).into(),
            points: points.to_vec(),
        };
        Scatter { clouds: clouds.iter().map(cloud).collect(), ..Scatter::default() }
    }

    #[test]
    fn only_points_with_a_place_are_drawn() {
        let points = [(1.0, 2.0), (f64::NAN, 1.0), (-1.0, 3.0), (2.0, f64::INFINITY)];
        let mut scatter = scatter(&[("a", &points), ("none", &[])]);
        let drawn = |scatter: &Scatter| scatter.to_svg().matches("0.55").count();
        assert_eq!(drawn(&scatter), 2);
        assert_eq!(scatter.to_svg().matches(">a<").count(), 2, "in the legend and at the points");
        scatter.x.scale = Scale::Log;
        assert_eq!(drawn(&scatter), 1);
        assert!(!scatter.to_svg().contains("NaN"));
        assert!(Scatter::default().to_png().is_ok());
    }

    #[test]
    fn names_stay_text() {
        let mut scatter = scatter(&[("<script>, 1", &[(0.0, 1.0)])]);
        scatter.title = "<script>".into();
        assert_eq!(scatter.to_svg().matches("&lt;script&gt;").count(), 3, "title, label, legend");
        assert_eq!(scatter.to_csv(), "class,x,y\n\"<script>, 1\",0,1\n");
    }

    /// The golden ratio and a root of three spread the points over the plane.
    #[test]
    fn ten_thousand_points_stay_below_a_megabyte() {
        let point =
            |n: i32| ((f64::from(n) * 0.618_034).fract(), (f64::from(n) * 0.732_051).fract());
        let points: Vec<_> = (0..10_000).map(point).collect();
        let svg = scatter(&[("a", &points)]).to_svg();
        assert_eq!(svg.matches("fill-opacity").count(), points.len());
        assert!(svg.len() < 1_000_000, "{}", svg.len());
    }
}
