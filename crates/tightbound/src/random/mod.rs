//! Make every random number a function of (seed, purpose, time, item, sample, index).
//!
//! Nothing here has state: a draw can be repeated, skipped or made on another thread without
//! changing any other draw.

pub(crate) mod normal;
pub(crate) mod philox;
mod stream;

pub use philox::philox4x32_10;
pub(crate) use stream::uniform_from_word;
pub use stream::{Purpose, Stream};
