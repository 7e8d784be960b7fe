//! Turn scores and images into tables and pictures.
#![forbid(unsafe_code)]

mod image_grid;
mod number;
mod table;

pub use image_grid::{GreyImage, GridLayout};
pub use number::{Measured, mean_and_sd};
pub use table::{Align, Table};
