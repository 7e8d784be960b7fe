//! Put ink on 28×28 pixels, and make a data set of it.

use sha2::{Digest, Sha256};

use super::hand::{Line, write};
use crate::data::dataset::{Dataset, Source, hex};
use crate::data::images::{Images, Pixels};
use crate::random::{Purpose, Stream};

/// Pixels along each side.
const SIDE: usize = 28;
/// Images to train on, and to test on: a tenth of them in each class.
const PARTS: [usize; 2] = [10_000, 2_000];
/// The glyphs are the same whatever the seed of the run.
const SEED: u64 = 0;
/// Half the width, in pixels, of the grey edge of a stroke.
const EDGE: f32 = 0.75;

/// The built-in data set: image i shows the digit i mod 10.
pub(in crate::data) fn dataset() -> Dataset {
    let stream = Stream::new(SEED, Purpose::Glyphs);
    let [train, test] = [0, 1].map(|part| {
        let n = PARTS[part];
        let mut pixels = vec![0; n * SIDE * SIDE];
        for (item, image) in pixels.chunks_exact_mut(SIDE * SIDE).enumerate() {
            draw(&mut write(item % 10, &stream, part as u32, item as u32), image);
        }
        let labels = (0..n).map(|item| (item % 10) as u16).collect();
        (pixels, labels)
    });
    let sha256 = hex(&Sha256::new().chain_update(&train.0).chain_update(&test.0).finalize());
    let images = |(pixels, labels)| Images::new(SIDE, SIDE, Pixels::Bytes(pixels), Some(labels));
    Dataset {
        name: "glyphs".into(),
        train: images(train),
        test: images(test),
        validation: None,
        sources: vec![Source { file: "glyphs".into(), sha256 }],
        fixed: false,
    }
}

/// Draws the lines, their middle in the middle of the image.
fn draw(lines: &mut [Line], image: &mut [u8]) {
    centre(lines);
    let mut ink = [0.0f32; SIDE * SIDE];
    for line in lines.iter() {
        for pair in line.windows(2) {
            segment(pair[0], pair[1], &mut ink);
        }
    }
    for (pixel, ink) in image.iter_mut().zip(ink) {
        // From an even ramp to a soft edge: 3t² − 2t³.
        *pixel = (255.0 * ink * ink * (3.0 - 2.0 * ink) + 0.5) as u8;
    }
}

/// Moves the lines so that their bounding box and their ink share the middle of the image.
fn centre(lines: &mut [Line]) {
    let mut low = (f32::MAX, f32::MAX);
    let mut high = (f32::MIN, f32::MIN);
    let mut sum = (0.0, 0.0);
    let mut count = 0.0;
    for &(x, y, _) in lines.iter().flatten() {
        (low.0, low.1) = (low.0.min(x), low.1.min(y));
        (high.0, high.1) = (high.0.max(x), high.1.max(y));
        (sum.0, sum.1, count) = (sum.0 + x, sum.1 + y, count + 1.0);
    }
    let middle = 0.5 * (SIDE as f32 - 1.0);
    let shift_x = middle - 0.25 * (low.0 + high.0) - 0.5 * sum.0 / count;
    let shift_y = middle - 0.25 * (low.1 + high.1) - 0.5 * sum.1 / count;
    for (x, y, _) in lines.iter_mut().flatten() {
        *x += shift_x;
        *y += shift_y;
    }
}

/// Inks the pixels near the segment from `a` to `b`: 1 inside the pen, falling to 0 over its edge.
fn segment(a: (f32, f32, f32), b: (f32, f32, f32), ink: &mut [f32; SIDE * SIDE]) {
    let reach = a.2.max(b.2) + EDGE;
    let span = |p: f32, q: f32| {
        let first = (p.min(q) - reach).max(0.0) as usize;
        let end = (p.max(q) + reach + 1.0).clamp(0.0, SIDE as f32) as usize;
        first..end
    };
    let along = (b.0 - a.0, b.1 - a.1);
    let squared_length = (along.0 * along.0 + along.1 * along.1).max(1e-12);
    for row in span(a.1, b.1) {
        for column in span(a.0, b.0) {
            let (x, y) = (column as f32 - a.0, row as f32 - a.1);
            let t = ((x * along.0 + y * along.1) / squared_length).clamp(0.0, 1.0);
            let (x, y) = (x - t * along.0, y - t * along.1);
            let distance = (x * x + y * y).sqrt();
            let radius = a.2 + t * (b.2 - a.2);
            let value = ((radius + EDGE - distance) / (2.0 * EDGE)).clamp(0.0, 1.0);
            let pixel = &mut ink[row * SIDE + column];
            *pixel = pixel.max(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changing a pixel changes every number anybody printed for this data set.
    #[test]
    fn pixels_are_pinned() {
        let data = dataset();
        assert_eq!(
            data.sources[0].sha256,
            "e9fb4dfb660a96f82e4eae6e6fb8f1fdf2bffa861c1613148978ba108d58ddb0"
        );
        assert_eq!((data.train.len(), data.test.len(), data.fixed), (10_000, 2_000, false));
    }

    #[test]
    fn classes_are_balanced_and_ink_is_like_that_of_mnist() {
        let data = dataset();
        for part in [&data.train, &data.test] {
            let labels = part.labels.as_ref().unwrap();
            for class in 0..10 {
                let count = labels.iter().filter(|&&label| label == class).count();
                assert_eq!(count, part.len() / 10);
            }
            // MNIST: mean .1307 and .1325.
            let ink = part.mean_image().iter().sum::<f64>() / 784.0;
            assert!((0.12..0.14).contains(&ink), "{ink}");
            let Pixels::Bytes(pixels) = &part.pixels else { panic!("glyphs are bytes") };
            let mut levels = pixels.clone();
            levels.sort_unstable();
            levels.dedup();
            assert!(levels.len() > 200, "{} grey levels", levels.len());
        }
    }

    /// No two images agree, and a nearest class mean finds most digits: they are varied, yet digits.
    #[test]
    fn digits_are_varied_and_can_be_told_apart() {
        let data = dataset();
        let means: Vec<Vec<f64>> = (0..10)
            .map(|class| (class..10_000).step_by(10).collect::<Vec<_>>())
            .map(|positions| data.train.select(&positions).mean_image())
            .collect();
        let mut image = [0.0; SIDE * SIDE];
        let mut seen = std::collections::HashSet::new();
        let mut right = 0;
        for i in 0..data.test.len() {
            data.test.probabilities(i, &mut image);
            assert!(seen.insert(image.map(f32::to_bits)), "image {i} is a copy");
            let distance = |mean: &Vec<f64>| -> f64 {
                mean.iter().zip(image).map(|(m, x)| (m - f64::from(x)).powi(2)).sum()
            };
            let nearest =
                (0..10).min_by(|&a, &b| distance(&means[a]).total_cmp(&distance(&means[b])));
            right += usize::from(nearest == Some(i % 10));
        }
        assert!(right > 1600, "{right} of 2000");
    }
}
