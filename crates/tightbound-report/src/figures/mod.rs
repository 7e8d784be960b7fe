//! Draw line charts as SVG and PNG, with their numbers as CSV.

mod axis;
mod canvas;
mod csv;
mod line_chart;
mod look;
mod page;

pub use axis::{Axis, Scale};
pub use canvas::FigureError;
pub use line_chart::{Guide, LineChart, Point, Series, Spread};
