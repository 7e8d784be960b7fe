//! Choose images, and draw their binary pixels once.

use std::ops::Range;

use tightbound::data::{Images, shuffled_order};
use tightbound::random::{Purpose, Stream};

/// Binary pixels of the images `range`, drawn once by `seed`: `[range.len(), D]`.
pub fn frozen_pixels(images: &Images, range: Range<usize>, seed: u64) -> Vec<u8> {
    let stream = Stream::new(seed, Purpose::TestPixels);
    let d = images.pixel_count();
    let mut pixels = vec![0; range.len() * d];
    for (index, out) in range.zip(pixels.chunks_exact_mut(d)) {
        images.binarise(index, &stream, 0, out);
    }
    pixels
}

/// `count` of the images, chosen by `seed` (some sets are sorted by class), or all.
pub fn some_of(images: Images, count: Option<usize>, seed: u64) -> Images {
    match count {
        Some(count) if count < images.len() => {
            let order = shuffled_order(images.len(), seed, 0);
            let mut positions: Vec<_> = order[..count].iter().map(|&i| i as usize).collect();
            positions.sort_unstable();
            images.select(&positions)
        }
        _ => images,
    }
}
