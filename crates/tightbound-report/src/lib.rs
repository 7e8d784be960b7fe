//! Turn scores and images into tables and pictures.
#![forbid(unsafe_code)]

mod figures;
mod image_grid;
mod number;
pub mod page;
mod table;

pub use figures::{
    Axis, FigureError, Guide, Histogram, LineChart, Panel, Point, Samples, Scale, Series, Spread,
};
pub use image_grid::{GreyImage, GridLayout};
pub use number::{Measured, mean_and_sd};
pub use table::{Align, Table};
