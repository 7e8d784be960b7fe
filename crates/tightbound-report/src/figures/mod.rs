//! Draw charts and rows of images as SVG and PNG, with their numbers as CSV.

mod axis;
mod box_chart;
mod canvas;
mod histogram;
mod image_rows;
mod line_chart;
mod look;
mod page;
mod scatter;
mod style;

pub use axis::{Axis, Scale};
pub use box_chart::{BoxChart, Mark};
pub use canvas::FigureError;
pub use histogram::{Histogram, MarkedHistogram, Panel, Samples};
pub use image_rows::{ImageRow, ImageRows};
pub use line_chart::{Guide, LineChart, Point, Series, Spread};
pub use scatter::{Cloud, Scatter};
pub use style::{estimator_style, estimator_styles};
