//! Hold grey images, and binarise them.

use crate::random::{Stream, uniform_from_word};

/// Grey values of N images of D pixels, row-major, in [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// k stands for k/255.
    Bytes(Vec<u8>),
    /// Values that are no multiples of 1/255.
    Floats(Vec<f32>),
}

/// N grey images. A grey value is the probability that the binarised pixel is 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// `[N, height · width]`.
    pub pixels: Pixels,
    /// `[N]`: the images' numbers in their data set; they address every random draw.
    pub ids: Vec<u32>,
    /// `[N]`: classes, where they are known.
    pub labels: Option<Vec<u16>>,
}

impl Images {
    /// Images numbered 0..N, N = number of pixels / (height · width).
    ///
    /// # Panics
    /// If the pixels are no whole number of images, or the labels are not N.
    pub fn new(height: usize, width: usize, pixels: Pixels, labels: Option<Vec<u16>>) -> Self {
        let d = height * width;
        let n = pixels.len().checked_div(d).unwrap_or(0);
        assert_eq!(n * d, pixels.len(), "whole images");
        assert!(labels.as_ref().is_none_or(|labels| labels.len() == n), "one label per image");
        Self { height, width, pixels, ids: (0..n as u32).collect(), labels }
    }

    /// N.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// D = height · width.
    pub fn pixel_count(&self) -> usize {
        self.height * self.width
    }

    /// Writes the grey values of image `index` (a position, not an id) into `out`, D elements.
    pub fn probabilities(&self, index: usize, out: &mut [f32]) {
        let d = self.pixel_count();
        assert_eq!(out.len(), d, "one element per pixel");
        let range = index * d..(index + 1) * d;
        match &self.pixels {
            Pixels::Bytes(bytes) => {
                for (out, &byte) in out.iter_mut().zip(&bytes[range]) {
                    *out = grey(byte);
                }
            }
            Pixels::Floats(floats) => out.copy_from_slice(&floats[range]),
        }
    }

    /// The mean grey value of each pixel, `[D]`; zeros if there are no images.
    pub fn mean_image(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.pixel_count()];
        let mut image = vec![0.0; self.pixel_count()];
        for index in 0..self.len() {
            self.probabilities(index, &mut image);
            for (sum, &value) in sums.iter_mut().zip(&image) {
                *sum += f64::from(value);
            }
        }
        let n = self.len().max(1) as f64;
        sums.iter_mut().for_each(|sum| *sum /= n);
        sums
    }

    /// The images at `positions`, with their ids and labels, in that order.
    ///
    /// # Panics
    /// If a position is N or more.
    pub fn select(&self, positions: &[usize]) -> Self {
        let d = self.pixel_count();
        Self {
            height: self.height,
            width: self.width,
            pixels: match &self.pixels {
                Pixels::Bytes(bytes) => Pixels::Bytes(rows(bytes, d, positions)),
                Pixels::Floats(floats) => Pixels::Floats(rows(floats, d, positions)),
            },
            ids: rows(&self.ids, 1, positions),
            labels: self.labels.as_ref().map(|labels| rows(labels, 1, positions)),
        }
    }

    /// Whether every grey value is 0 or 1.
    pub fn is_binary(&self) -> bool {
        match &self.pixels {
            Pixels::Bytes(bytes) => bytes.iter().all(|&b| b == 0 || b == 255),
            Pixels::Floats(floats) => floats.iter().all(|&p| p == 0.0 || p == 1.0),
        }
    }

    /// Draws the binary pixels of image `index` (a position, not an id) into `out`, D elements.
    ///
    /// Pixel d is 1 if the uniform number `stream.uniform(time, id, 0, d)` is below its grey value,
    /// so that grey 0 never is and grey 1 always is.
    pub fn binarise(&self, index: usize, stream: &Stream, time: u32, out: &mut [u8]) {
        let d = self.pixel_count();
        assert_eq!(out.len(), d, "one element per pixel");
        let range = index * d..(index + 1) * d;
        let id = self.ids[index];
        match &self.pixels {
            Pixels::Bytes(bytes) => {
                binarise(&bytes[range], grey, |block| stream.words(time, id, 0, block), out);
            }
            Pixels::Floats(floats) => {
                binarise(&floats[range], |p| p, |block| stream.words(time, id, 0, block), out);
            }
        }
    }
}

impl Pixels {
    /// How many pixels there are, over all images.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The grey value that a byte stands for, a 255th each.
fn grey(byte: u8) -> f32 {
    /// Divided once: a minibatch looks up more pixels than there are bytes.
    static GREY: [f32; 256] = {
        let mut grey = [0.0; 256];
        let mut byte = 0;
        while byte < 256 {
            grey[byte] = byte as f32 / 255.0;
            byte += 1;
        }
        grey
    };
    GREY[usize::from(byte)]
}

/// Copies rows of `d` elements.
fn rows<T: Copy>(from: &[T], d: usize, positions: &[usize]) -> Vec<T> {
    positions.iter().flat_map(|&p| &from[p * d..(p + 1) * d]).copied().collect()
}

/// Draws four pixels per block of random words; a block whose pixels are all certain is not drawn.
fn binarise<T: Copy>(
    grey_values: &[T],
    grey: impl Fn(T) -> f32,
    words: impl Fn(u32) -> [u32; 4],
    out: &mut [u8],
) {
    for (block, (values, out)) in grey_values.chunks(4).zip(out.chunks_mut(4)).enumerate() {
        let mut four = [0.0; 4];
        for (to, &value) in four.iter_mut().zip(values) {
            *to = grey(value);
        }
        let certain = four.iter().all(|&v| v <= 0.0 || v >= 1.0);
        let words = if certain { [0; 4] } else { words(block as u32) };
        for ((out, value), word) in out.iter_mut().zip(four).zip(words) {
            *out = u8::from(uniform_from_word(word) < value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn grey() -> Images {
        let floats = vec![0.0, 0.25, 1.0, 0.1, 0.9, 0.5];
        Images::new(1, 3, Pixels::Floats(floats), Some(vec![4, 7]))
    }

    #[test]
    fn means_and_selections_keep_images_together() {
        let images = grey();
        let mean = images.mean_image();
        for (mean, expected) in mean.iter().zip([0.05, 0.575, 0.75]) {
            // One f32 rounding of numbers below 1.
            assert!((mean - expected).abs() < 1e-7, "{mean} {expected}");
        }
        let picked = images.select(&[1, 0, 1]);
        assert_eq!(picked.ids, [1, 0, 1]);
        assert_eq!(picked.labels, Some(vec![7, 4, 7]));
        let mut out = [0.0; 3];
        picked.probabilities(1, &mut out);
        assert_eq!(out, [0.0, 0.25, 1.0]);
        let bytes = Images::new(1, 1, Pixels::Bytes(vec![51, 255]), None);
        bytes.probabilities(0, &mut out[..1]);
        assert_eq!(out[0], 0.2);
        assert!(bytes.select(&[1]).is_binary() && !bytes.is_binary() && !images.is_binary());
    }

    /// The frequency of ones over n = 40,000 draws lies within 5 sd, √(p(1−p)/n), of the grey value;
    /// 0 and 1 are certain, and selecting or reordering images does not change what is drawn.
    #[test]
    fn binarisation_draws_the_grey_values() {
        let images = grey();
        let reordered = images.select(&[1, 0]);
        let stream = Stream::new(5, Purpose::Binarisation);
        let n = 40_000;
        let mut counts = [0.0; 6];
        for time in 0..n {
            for index in 0..2 {
                let (mut drawn, mut again) = ([9; 3], [9; 3]);
                images.binarise(index, &stream, time, &mut drawn);
                reordered.binarise(1 - index, &stream, time, &mut again);
                assert_eq!(drawn, again);
                (0..3).for_each(|d| counts[3 * index + d] += f64::from(drawn[d]));
            }
        }
        for (count, p) in counts.iter().zip([0.0, 0.25, 1.0, 0.1, 0.9, 0.5f64]) {
            let frequency = count / f64::from(n);
            let sd = (p * (1.0 - p) / f64::from(n)).sqrt();
            assert!((frequency - p).abs() <= 5.0 * sd, "{frequency} {p}");
        }
    }
}
