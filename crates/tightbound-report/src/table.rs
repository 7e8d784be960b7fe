//! Align rows of text under their headings.

use std::fmt;

use unicode_width::UnicodeWidthStr;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Text in rows and columns.
///
/// ```
/// use tightbound_report::{Align, Table};
///
/// let mut table = Table::new(&[("estimator", Align::Left), ("log p̂", Align::Right)]);
/// table.row(["iwae".into(), "-84.52".into()]);
/// assert_eq!(table.to_string(), "estimator   log p̂\n─────────  ──────\niwae       -84.52\n");
/// ```
#[derive(Clone, Debug)]
pub struct Table<const N: usize> {
    headings: [(&'static str, Align); N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub fn new(headings: &[(&'static str, Align); N]) -> Self {
        Self { headings: *headings, rows: Vec::new() }
    }

    /// Adds a row at the end.
    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

/// The headings, a rule, and the rows, each line ended; no spaces at the ends of lines.
impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_aligned(f, &self.headings, &self.rows)
    }
}

/// Writes what [`Table`] shows, for a number of columns that is known only now.
///
/// Every row has as many cells as there are headings.
pub(crate) fn write_aligned(
    f: &mut fmt::Formatter<'_>,
    headings: &[(&str, Align)],
    rows: &[impl AsRef<[String]>],
) -> fmt::Result {
    let widths = headings.iter().enumerate().map(|(column, (heading, _))| {
        let cells = rows.iter().map(|row| row.as_ref()[column].width());
        cells.chain([heading.width()]).max().unwrap_or(0)
    });
    let widths: Vec<usize> = widths.collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, (cell, (_, align))) in cells.zip(headings).enumerate() {
            let padding = " ".repeat(widths[column] - cell.width());
            line += if column == 0 { "" } else { "  " };
            match align {
                Align::Left => line.extend([cell, &padding]),
                Align::Right => line.extend([&padding, cell]),
            }
        }
        writeln!(f, "{}", line.trim_end())
    };
    line(&mut headings.iter().map(|(heading, _)| *heading))?;
    let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    line(&mut rules.iter().map(String::as_str))?;
    rows.iter().try_for_each(|row| line(&mut row.as_ref().iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Combining marks take no room, wide marks take two columns.
    #[test]
    fn columns_align_by_what_the_eye_sees() {
        let mut table = Table::new(&[
            ("score", Align::Left),
            ("value", Align::Right),
            ("what it is", Align::Left),
        ]);
        table.row(["log p̂".into(), "-91.87 ± 0.21".into(), "best estimate".into()]);
        table.row(["KL(q‖p)".into(), "3.1".into(), String::new()]);
        table.row(["漢".into(), "1".into(), "wide".into()]);
        let expected = "\
score            value  what it is
───────  ─────────────  ─────────────
log p̂    -91.87 ± 0.21  best estimate
KL(q‖p)            3.1
漢                   1  wide
";
        assert_eq!(table.to_string(), expected);
    }
}
