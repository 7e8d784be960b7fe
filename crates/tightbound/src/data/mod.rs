//! Read grey images, and make binarised minibatches of them.

mod bytes;
mod dataset;
mod download;
mod error;
mod finder;
mod glyphs;
mod idx;
mod images;
mod known;
mod load;
mod order;

pub use dataset::{Dataset, Source, sources_hash};
pub use download::Progress;
pub use error::{DataError, MissingFile};
pub use finder::Finder;
pub use images::{Images, Pixels};
pub use load::load;
pub use order::shuffled_order;
