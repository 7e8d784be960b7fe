//! Keep numbers in whole vectors that begin where cache lines do.

use std::ops::{Deref, DerefMut};

use super::simd::LANES;

/// One vector, at the start of a cache line: a vector across two lines costs two accesses.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// f32 in whole, aligned vectors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer(Vec<Line>);

impl Buffer {
    /// `length` zeros; a multiple of 16.
    pub(crate) fn zeros(length: usize) -> Self {
        let mut buffer = Self::default();
        buffer.resize(length);
        buffer
    }

    /// Grows with zeros, if it is shorter than `length`, a multiple of 16.
    pub(crate) fn hold(&mut self, length: usize) {
        if self.len() < length {
            self.resize(length);
        }
    }

    /// Grows with zeros, or shrinks, to `length`, a multiple of 16.
    pub(crate) fn resize(&mut self, length: usize) {
        assert_eq!(length % LANES, 0, "whole vectors");
        self.0.resize(length / LANES, Line([0.0; LANES]));
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a `Line` is sixteen f32 and nothing else: its size is its alignment.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LANES) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * LANES) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_its_numbers_in_order() {
        let mut buffer = Buffer::zeros(2 * LANES);
        assert_eq!(buffer.as_ptr().addr() % 64, 0);
        for (i, x) in buffer.iter_mut().enumerate() {
            *x = i as f32;
        }
        buffer.resize(3 * LANES);
        let expected: Vec<f32> = (0..32).map(|i| i as f32).chain([0.0; 16]).collect();
        assert_eq!(*buffer, expected[..]);
    }
}
