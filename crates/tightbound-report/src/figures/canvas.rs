//! Put strokes, areas, markers and words on a white sheet.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kuva::backend::{raster::RasterBackend, svg::SvgBackend};
use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};
use unicode_width::UnicodeWidthChar;

use super::look::{Look, Marker};
use crate::escape::{escape, visible};
use crate::image_grid::{GreyImage, GridLayout};

/// Pixels of the PNG for one of the SVG, in both directions.
pub(super) const PNG_SCALE: f32 = 2.0;

/// DejaVu Sans is what the PNG is set in; the next has nearly its widths.
const FONTS: &str = "DejaVu Sans, Verdana, sans-serif";

/// Half the side of a marker's box.
const MARKER: f64 = 4.5;

/// A picture could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the figure: {0}")]
pub struct FigureError(String);

/// A point on the sheet, in pixels from the left and from the top.
pub(super) type Spot = (f64, f64);

/// How words are set.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub size: u32,
    pub hold: Hold,
}

/// Which part of the words stands at their spot.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    Start,
    Middle,
    End,
}

impl Type {
    /// Words to the right of their spot.
    pub const fn size(size: u32) -> Self {
        Self { size, hold: Hold::Start }
    }

    pub const fn held(self, hold: Hold) -> Self {
        Self { hold, ..self }
    }

    /// How wide a text will be, to within a few per cent.
    pub fn width(self, text: &str) -> f64 {
        let em = |c: char| match c {
            'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | ' ' | '!' | '·' => 0.33,
            'f' | 't' | 'r' | '(' | ')' | '-' | '/' | '⁻' | '⁰'..='⁹' | '¹' | '²' | '³' => {
                0.41
            }
            'm' | 'w' | 'M' | 'W' | '×' | '±' | '−' | '=' | '+' | '<' | '>' => 0.88,
            c if c.is_uppercase() => 0.7,
            c => 0.62 * c.width().unwrap_or(0) as f64,
        };
        f64::from(self.size) * text.chars().map(em).sum::<f64>()
    }

    /// The text in lines no wider than `width`, broken at spaces where that can be.
    pub fn wrap(self, text: &str, width: f64) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split_inclusive(' ') {
                if self.width(line.trim_end()) + self.width(word.trim_end()) > width
                    && !line.is_empty()
                {
                    lines.push(std::mem::take(&mut line));
                }
                for c in word.chars() {
                    if self.width(&line) + self.width(c.encode_utf8(&mut [0; 4])) > width
                        && c != ' '
                    {
                        lines.push(std::mem::take(&mut line));
                    }
                    line.push(c);
                }
            }
            lines.push(line);
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// A grey image on the sheet.
pub(super) struct Picture {
    /// The upper left corner, in whole pixels.
    pub at: Spot,
    /// Side of the square that a value becomes.
    pub scale: usize,
    /// Values in a row.
    pub width: usize,
    /// `[height · width]` in [0, 1], 0 black.
    pub values: Vec<f32>,
}

/// A sheet that is drawn upon from bottom to top; pictures lie above all else.
pub(super) struct Canvas {
    scene: Scene,
    title: String,
    pictures: Vec<Picture>,
}

impl Canvas {
    /// An empty sheet; the title is for those who cannot see it.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut scene = Scene::new(width.ceil(), height.ceil());
        scene.font_family = Some(FONTS.to_owned());
        scene.text_color = Some("#222222".to_owned());
        Self { scene, title: title.to_owned(), pictures: Vec::new() }
    }

    pub fn text(&mut self, at: Spot, text: &str, set: Type) {
        // The library reads `$…$` as a formula.
        let content = text.chars().map(visible).collect::<String>().replace('$', "\\$");
        self.scene.add(Primitive::Text {
            x: at.0,
            y: at.1,
            content,
            size: set.size,
            anchor: match set.hold {
                Hold::Start => TextAnchor::Start,
                Hold::Middle => TextAnchor::Middle,
                Hold::End => TextAnchor::End,
            },
            // The PNG has neither bold nor smoothly turned letters.
            rotate: None,
            bold: false,
            color: None,
        });
    }

    /// A stroke through all spots, dashed as the look says.
    pub fn stroke(&mut self, spots: &[Spot], look: &Look) {
        if look.dash.is_empty() {
            self.scene.add(Primitive::PolyLine {
                points: spots.to_vec(),
                stroke: look.colour.into(),
                stroke_width: look.width,
                stroke_dasharray: None,
            });
            return;
        }
        // The library's own dashes start anew at every spot, and do not scale in the PNG.
        let paths: Vec<_> = dashes(spots, look.dash).iter().map(|dash| path(dash)).collect();
        self.path(paths.join(" "), None, look);
    }

    /// An unbroken straight line.
    pub fn rule(&mut self, from: Spot, to: Spot, colour: &'static str, width: f64) {
        self.stroke(&[from, to], &Look { colour, dash: &[], marker: None, width });
    }

    /// A filled outline.
    pub fn area(&mut self, outline: &[Spot], colour: &'static str, opacity: f64) {
        let look = Look { colour, dash: &[], marker: None, width: 0.0 };
        self.path(path(outline) + " Z", Some(opacity), &look);
    }

    pub fn marker(&mut self, (x, y): Spot, marker: Marker, colour: &'static str) {
        let corners = |spots: &[Spot]| -> Vec<Spot> {
            spots.iter().map(|(dx, dy)| (x + MARKER * dx, y + MARKER * dy)).collect()
        };
        let outline = match marker {
            Marker::Circle => return self.dots(&[(x, y)], MARKER * 0.92, colour, 1.0),
            Marker::Dot => return self.dots(&[(x, y)], MARKER * 0.5, colour, 1.0),
            Marker::Square => {
                corners(&[(-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)])
            }
            Marker::Triangle => corners(&[(0.0, -1.1), (1.05, 0.8), (-1.05, 0.8)]),
            Marker::Diamond => corners(&[(0.0, -1.2), (1.05, 0.0), (0.0, 1.2), (-1.05, 0.0)]),
            Marker::DownTriangle => corners(&[(0.0, 1.1), (1.05, -0.8), (-1.05, -0.8)]),
        };
        self.area(&outline, colour, 1.0);
    }

    /// Discs, on multiples of a quarter pixel, which have few digits.
    pub fn dots(&mut self, spots: &[Spot], radius: f64, colour: &'static str, opacity: f64) {
        for (x, y) in spots {
            self.scene.add(Primitive::Circle {
                cx: (4.0 * x).round() / 4.0,
                cy: (4.0 * y).round() / 4.0,
                r: radius,
                fill: colour.into(),
                fill_opacity: (opacity < 1.0).then_some(opacity),
                stroke: None,
                stroke_width: None,
            });
        }
    }

    pub fn picture(&mut self, picture: Picture) {
        self.pictures.push(picture);
    }

    /// The sheet as SVG, which scales with its place on a page and has no ids that another figure on
    /// the page could have.
    pub fn to_svg(&self) -> String {
        let svg = SvgBackend::new().with_pretty(true).render_scene(&self.scene);
        let (width, height) = (self.scene.width, self.scene.height);
        let label = escape(&self.title);
        let head =
            format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\" ");
        let svg = svg.replacen("<svg ", &head, 1);
        let pictures: String = self.pictures.iter().map(Picture::to_svg).collect();
        match svg.rsplit_once("</svg>") {
            Some((before, after)) => format!("{before}{pictures}</svg>{after}"),
            None => svg,
        }
    }

    pub fn into_png(mut self) -> Result<Vec<u8>, FigureError> {
        for picture in &self.pictures {
            self.scene.add(picture.squares());
        }
        RasterBackend::new().with_scale(PNG_SCALE).render_scene(&self.scene).map_err(FigureError)
    }

    fn path(&mut self, d: String, filled: Option<f64>, look: &Look) {
        let stroke = if filled.is_some() { "none" } else { look.colour };
        self.scene.add(Primitive::Path(Box::new(PathData {
            d,
            fill: Some(if filled.is_some() { look.colour } else { "none" }.into()),
            stroke: stroke.into(),
            stroke_width: look.width,
            opacity: filled,
            stroke_dasharray: None,
        })));
    }
}

impl Picture {
    fn grey(&self) -> GreyImage {
        let layout = GridLayout { columns: 1, scale: 1, border: 0 };
        layout.arrange(&self.values, self.values.len() / self.width, self.width)
    }

    /// An element with the picture in it, one pixel per value.
    fn to_svg(&self) -> String {
        let grey = self.grey();
        let png = grey.to_png().expect("memory takes all bytes, and no side is 0");
        let [width, height] = [grey.width, grey.height].map(|side| side * self.scale);
        format!(
            "  <image x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" \
             image-rendering=\"pixelated\" href=\"data:image/png;base64,{}\" />\n",
            self.at.0,
            self.at.1,
            STANDARD.encode(png),
        )
    }

    /// A square for every value: the library has no pictures.
    fn squares(&self) -> Primitive {
        let grey = self.grey();
        let side = self.scale as f64;
        let places = (0..grey.pixels.len()).map(|n| (n % grey.width, n / grey.width));
        let (x, y) =
            places.map(|(x, y)| (self.at.0 + side * x as f64, self.at.1 + side * y as f64)).unzip();
        let sides = vec![side; grey.pixels.len()];
        let fills = grey.pixels.iter().map(|&p| Color::Rgb(p, p, p)).collect();
        Primitive::RectBatch { x, y, w: sides.clone(), h: sides, fills }
    }
}

fn path(spots: &[Spot]) -> String {
    let spots: Vec<_> = spots.iter().map(|(x, y)| format!("{x:.2} {y:.2}")).collect();
    format!("M {}", spots.join(" L "))
}

/// The pieces of a line through `spots` where the pen is down.
fn dashes(spots: &[Spot], lengths: &[f64]) -> Vec<Vec<Spot>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Spot> = spots.first().copied().into_iter().collect();
    let (mut turn, mut left) = (0, lengths[0]);
    for pair in spots.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let part = done / length;
            let spot = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            if turn % 2 == 0 {
                piece.push(spot);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![spot];
            }
            turn += 1;
            left = lengths[turn % lengths.len()];
        }
        left -= length - done;
        if turn % 2 == 0 {
            piece.push(to);
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_round_corners() {
        let spots = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0)];
        let expected: [&[Spot]; 2] = [&[(0.0, 0.0), (3.0, 0.0)], &[(4.0, 1.0), (4.0, 4.0)]];
        assert_eq!(dashes(&spots, &[3.0, 2.0]), expected);
        let round: [&[Spot]; 1] = [&spots];
        assert_eq!(dashes(&spots, &[9.0, 2.0]), round);
    }

    #[test]
    fn long_text_is_broken_at_spaces_and_long_words_anywhere() {
        let set = Type::size(10);
        assert_eq!(set.wrap("one two three", 50.0), ["one two", "three"]);
        assert_eq!(set.wrap("aaaaaaaaaaaa bb", 50.0), ["aaaaaaaa", "aaaa bb"]);
        assert_eq!(set.wrap("a\nb", 50.0), ["a", "b"]);
        assert!(set.wrap("", 50.0).is_empty());
    }

    #[test]
    fn words_stay_words() {
        let mut canvas = Canvas::new(100.0, 50.0, "\"a\" & b");
        canvas.text((0.0, 20.0), "<b> & $x^2$\u{1}", Type::size(12));
        let svg = canvas.to_svg();
        assert!(svg.contains(">&lt;b&gt; &amp; $x^2$ </text>"), "{svg}");
        assert!(svg.contains(" aria-label=\"&quot;a&quot; &amp; b\" "), "{svg}");
    }
    /// Two figures on one page would mix up what they refer to by one id.
    #[test]
    fn nothing_has_an_id_and_all_scales() {
        let mut canvas = Canvas::new(99.5, 50.0, "");
        let look = Look::of_series(1);
        canvas.text((0.0, 20.0), "words", Type::size(12));
        canvas.stroke(&[(0.0, 0.0), (50.0, 9.0)], &look);
        canvas.area(&[(0.0, 0.0), (50.0, 9.0), (9.0, 9.0)], look.colour, 0.5);
        canvas.marker((5.0, 5.0), Marker::Diamond, look.colour);
        canvas.dots(&[(5.0, 5.0)], 2.0, look.colour, 0.5);
        canvas.picture(Picture { at: (1.0, 2.0), scale: 3, width: 2, values: vec![0.5; 6] });
        let svg = canvas.to_svg();
        assert!(!svg.contains(" id=") && !svg.contains("url("), "{svg}");
        assert!(svg.starts_with("<svg viewBox=\"0 0 100 50\" "), "{svg}");
        assert!(svg.contains("<image x=\"1\" y=\"2\" width=\"6\" height=\"9\" "), "{svg}");
    }
}
