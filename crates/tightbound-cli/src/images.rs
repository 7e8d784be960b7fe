//! Choose some of many images.

use tightbound::data::{Images, shuffled_order};

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
