//! Write a shape as one hand would: slanted, uneven, with a pen of its own width.

use super::shapes::{Point, SHAPES};
use crate::random::Stream;

/// Pieces of a stroke between two of its points.
const PIECES: usize = 6;
/// Random normal numbers for one glyph: 16 for the hand, the rest two per point of the shape.
const NORMALS: usize = 64;

/// One stroke as a broken line, in pixels: (x, y, radius of the pen).
pub(super) type Line = Vec<(f32, f32, f32)>;

/// The strokes of glyph `item` of class `digit` in part `time`, in pixels about the origin.
///
/// Only correctly rounded arithmetic and `libm`'s sine and cosine are used, so that the same
/// numbers come out on every machine.
pub(super) fn write(digit: usize, stream: &Stream, time: u32, item: u32) -> Vec<Line> {
    let mut normals = [0.0; NORMALS];
    stream.normals(time, item, 0, &mut normals);
    // Beyond 2.2 sd digits become unreadable.
    normals.iter_mut().for_each(|n| *n = n.clamp(-2.2, 2.2));
    let (hand, wobble) = normals.split_at(16);

    let ways = SHAPES[digit];
    // The first way has as much weight as all the others together.
    let choice = stream.below(2 * ways.len().max(2) as u32 - 2, time, item, 1, 0) as usize;
    let shape = ways[if choice < ways.len() { choice } else { 0 }];

    let turn = 0.08 * hand[0];
    let (sine, cosine) = (libm::sinf(turn), libm::cosf(turn));
    let slant = 0.12 + 0.2 * hand[1];
    let height = 18.4 + 1.1 * hand[2];
    let width = height * (0.95 + 0.14 * hand[3]);
    let pen = 1.22 + 0.27 * hand[4];
    let pressure = 0.12 * hand[5];
    // A slow bend of the whole digit, beside the tremble of single points.
    let bend = (0.05 * hand[6], 0.05 * hand[7]);

    let place = |(x, y): Point| {
        let (x, y) = (x - 0.33, y - 0.5);
        let (x, y) = (x + bend.0 * (4.0 * y * y - 0.5), y + bend.1 * (4.0 * x * x - 0.2));
        let (x, y) = ((x - slant * y) * width, y * height);
        (cosine * x - sine * y, sine * x + cosine * y)
    };
    let mut wobble = wobble.chunks_exact(2).cycle();
    let mut lines = Vec::with_capacity(shape.len());
    for &stroke in shape {
        let mut points: Vec<Point> = Vec::with_capacity(stroke.len());
        for (i, &(x, y)) in stroke.iter().enumerate() {
            let point = match i {
                _ if i > 0 && stroke[i - 1] == (x, y) => points[i - 1],
                _ => {
                    let n = wobble.next().unwrap_or(&[0.0, 0.0]);
                    place((x + 0.034 * n[0], y + 0.034 * n[1]))
                }
            };
            points.push(point);
        }
        lines.push(smooth(&points, pen, pressure));
    }
    lines
}

/// Runs a Catmull–Rom spline through the points. The pen's radius changes along the stroke by the
/// fraction `pressure`, from less to more or back.
fn smooth(points: &[Point], pen: f32, pressure: f32) -> Line {
    let last = points.len() - 1;
    let mut line = Vec::with_capacity(last * PIECES + 1);
    for i in 0..last {
        let (a, b) = (points[i.saturating_sub(1)], points[i]);
        let (c, d) = (points[i + 1], points[(i + 2).min(last)]);
        if b == c {
            continue;
        }
        for piece in 0..PIECES {
            let t = piece as f32 / PIECES as f32;
            let along = (i as f32 + t) / last as f32;
            let radius = pen * (1.0 + pressure * (2.0 * along - 1.0));
            line.push((spline(a.0, b.0, c.0, d.0, t), spline(a.1, b.1, c.1, d.1, t), radius));
        }
    }
    let (x, y) = points[last];
    line.push((x, y, pen * (1.0 + pressure)));
    line
}

/// The Catmull–Rom spline from b (t = 0) to c (t = 1), with neighbours a and d.
fn spline(a: f32, b: f32, c: f32, d: f32, t: f32) -> f32 {
    let slope_b = 0.5 * (c - a);
    let slope_c = 0.5 * (d - b);
    let quadratic = 3.0 * (c - b) - 2.0 * slope_b - slope_c;
    let cubic = 2.0 * (b - c) + slope_b + slope_c;
    b + t * (slope_b + t * (quadratic + t * cubic))
}
