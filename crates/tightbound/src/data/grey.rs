//! Turn arrays of numbers into grey images, refusing what is no grey value.

use super::images::{Images, Pixels};

/// k/255 computed in f32 is this close: two roundings (1/255, then times k) of 6e-8 each at most.
const ROUNDING: f64 = 1.2e-7;

/// Collects grey values; as bytes, as long as each is a multiple of 1/255 to within f32 rounding.
#[derive(Debug)]
pub(super) struct Grey(Pixels);

impl Grey {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(Pixels::Bytes(Vec::new()))
    }

    /// Appends a value, or says what is wrong with it.
    pub fn push(&mut self, value: f64) -> Result<(), String> {
        if !(0.0..=1.0).contains(&value) {
            return Err(format!("grey value {value}; every value must lie in [0, 1]"));
        }
        match &mut self.0 {
            Pixels::Bytes(bytes) => {
                let byte = (255.0 * value).round();
                if (value - byte / 255.0).abs() <= ROUNDING {
                    bytes.push(byte as u8);
                } else {
                    let floats = bytes.iter().map(|&b| f32::from(b) / 255.0);
                    self.0 = Pixels::Floats(floats.chain([value as f32]).collect());
                }
            }
            Pixels::Floats(floats) => floats.push(value as f32),
        }
        Ok(())
    }

    /// All values in order.
    pub fn finish(self) -> Pixels {
        self.0
    }
}

/// Reads dimensions as (N, height, width): `[N, D]`, `[N, H, W]` or `[N, 1, H, W]`.
///
/// D that is a square number makes square images; other images have one row.
pub(super) fn image_shape(dims: &[usize]) -> Result<(usize, usize, usize), String> {
    let (n, height, width) = match *dims {
        [n, d] => {
            let side = d.isqrt();
            if side * side == d { (n, side, side) } else { (n, 1, d) }
        }
        [n, height, width] | [n, 1, height, width] => (n, height, width),
        _ => {
            return Err(format!(
                "dimensions {dims:?}; images must be N×D, N×height×width or N×1×height×width"
            ));
        }
    };
    if n == 0 || height == 0 || width == 0 {
        return Err(format!("dimensions {dims:?}: there are no images, or no pixels in them"));
    }
    Ok((n, height, width))
}

/// Gives unlabelled images their labels.
pub(super) fn label(images: Images, labels: Vec<u16>) -> Result<Images, String> {
    if labels.len() != images.len() {
        return Err(format!("{} labels for {} images", labels.len(), images.len()));
    }
    Ok(Images { labels: Some(labels), ..images })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(values: &[f64]) -> Pixels {
        let mut grey = Grey::new();
        values.iter().for_each(|&v| grey.push(v).unwrap());
        grey.finish()
    }

    #[test]
    fn multiples_of_1_255_stay_bytes_also_after_f32_rounding() {
        let exact: Vec<f64> = (0..256).map(|k| f64::from(k) / 255.0).collect();
        let rounded: Vec<f64> = (0..256u16).map(|k| f64::from(f32::from(k) / 255.0)).collect();
        let scaled: Vec<f64> =
            (0..256u16).map(|k| f64::from(f32::from(k) * (1.0 / 255.0)).min(1.0)).collect();
        for values in [exact, rounded, scaled] {
            assert_eq!(collect(&values), Pixels::Bytes((0..=255).collect()));
        }
    }

    #[test]
    fn one_other_value_makes_all_of_them_floats() {
        assert_eq!(collect(&[0.0, 1.0, 0.3334]), Pixels::Floats(vec![0.0, 1.0, 0.3334]));
        assert_eq!(collect(&[0.5, 1.0]), Pixels::Floats(vec![0.5, 1.0]));
    }

    #[test]
    fn what_is_no_grey_value_is_refused() {
        for value in [f64::NAN, -1e-9, 1.0 + 1e-9, f64::INFINITY] {
            assert!(Grey::new().push(value).unwrap_err().contains("[0, 1]"));
        }
    }

    #[test]
    fn shapes_are_read_as_images() {
        assert_eq!(image_shape(&[7, 784]), Ok((7, 28, 28)));
        assert_eq!(image_shape(&[7, 785]), Ok((7, 1, 785)));
        assert_eq!(image_shape(&[7, 3, 5]), Ok((7, 3, 5)));
        assert_eq!(image_shape(&[7, 1, 3, 5]), Ok((7, 3, 5)));
        for wrong in [&[7][..], &[0, 4], &[7, 0, 5], &[7, 3, 5, 5]] {
            assert!(image_shape(wrong).is_err(), "{wrong:?}");
        }
    }
}
