//! Read grey images, and make binarised minibatches of them.

mod amat;
mod bytes;
mod chardata;
mod dataset;
mod download;
mod error;
mod finder;
mod glyphs;
mod grey;
#[cfg(test)]
mod hostile;
mod idx;
mod images;
mod known;
mod load;
mod mat;
mod npy;
mod order;
mod own;
pub(crate) mod readers;
#[cfg(test)]
mod real_files;

pub(crate) use dataset::hex;
pub use dataset::{Dataset, Source, sources_hash};
pub use download::Progress;
pub use error::{DataError, MissingFile};
pub use finder::Finder;
pub use images::{Images, Pixels};
pub use load::load;
pub use order::shuffled_order;
