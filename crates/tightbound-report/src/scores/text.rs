//! Write a score table as aligned text.

use std::fmt;

use super::layout::{MARK, Shown, Standing};
use super::score_table::ScoreTable;
use crate::table::{Align, write_aligned};

/// What stands on the best of a column, in text.
const BEST: &str = "*";

/// The title, the aligned table with published values in lines of their own, and the notes. The
/// digits stand under each other: what follows them has a place of its own.
impl fmt::Display for ScoreTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown();
        let headings = self.columns.iter().map(|column| (column.heading.as_str(), Align::Right));
        let headings: Vec<_> =
            std::iter::once((self.corner.as_str(), Align::Left)).chain(headings).collect();
        let mut rows = Vec::new();
        for (row, cells) in self.rows.iter().zip(&shown) {
            rows.push(line(&row.name, cells.iter().map(value)));
            if cells.iter().any(|cell| cell.published.is_some()) {
                let published = |cell: &Shown| cell.published.clone().unwrap_or_default();
                rows.push(line("", cells.iter().map(published)));
            }
        }
        if !self.title.is_empty() {
            writeln!(f, "{}\n", self.title)?;
        }
        write_aligned(f, &headings, &rows)?;
        let notes = self.all_notes(&shown, BEST);
        let gap = if notes.is_empty() { "" } else { "\n" };
        write!(f, "{gap}")?;
        notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

fn line(name: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(cells).collect()
}

fn value(cell: &Shown) -> String {
    let mark = match cell.standing {
        Standing::Best => BEST,
        Standing::NotTold => MARK,
        _ => " ",
    };
    format!("{}{mark}", cell.value)
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::example;
    use super::*;

    #[test]
    fn digits_stand_under_each_other() {
        let expected = r"MNIST & Omniglot: 64 samples, 100 % of the data

estimator_name                          log p̂  KL(q‖p) | nats            SSIM
───────────────────────────  ────────────────  ──────────────  ──────────────
iwae                           -84.57 ± 0.04*      2.4 ± 0.3   0.580 ± 0.110
                             [-84.52 ± 0.02‡]
ciwae_β=½                      -84.61 ± 0.08†            1.9*              –
                                     [-85.24]
<script>alert('p̂')</script>    -86.25 ± 0.07       2.1 ± 0.0               –
none                                       –               –               –
                                     [-87.00]

Mean ± standard deviation over 2 to 4 seeds.
*: best mean of its column.
†: not told from the best of its column at 5 % by the Games–Howell test: Welch's t-test, corrected for all pairs of the column.
No test, and so no †, where the cell or the best has fewer than 4 seeds.
[…]: Rainforth et al. 2018, ‡ second-hand; *not* ours_at_all.
";
        assert_eq!(example().to_string(), expected);
    }

    #[test]
    fn nothing_is_little() {
        assert_eq!(ScoreTable::default().to_string(), "\n\n");
    }
}
