//! Give every series a colour, a dash and a marker that eyes of all kinds tell apart.

/// The colours of Okabe and Ito without yellow, which is too pale for lines on white.
const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/// Lengths of pen down and pen up, in pixels; empty is an unbroken line.
const DASHES: [&[f64]; 4] = [&[], &[8.0, 4.0], &[2.5, 3.0], &[9.0, 3.0, 2.5, 3.0]];

/// Petroff's ten accessible colours (2021) for classes, which have nothing but their colour.
const CLASS_COLOURS: [&str; 10] = [
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70",
    "#717581", "#92dadd",
];

const MARKERS: [Marker; 5] =
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::DownTriangle];

/// Series that look different: the three counts have no common divisor.
pub(super) const LOOKS: usize = COLOURS.len() * DASHES.len() * MARKERS.len();

/// From a series to the next of its colour, with another dash and marker.
pub(super) const SAME_COLOUR: usize = COLOURS.len();

/// Dashes of guides, looser than those of series.
const GUIDE_DASHES: [&[f64]; 3] = [&[5.0, 6.0], &[1.5, 5.0], &[12.0, 6.0]];

/// What marks a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    DownTriangle,
    /// Smaller than the others, which belong to series.
    Dot,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub colour: &'static str,
    pub dash: &'static [f64],
    pub marker: Option<Marker>,
    pub width: f64,
}

impl Look {
    /// The look of the series with this number; the first 140 differ.
    pub fn of_series(number: usize) -> Self {
        Self {
            colour: COLOURS[number % COLOURS.len()],
            dash: DASHES[number % DASHES.len()],
            marker: Some(MARKERS[number % MARKERS.len()]),
            width: 2.0,
        }
    }

    /// The look of a class of points: a dot without a line; the first ten differ.
    pub fn of_class(number: usize) -> Self {
        let colour = CLASS_COLOURS[number % CLASS_COLOURS.len()];
        Self { colour, dash: &[], marker: Some(Marker::Circle), width: 0.0 }
    }

    /// The look of a guide: thin, grey and dashed.
    pub fn of_guide(number: usize) -> Self {
        let dash = GUIDE_DASHES[number % GUIDE_DASHES.len()];
        Self { colour: "#666666", dash, marker: None, width: 1.3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_differ_as_long_as_promised() {
        let looks: Vec<_> = (0..140).map(Look::of_series).collect();
        for (number, look) in looks.iter().enumerate() {
            assert!(!looks[..number].contains(look), "{number}");
        }
        assert_eq!(Look::of_series(140), looks[0]);
    }
}
