//! Draw digit-like strokes, so that the first command needs no download.

mod draw;
mod hand;
mod shapes;

pub(super) use draw::dataset;
