//! Draw line charts and histograms as SVG and PNG, with their numbers as CSV.

mod axis;
mod canvas;
mod histogram;
mod line_chart;
mod look;
mod page;

pub use axis::{Axis, Scale};
pub use canvas::FigureError;
pub use histogram::{Histogram, Panel, Samples};
pub use line_chart::{Guide, LineChart, Point, Series, Spread};
