//! Draw rows of small grey images with labels and captions.

use std::fmt::Write;

use super::canvas::{Canvas, FigureError, Hold, Picture, Type};
use super::page::{EDGE, FOOTNOTE, GAP, TITLE, line};
use crate::csv::field;

const COLUMN: Type = Type::size(13).held(Hold::Middle);
const LABEL: Type = Type::size(13).held(Hold::End);
const CAPTION: Type = Type::size(11).held(Hold::Middle);

/// A label at the left is broken at this width.
const LABEL_WIDTH: f64 = 190.0;

/// Space between two images.
const BETWEEN: f64 = 4.0;

/// A word of a heading may widen its column up to this many widths of an image.
const WIDEST: f64 = 1.6;

/// Rows of grey images of one size, such as inputs above their reconstructions.
///
/// Values are in [0, 1], 0 black; others are clipped. Rows may differ in their number of images.
///
/// ```
/// use tightbound_report::{ImageRow, ImageRows};
///
/// let rows = ImageRows {
///     title: "Reconstructions".into(),
///     columns: vec!["first".into()],
///     rows: vec![ImageRow {
///         label: "input".into(),
///         images: vec![0.0, 0.5, 1.0, 0.0, 0.5, 1.0],
///         captions: vec!["SSIM .61, \"a\"".into()],
///     }],
///     height: 2,
///     width: 3,
///     scale: 8,
///     footnote: None,
/// };
/// assert!(rows.to_svg().contains("href=\"data:image/png;base64,"));
/// assert_eq!(rows.to_csv(), "row,column,caption\ninput,first,\"SSIM .61, \"\"a\"\"\"\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageRows {
    /// What the figure shows, above it.
    pub title: String,
    /// Headings of the columns; there may be fewer than images, or none.
    pub columns: Vec<String>,
    /// The rows, from top to bottom.
    pub rows: Vec<ImageRow>,
    /// Pixels of an image from top to bottom, ≥ 1.
    pub height: usize,
    /// Pixels of an image from left to right, ≥ 1.
    pub width: usize,
    /// Side of the square that one pixel becomes; 0 is taken as 1.
    pub scale: usize,
    /// How the images came about, below the figure.
    pub footnote: Option<String>,
}

/// Images side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageRow {
    /// What the images are, at their left; a line of its own after every line break.
    pub label: String,
    /// The grey values, `[n, height · width]`, row by row.
    pub images: Vec<f32>,
    /// What stands below the images; there may be fewer than images, or none.
    pub captions: Vec<String>,
}

impl ImageRow {
    /// Height of the images and the captions.
    fn height(&self, image: f64) -> f64 {
        image + if self.captions.is_empty() { BETWEEN } else { line(CAPTION) + GAP }
    }
}

/// Sizes of the parts, in pixels.
struct Layout {
    /// Of an image.
    image: (f64, f64),
    /// From one column to the next.
    pitch: f64,
    /// Where the images begin.
    left: f64,
    title: Vec<String>,
    headings: Vec<Vec<String>>,
    footnote: Vec<String>,
    width: f64,
}

impl ImageRows {
    /// The figure as SVG; every image is a PNG in it.
    ///
    /// # Panics
    /// If `height` or `width` is 0, or the values of a row are not whole images.
    pub fn to_svg(&self) -> String {
        self.draw().to_svg()
    }

    /// The figure as the bytes of a PNG file with twice the SVG's pixels, in a font of its own.
    ///
    /// # Errors
    /// If the picture cannot be encoded.
    ///
    /// # Panics
    /// If `height` or `width` is 0, or the values of a row are not whole images.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        self.draw().into_png()
    }

    /// The captions as comma-separated values; a column without heading has its number, from 1.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("row,column,caption\n");
        for row in &self.rows {
            for (number, caption) in row.captions.iter().enumerate() {
                let numbered = || (number + 1).to_string();
                let column = self.columns.get(number).cloned().unwrap_or_else(numbered);
                let cells = [&row.label, &column, caption].map(|text| field(text));
                let _ = writeln!(csv, "{}", cells.join(","));
            }
        }
        csv
    }

    fn images<'a>(&self, row: &'a ImageRow) -> std::slice::ChunksExact<'a, f32> {
        row.images.chunks_exact(self.height * self.width)
    }

    fn lay_out(&self) -> Layout {
        assert!(self.height > 0 && self.width > 0, "an image has no empty side");
        let whole = |row: &ImageRow| row.images.len().is_multiple_of(self.height * self.width);
        assert!(self.rows.iter().all(whole), "whole images");
        let scale = self.scale.max(1);
        let image = ((self.width * scale) as f64, (self.height * scale) as f64);
        let captions = self.rows.iter().flat_map(|row| &row.captions).map(|c| CAPTION.width(c));
        let words = self.columns.iter().flat_map(|heading| heading.split(' '));
        let words = words.map(|word| COLUMN.width(word).min(WIDEST * image.0));
        let widest = captions.chain(words);
        let pitch = widest.fold(image.0, f64::max).ceil() + BETWEEN;
        let labels = self.rows.iter().flat_map(|row| LABEL.wrap(&row.label, LABEL_WIDTH));
        let labels = labels.map(|label| LABEL.width(&label)).fold(0.0, f64::max);
        let left = EDGE + if labels > 0.0 { labels.ceil() + 2.0 * GAP } else { 0.0 };
        let columns = self.rows.iter().map(|row| self.images(row).len()).max().unwrap_or(0);
        let width = left + columns as f64 * pitch - BETWEEN + EDGE;
        // Room for a title even above few images.
        let width = width.max(TITLE.width(&self.title).min(360.0) + 2.0 * EDGE);
        let wrapped = |text: &str, set: Type| set.wrap(text, width - 2.0 * EDGE);
        Layout {
            image,
            pitch,
            left,
            title: wrapped(&self.title, TITLE),
            headings: self.columns.iter().take(columns).map(|c| COLUMN.wrap(c, pitch)).collect(),
            footnote: wrapped(self.footnote.as_deref().unwrap_or(""), FOOTNOTE),
            width,
        }
    }

    fn draw(&self) -> Canvas {
        let layout = self.lay_out();
        let heading_lines = layout.headings.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let headings_top = EDGE + layout.title.len() as f64 * line(TITLE) + GAP;
        let top = headings_top + heading_lines * line(COLUMN);
        let rows = self.rows.iter().map(|row| row.height(layout.image.1)).sum::<f64>();
        let footnote = layout.footnote.len() as f64 * line(FOOTNOTE);
        let height = top + rows + footnote + EDGE;
        let mut canvas = Canvas::new(layout.width, height, &self.title);
        for (number, text) in layout.title.iter().enumerate() {
            canvas.text((EDGE, EDGE + 13.0 + number as f64 * line(TITLE)), text, TITLE);
        }
        for (column, heading) in layout.headings.iter().enumerate() {
            for (number, text) in heading.iter().rev().enumerate() {
                let y = top - GAP + 1.0 - number as f64 * line(COLUMN);
                canvas.text((layout.centre(column), y), text, COLUMN);
            }
        }
        let mut y = top;
        for row in &self.rows {
            self.draw_row(&mut canvas, &layout, row, y);
            y += row.height(layout.image.1);
        }
        for (number, text) in layout.footnote.iter().enumerate() {
            canvas.text((EDGE, y + (number + 1) as f64 * line(FOOTNOTE)), text, FOOTNOTE);
        }
        canvas
    }

    fn draw_row(&self, canvas: &mut Canvas, layout: &Layout, row: &ImageRow, top: f64) {
        let label = LABEL.wrap(&row.label, LABEL_WIDTH);
        let middle = top + layout.image.1 / 2.0 + 4.5;
        for (number, text) in label.iter().enumerate() {
            let below = number as f64 - (label.len() - 1) as f64 / 2.0;
            let x = layout.left - 1.5 * GAP;
            canvas.text((x, middle + below * line(LABEL)), text, LABEL);
        }
        for (column, values) in self.images(row).enumerate() {
            canvas.picture(Picture {
                at: ((layout.centre(column) - layout.image.0 / 2.0).round(), top.round()),
                scale: self.scale.max(1),
                width: self.width,
                values: values.to_vec(),
            });
        }
        for (column, caption) in row.captions.iter().enumerate() {
            let y = top + layout.image.1 + line(CAPTION) - 2.0;
            canvas.text((layout.centre(column), y), caption, CAPTION);
        }
    }
}

impl Layout {
    /// Middle of a column.
    fn centre(&self, column: usize) -> f64 {
        self.left + column as f64 * self.pitch + (self.pitch - BETWEEN) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of images of 2 × 3 pixels, two and one.
    fn rows() -> ImageRows {
        let row = |label: &str, images: &[f32]| ImageRow {
            label: label.into(),
            images: images.to_vec(),
            ..ImageRow::default()
        };
        let one = [0.0, 0.5, 1.0, 1.0, 2.0, -1.0];
        let rows = vec![row("input", &[one, one].concat()), row("output <script>", &one)];
        ImageRows { rows, height: 2, width: 3, scale: 10, ..ImageRows::default() }
    }

    #[test]
    fn every_image_is_in_the_svg_and_in_the_png() {
        let figure = rows();
        let svg = figure.to_svg();
        assert_eq!(svg.matches("<image ").count(), 3);
        assert_eq!(svg.matches("width=\"30\" height=\"20\"").count(), 3);
        assert!(svg.trim_end().ends_with("</svg>") && svg.contains(">output &lt;script&gt;<"));
        let mut wordless = figure.clone();
        wordless.rows.iter_mut().for_each(|row| row.label.clear());
        let png = wordless.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let channels = info.color_type.samples();
        let grey = |value: u8| bytes.chunks(channels).filter(|p| p[..3] == [value; 3]).count();
        // A value becomes a square of 20 × 20; every image has one grey and two black ones.
        assert_eq!(grey(128), 3 * 400);
        assert_eq!(grey(0), 3 * 2 * 400);
    }

    #[test]
    fn captions_make_room_and_stand_in_the_csv() {
        let mut figure = rows();
        let width = |figure: &ImageRows| figure.lay_out().width;
        let narrow = width(&figure);
        figure.rows[0].captions = vec![".61 ± .10".into(), ".7, more".into()];
        figure.columns = vec!["one".into()];
        assert!(width(&figure) > narrow + 2.0 * (CAPTION.width(".61 ± .10") - 30.0) - 10.0);
        let expected = "row,column,caption\ninput,one,.61 ± .10\ninput,2,\".7, more\"\n";
        assert_eq!(figure.to_csv(), expected);
        assert!(figure.to_svg().contains(">.61 ± .10<"));
    }

    #[test]
    fn nothing_is_no_harm() {
        let figure = ImageRows { height: 1, width: 1, ..ImageRows::default() };
        assert!(figure.to_png().is_ok());
    }

    #[test]
    #[should_panic(expected = "whole images")]
    fn parts_of_images_are_refused() {
        let mut figure = rows();
        figure.rows[0].images.pop();
        figure.to_svg();
    }
}
