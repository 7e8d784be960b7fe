//! Turn scores and images into tables and pictures.
#![forbid(unsafe_code)]

mod csv;
mod escape;
mod figures;
mod image_grid;
mod number;
pub mod page;
mod published;
mod rolling;
mod scores;
mod shell;
pub mod study;
mod table;

pub use figures::{
    Axis, BoxChart, Cloud, FigureError, Guide, Histogram, ImageRow, ImageRows, LineChart, Mark,
    MarkedHistogram, Panel, Point, Samples, Scale, Scatter, Series, Spread, estimator_style,
    estimator_styles,
};
pub use image_grid::{GreyImage, GridLayout};
pub use number::{Measured, mean_and_sd};
pub use published::{
    Architecture, Corpus, Provenance, PublishedScore, REPORT_CAVEAT, Score, Source, published,
    published_scores,
};
pub use rolling::rolling_mean;
pub use scores::{Best, Cell, Column, Published, Row, ScoreTable, welch_p};
pub use shell::{shell_path, shell_word};
pub use table::{Align, Table};
