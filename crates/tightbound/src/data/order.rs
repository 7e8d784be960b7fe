//! Shuffle the images of one epoch.

use crate::random::{Purpose, Stream};

/// The positions 0..`n` in the order in which `epoch` visits them (Fisher–Yates, from the end).
///
/// Depends on nothing but the arguments.
pub fn shuffled_order(n: usize, seed: u64, epoch: u32) -> Vec<u32> {
    let stream = Stream::new(seed, Purpose::Shuffle);
    let mut order: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        let j = stream.below(i as u32 + 1, epoch, 0, 0, i as u32);
        order.swap(i, j as usize);
    }
    order
}
