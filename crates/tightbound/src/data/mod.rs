//! Read grey images, and make binarised minibatches of them.

mod images;
mod order;

pub use images::{Images, Pixels};
pub use order::shuffled_order;
