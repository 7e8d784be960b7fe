//! Read grey images, and make binarised minibatches of them.

mod images;

pub use images::{Images, Pixels};
