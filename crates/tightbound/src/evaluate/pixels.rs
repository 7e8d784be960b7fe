//! Draw the binary pixels of images that are scored.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::data::Images;
use crate::random::{Purpose, Stream};

/// How held-out pixels become binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestPixels {
    /// One draw for all evaluations of this seed.
    #[default]
    Frozen,
    /// A draw of its own for every number, as where test pixels are redrawn at each evaluation.
    Redraw(u32),
}

impl TestPixels {
    /// The binary pixels of the images at positions `range`, `[range.len(), D]`: a function of the
    /// seed and of the images' numbers, not of the range.
    pub fn draw(self, images: &Images, range: Range<usize>, seed: u64) -> Vec<u8> {
        let stream = Stream::new(seed, Purpose::TestPixels);
        let time = match self {
            Self::Frozen => 0,
            Self::Redraw(number) => number.max(1),
        };
        let d = images.pixel_count();
        let mut pixels = vec![0; range.len() * d];
        for (index, row) in range.zip(pixels.chunks_exact_mut(d)) {
            images.binarise(index, &stream, time, row);
        }
        pixels
    }
}
