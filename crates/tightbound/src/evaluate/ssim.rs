//! Measure how alike two images look, by the structure in a window around every pixel.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Half of what is left of the window's side without its centre.
const RADIUS: usize = 5;
/// Side of the window, in pixels.
const SIDE: usize = 2 * RADIUS + 1;
/// Standard deviation σ of the window's Gaussian, in pixels.
const SIGMA: f64 = 1.5;
/// (K₁ L)² and (K₂ L)² with K₁ = 0.01, K₂ = 0.03 and L = 1, the range of pixels.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Which windows count. The paper leaves this open, and small images with empty borders, such as
/// digits, score differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// Those of all pixels; beyond the image everything is 0. Every local mean, variance and covariance
    /// is built on convolutions of the images with zeros around them, as code does that calls a
    /// convolution of a neural network with padding 5.
    ZeroPadded,
    /// Those that lie inside the image as a whole. Their mean is what `structural_similarity` of
    /// scikit-image gives with `gaussian_weights=True`, `sigma=1.5`, `use_sample_covariance=False` and
    /// `data_range=1`.
    Valid,
}

impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroPadded => "zero-padded",
            Self::Valid => "valid",
        })
    }
}

/// Sizes of image without a structural similarity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SsimError {
    /// There are no pixels.
    #[error("an image of {height} × {width} pixels has none to compare")]
    Empty {
        /// Pixels down.
        height: usize,
        /// Pixels across.
        width: usize,
    },
    /// No window lies inside the image.
    #[error(
        "no window of {SIDE} × {SIDE} pixels fits into {height} × {width}: use the zero-padded border"
    )]
    Small {
        /// Pixels down.
        height: usize,
        /// Pixels across.
        width: usize,
    },
}

/// Structural similarity of grey images of one size.
///
/// ```text
///              (2 μa μb + C₁) (2 σab + C₂)
/// SSIM = mean ─────────────────────────────         C₁ = 0.01², C₂ = 0.03²
///             (μa² + μb² + C₁) (σa² + σb² + C₂)
/// ```
///
/// (Wang et al. 2004, equations 13 to 17.) The means μ, the variances σa² = Σ g a² − μa² and the
/// covariance σab = Σ g a b − μa μb are under a Gaussian window g of 11 × 11 pixels with σ = 1.5 that
/// adds up to 1, not corrected for the size of a sample. 1 for equal images, less for others; negative
/// where light and dark are exchanged.
#[derive(Clone, Debug)]
pub struct Ssim {
    height: usize,
    width: usize,
    border: Border,
    /// The window's factor along either side; it adds up to 1.
    window: [f64; SIDE],
}

/// Weighted sums of a, b, a², b² and a b.
type Moments = [f64; 5];

impl Ssim {
    /// Prepares for images of `height` × `width` pixels.
    ///
    /// # Errors
    /// If a side is 0, or the border is [`Border::Valid`] and a side is below 11.
    pub fn new(height: usize, width: usize, border: Border) -> Result<Self, SsimError> {
        let shortest = height.min(width);
        if shortest == 0 {
            return Err(SsimError::Empty { height, width });
        }
        if border == Border::Valid && shortest < SIDE {
            return Err(SsimError::Small { height, width });
        }
        let mut window = [0.0; SIDE];
        for (i, g) in window.iter_mut().enumerate() {
            let distance = i as f64 - RADIUS as f64;
            *g = libm::exp(-0.5 * (distance / SIGMA) * (distance / SIGMA));
        }
        let sum: f64 = window.iter().sum();
        Ok(Self { height, width, border, window: window.map(|g| g / sum) })
    }

    /// The similarity of images `a` and `b`, both `[height·width]` by rows with pixels in [0, 1].
    ///
    /// # Panics
    /// If an image has another number of pixels.
    pub fn of(&self, a: &[f32], b: &[f32]) -> f64 {
        for image in [a, b] {
            assert_eq!(image.len(), self.height * self.width, "pixels of one image");
        }
        let (rows, columns) = (self.centres(self.height), self.centres(self.width));
        // Zeros stay to the left and right of the image's own columns.
        let mut line = vec![[0.0; 5]; self.width + 2 * RADIUS];
        let mut sum = 0.0;
        for row in rows.clone() {
            self.sum_columns(row, a, b, &mut line[RADIUS..][..self.width]);
            for column in columns.clone() {
                sum += similarity(self.sum_line(&line[column..column + SIDE]));
            }
        }
        sum / (rows.len() * columns.len()) as f64
    }

    /// The pixels along a side whose windows count.
    fn centres(&self, side: usize) -> Range<usize> {
        match self.border {
            Border::ZeroPadded => 0..side,
            Border::Valid => RADIUS..side - RADIUS,
        }
    }

    /// Fills `line`, `[width]`, with every column's moments about `row`; rows beyond the image add 0.
    fn sum_columns(&self, row: usize, a: &[f32], b: &[f32], line: &mut [Moments]) {
        line.fill([0.0; 5]);
        let first = row.saturating_sub(RADIUS);
        let last = (row + RADIUS).min(self.height - 1);
        for y in first..=last {
            let g = self.window[y + RADIUS - row];
            let pixels = y * self.width..(y + 1) * self.width;
            for ((sums, &a), &b) in line.iter_mut().zip(&a[pixels.clone()]).zip(&b[pixels]) {
                let (a, b) = (f64::from(a), f64::from(b));
                for (sum, moment) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                    *sum += g * moment;
                }
            }
        }
    }

    /// The moments of the window over `[11]` columns.
    fn sum_line(&self, columns: &[Moments]) -> Moments {
        let mut sums = [0.0; 5];
        for (g, moments) in self.window.iter().zip(columns) {
            for (sum, moment) in sums.iter_mut().zip(moments) {
                *sum += g * moment;
            }
        }
        sums
    }
}

/// The similarity inside one window.
fn similarity([a, b, aa, bb, ab]: Moments) -> f64 {
    let (var_a, var_b, cov) = (aa - a * a, bb - b * b, ab - a * b);
    let luminance = (2.0 * a * b + C1) / (a * a + b * b + C1);
    let structure = (2.0 * cov + C2) / (var_a + var_b + C2);
    luminance * structure
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BORDERS: [Border; 2] = [Border::ZeroPadded, Border::Valid];

    fn pixels(n: usize) -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(0.0..=1.0f32, n)
    }

    proptest! {
        /// Exactly: both sides of every product and sum change places.
        #[test]
        fn the_order_does_not_matter_and_an_image_is_like_itself(a in pixels(221), b in pixels(221)) {
            for border in BORDERS {
                let ssim = Ssim::new(13, 17, border).unwrap();
                prop_assert_eq!(ssim.of(&a, &b), ssim.of(&b, &a));
                prop_assert_eq!(ssim.of(&a, &a), 1.0);
                prop_assert!(ssim.of(&a, &b) < 1.0);
            }
        }

        /// An image with five zeros around it has all its zero-padded windows inside.
        #[test]
        fn zero_padding_is_what_it_says(a in pixels(12), b in pixels(12)) {
            let surrounded = |image: &[f32]| {
                let mut all = vec![0.0; 13 * 14];
                for (y, row) in image.chunks_exact(4).enumerate() {
                    all[(y + 5) * 14 + 5..][..4].copy_from_slice(row);
                }
                all
            };
            let small = Ssim::new(3, 4, Border::ZeroPadded).unwrap().of(&a, &b);
            let large = Ssim::new(13, 14, Border::Valid).unwrap();
            let large = large.of(&surrounded(&a), &surrounded(&b));
            // The same sums but for products with zero.
            prop_assert!((small - large).abs() < 1e-14, "{small} {large}");
        }

        /// Transposed images have the same windows.
        #[test]
        fn rows_and_columns_are_alike(a in pixels(156), b in pixels(156)) {
            let transposed = |image: &[f32]| -> Vec<f32> {
                (0..156).map(|i| image[(i % 12) * 13 + i / 12]).collect()
            };
            for border in BORDERS {
                let upright = Ssim::new(12, 13, border).unwrap().of(&a, &b);
                let lying = Ssim::new(13, 12, border).unwrap().of(&transposed(&a), &transposed(&b));
                // 121 products below 1, added in another order, over C₂ = 9e-4.
                prop_assert!((upright - lying).abs() < 1e-11, "{upright} {lying}");
            }
        }
    }

    /// Of flat images nothing but the means is left: (2 a b + C₁) / (a² + b² + C₁).
    #[test]
    fn flat_images_differ_by_their_means_alone() {
        let ssim = Ssim::new(11, 11, Border::Valid).unwrap();
        let flat = |grey| vec![grey; 121];
        let figure = ssim.of(&flat(0.25), &flat(0.75));
        // Variances cancel to 1e-16 beside C₂ = 9e-4.
        assert!((figure - (0.375 + 1e-4) / (0.625 + 1e-4)).abs() < 1e-12, "{figure}");
        let negative: Vec<f32> = (0..121).map(|i| (i % 2) as f32).collect();
        let positive: Vec<f32> = negative.iter().map(|p| 1.0 - p).collect();
        assert!(ssim.of(&negative, &positive) < -0.9);
    }

    #[test]
    fn sizes_without_windows_are_refused() {
        for border in BORDERS {
            for (height, width) in [(0, 28), (28, 0)] {
                let error = Ssim::new(height, width, border).unwrap_err();
                assert_eq!(error, SsimError::Empty { height, width });
            }
        }
        for (height, width) in [(10, 28), (28, 10)] {
            let error = Ssim::new(height, width, Border::Valid).unwrap_err();
            assert_eq!(error, SsimError::Small { height, width });
            assert!(error.to_string().contains("11 × 11"), "{error}");
            assert!(Ssim::new(height, width, Border::ZeroPadded).is_ok());
        }
    }

    #[test]
    fn borders_are_written_as_they_are_read() {
        for border in BORDERS {
            let json = serde_json::to_string(&border).unwrap();
            assert_eq!(json, format!("\"{border}\""));
            assert_eq!(serde_json::from_str::<Border>(&json).unwrap(), border);
        }
    }
}
