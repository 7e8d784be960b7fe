//! Turn scores and images into tables and pictures.
#![forbid(unsafe_code)]

mod csv;
mod figures;
mod image_grid;
mod number;
mod published;
mod rolling;
mod scores;
mod table;

pub use figures::{
    Axis, FigureError, Guide, Histogram, LineChart, Panel, Point, Samples, Scale, Series, Spread,
};
pub use image_grid::{GreyImage, GridLayout};
pub use number::{Measured, mean_and_sd};
pub use published::{
    Architecture, Corpus, Provenance, PublishedScore, REPORT_CAVEAT, Score, Source, published,
    published_scores,
};
pub use rolling::rolling_mean;
pub use scores::{Best, Cell, Column, Published, Row, ScoreTable, welch_p};
pub use table::{Align, Table};
