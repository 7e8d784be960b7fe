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
    #[test]
    fn dump() {
        let t = std::time::Instant::now();
        let d = dataset();
        eprintln!("{:?}", t.elapsed());
        let m = d.train.mean_image();
        eprintln!("mean {}", m.iter().sum::<f64>() / 784.0);
        let Pixels::Bytes(b) = &d.train.pixels else { panic!() };
        std::fs::write("/tmp/glyphs.raw", b).unwrap();
    }
}
