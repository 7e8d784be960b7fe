//! Hold pictures of all kinds, so that they can be shown and written alike.

use crate::figures::{BoxChart, FigureError, ImageRows, LineChart, Scatter};

/// A picture of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Stem of its files' names.
    pub name: String,
    /// Says what is seen.
    pub caption: String,
    /// What is drawn.
    pub drawing: Drawing,
}

/// What can be drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Drawing {
    /// Series over an axis.
    Lines(LineChart),
    /// Distributions.
    Boxes(BoxChart),
    /// Small images.
    Images(ImageRows),
    /// Points by class.
    Points(Scatter),
}

impl Drawing {
    /// The figure as SVG.
    pub fn to_svg(&self) -> String {
        match self {
            Self::Lines(chart) => chart.to_svg(),
            Self::Boxes(chart) => chart.to_svg(),
            Self::Images(rows) => rows.to_svg(),
            Self::Points(scatter) => scatter.to_svg(),
        }
    }

    /// The figure as the bytes of a PNG file.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        match self {
            Self::Lines(chart) => chart.to_png(),
            Self::Boxes(chart) => chart.to_png(),
            Self::Images(rows) => rows.to_png(),
            Self::Points(scatter) => scatter.to_png(),
        }
    }

    /// The numbers behind the figure; none behind images without captions.
    pub fn to_csv(&self) -> Option<String> {
        match self {
            Self::Lines(chart) => Some(chart.to_csv()),
            Self::Boxes(chart) => Some(chart.to_csv()),
            Self::Images(rows) => {
                rows.rows.iter().any(|row| !row.captions.is_empty()).then(|| rows.to_csv())
            }
            Self::Points(scatter) => Some(scatter.to_csv()),
        }
    }
}
