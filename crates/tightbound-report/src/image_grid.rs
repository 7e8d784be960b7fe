//! Arrange small grey images in a grid, and write it as PNG.

/// How a grid looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridLayout {
    /// Images per row, ≥ 1.
    pub columns: usize,
    /// Side of the square that one pixel becomes, ≥ 1.
    pub scale: usize,
    /// Width of the lines around every image.
    pub border: usize,
}

/// Grey of the lines between images: neither ink nor paper.
const BORDER: u8 = 96;

/// A picture of 8-bit grey values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyImage {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height · width]`, 0 is black.
    pub pixels: Vec<u8>,
}

impl GridLayout {
    /// Arranges images of `height` × `width` grey values in [0, 1], `[n, height · width]`, row by row.
    ///
    /// Values outside [0, 1] are clipped. Places without an image are filled with the border's grey.
    ///
    /// # Panics
    /// If `columns`, `scale`, `height` or `width` is 0, or the values are not whole images.
    pub fn arrange(&self, values: &[f32], height: usize, width: usize) -> GreyImage {
        let Self { columns, scale, border } = *self;
        assert!(columns > 0 && scale > 0 && height > 0 && width > 0, "a grid has no empty side");
        assert_eq!(values.len() % (height * width), 0, "whole images");
        let count = values.len() / (height * width);
        let rows = count.div_ceil(columns);
        let columns = columns.min(count.max(1));
        let side = |tiles: usize, tile: usize| tiles * (tile * scale + border) + border;
        let (total_width, total_height) = (side(columns, width), side(rows, height));
        let mut pixels = vec![BORDER; total_width * total_height];
        for (index, image) in values.chunks_exact(height * width).enumerate() {
            let top = border + (index / columns) * (height * scale + border);
            let left = border + (index % columns) * (width * scale + border);
            for y in 0..height * scale {
                let row = &image[y / scale * width..][..width];
                let start = (top + y) * total_width + left;
                for (x, pixel) in pixels[start..start + width * scale].iter_mut().enumerate() {
                    *pixel = (row[x / scale].clamp(0.0, 1.0) * 255.0).round() as u8;
                }
            }
        }
        GreyImage { width: total_width, height: total_height, pixels }
    }
}

impl GreyImage {
    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// If a side is 0 or does not fit into 32 bits.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let side = |n: usize| u32::try_from(n).unwrap_or(0);
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width), side(self.height));
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture as text: `#` black, `.` white, `+` border, digits for tenths of grey.
    fn draw(image: &GreyImage) -> String {
        let symbol = |&pixel: &u8| match pixel {
            0 => '#',
            255 => '.',
            BORDER => '+',
            other => char::from(b'0' + other / 26),
        };
        let rows = image.pixels.chunks(image.width);
        rows.map(|row| row.iter().map(symbol).collect::<String>() + "\n").collect()
    }

    /// Three images of 2 × 3 pixels, so that rows and columns cannot be confused.
    #[test]
    fn images_lie_row_by_row_with_lines_between() {
        let values = [
            0.0, 0.0, 1.0, 1.0, 0.0, 0.0, // first
            1.0, 1.0, 1.0, 0.0, 0.0, 0.5, // second
            0.0, 1.0, 0.0, 2.0, -1.0, 1.0, // third, clipped
        ];
        let grid = GridLayout { columns: 2, scale: 1, border: 1 }.arrange(&values, 2, 3);
        let expected = "\
+++++++++
+##.+...+
+.##+##4+
+++++++++
+#.#+++++
+.#.+++++
+++++++++
";
        assert_eq!(draw(&grid), expected);
    }

    #[test]
    fn scale_repeats_pixels_and_few_images_make_a_narrow_grid() {
        let grid = GridLayout { columns: 9, scale: 2, border: 0 }.arrange(&[0.0, 1.0], 1, 2);
        assert_eq!(draw(&grid), "##..\n##..\n");
    }

    #[test]
    fn png_gives_the_pixels_back() {
        let image = GridLayout { columns: 2, scale: 3, border: 2 }.arrange(&[0.2; 18], 2, 3);
        let bytes = image.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (image.width, image.height));
        assert_eq!(pixels, image.pixels);
        let empty = GreyImage { width: 0, height: 0, pixels: Vec::new() };
        assert!(empty.to_png().is_err());
    }
}
