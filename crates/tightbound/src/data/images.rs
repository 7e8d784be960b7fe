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
                let grey = |b: u8| f32::from(b) / 255.0;
                binarise(&bytes[range], grey, |block| stream.words(time, id, 0, block), out);
            }
            Pixels::Floats(floats) => {
                binarise(&floats[range], |p| p, |block| stream.words(time, id, 0, block), out);
            }
        }
    }
}

/// Draws four pixels per block of random words; a block whose pixels are all certain is not drawn.
fn binarise<T: Copy>(
    grey_values: &[T],
    grey: impl Fn(T) -> f32,
    words: impl Fn(u32) -> [u32; 4],
    out: &mut [u8],
) {
    for (block, (values, out)) in grey_values.chunks(4).zip(out.chunks_mut(4)).enumerate() {
        let certain = values.iter().all(|&v| grey(v) <= 0.0 || grey(v) >= 1.0);
        let words = if certain { [0; 4] } else { words(block as u32) };
        for ((out, &value), word) in out.iter_mut().zip(values).zip(words) {
            *out = u8::from(uniform_from_word(word) < grey(value));
        }
    }
}
