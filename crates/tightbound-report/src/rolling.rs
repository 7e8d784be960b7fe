//! Smooth a curve by the mean of its neighbours.

/// The mean y of the `window` points around every point, at the point's own x.
///
/// The window is centred; an even one reaches one point further to the left. At the ends it is
/// cut off: the first point of a window of five is the mean of three. The points are neighbours in
/// their order, whatever their x. A y that is not finite is left out of every mean; where none is
/// left, the mean is NaN, which figures do not draw. A `window` of 0 or 1 leaves finite points as they
/// are.
///
/// ```
/// use tightbound_report::rolling_mean;
///
/// let curve = [(1.0, 2.0), (2.0, 4.0), (3.0, 9.0), (4.0, 5.0)];
/// let smooth = rolling_mean(&curve, 3);
/// assert_eq!(smooth, [(1.0, 3.0), (2.0, 5.0), (3.0, 6.0), (4.0, 7.0)]);
/// ```
pub fn rolling_mean(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let (before, after) = (window / 2, window.saturating_sub(1) / 2);
    let mean = |(number, &(x, _)): (usize, &(f64, f64))| {
        let end = (number + after + 1).min(points.len());
        let around = &points[number.saturating_sub(before)..end];
        let values: Vec<f64> = around.iter().map(|(_, y)| *y).filter(|y| y.is_finite()).collect();
        (x, crate::mean_and_sd(&values).value)
    };
    points.iter().enumerate().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smooth(values: &[f64], window: usize) -> Vec<f64> {
        let points: Vec<_> = (0..).map(f64::from).zip(values.iter().copied()).collect();
        rolling_mean(&points, window).iter().map(|(_, y)| *y).collect()
    }

    #[test]
    fn windows_are_cut_off_at_the_ends() {
        assert_eq!(smooth(&[0.0, 3.0, 6.0, 9.0, 30.0], 5), [3.0, 4.5, 9.6, 12.0, 15.0]);
        assert_eq!(smooth(&[0.0, 2.0, 8.0], 2), [0.0, 1.0, 5.0]);
        assert_eq!(smooth(&[1.0, 2.0, 6.0], usize::MAX), [3.0; 3]);
        for window in [0, 1] {
            assert_eq!(smooth(&[1.0, 5.0], window), [1.0, 5.0]);
        }
        assert!(smooth(&[], 3).is_empty());
    }

    #[test]
    fn gaps_do_not_spread() {
        assert_eq!(smooth(&[1.0, f64::NAN, 5.0, f64::INFINITY], 3), [1.0, 3.0, 5.0, 5.0]);
        assert!(smooth(&[f64::NAN], 3)[0].is_nan());
    }
}
