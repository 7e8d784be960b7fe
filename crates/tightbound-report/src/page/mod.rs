//! Show scores, figures and decoders on one HTML page that needs no network.
//!
//! The page holds its own style and script, and its policy forbids every request. Words that come
//! from outside appear as they are: only [`Markup`] is trusted.

mod content;
mod explorer;
mod render;

pub use content::{Block, Download, Markup, Page, Section};
pub use explorer::{DenseLayer, Example, Explorer, Nonlinearity, Unit};
