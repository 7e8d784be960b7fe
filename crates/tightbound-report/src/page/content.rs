//! Describe what stands on a page.

use super::explorer::Explorer;

/// One page, in reading order but for the explorers, which stand before the sections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Heading of the page.
    pub title: String,
    /// What was done, in one paragraph.
    pub lead: String,
    /// What was found, the most important first.
    pub findings: Vec<String>,
    /// What the reader must know before believing it.
    pub warnings: Vec<String>,
    /// Decoders to play with, each about 1.4 times as large on the page as its 32-bit weights.
    pub explorers: Vec<Explorer>,
    /// The evidence.
    pub sections: Vec<Section>,
    /// How the page was made, a paragraph each.
    pub footer: Vec<String>,
}

/// A part of a page under its own heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Block {
    /// Running text.
    Paragraph(String),
    /// Rows and columns.
    Table {
        /// A `<table>`. Cells of class `number` stand to the right, cells of class `best` stand out,
        /// what has class `aside` is small and grey.
        html: Markup,
        /// Says what the numbers are.
        caption: String,
        /// The same numbers for other programs.
        downloads: Vec<Download>,
    },
    /// A picture.
    Figure {
        /// Stem of the downloaded files' names.
        name: String,
        /// The picture as an SVG file. It is shown as an image, so no script in it runs.
        svg: String,
        /// Says what is seen.
        caption: String,
        /// The drawn numbers.
        csv: Option<String>,
    },
    /// Commands for a shell, a line each, with a button that copies them all.
    Commands(Vec<String>),
    /// Terms and what they are here, such as a protocol.
    Facts(Vec<(String, String)>),
}

/// A text file to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Words of the link, such as `CSV`.
    pub label: String,
    /// Name of the saved file.
    pub file: String,
    /// Its content.
    pub text: String,
}

/// HTML that stands on the page as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// Trusts `html`, in which the caller has escaped every word from outside.
    pub fn trusted(html: impl Into<String>) -> Self {
        Self(html.into())
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
