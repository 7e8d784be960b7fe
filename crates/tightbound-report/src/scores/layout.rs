//! Decide what every cell of a score table shows and which marks it bears.

use super::score_table::{Best, Cell, Published, ScoreTable};
use super::welch::welch_p;
use crate::number::{Measured, mean_and_sd};

/// A p value above this does not tell two means apart.
pub(crate) const LEVEL: f64 = 0.05;

/// What stands on a cell that is not told from the best.
pub(super) const MARK: &str = "†";

/// What stands where there is no result.
pub(super) const NOTHING: &str = "–";

/// How a cell compares with the best of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has the best mean.
    Best,
    /// It is not told from the best.
    NotTold,
    /// It is told from the best.
    Told,
    /// It has too few seeds, or the best has.
    Untested,
    /// There is nothing to compare.
    Apart,
}

/// A cell as every format shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// The mean and its deviation, without marks.
    pub value: String,
    pub standing: Standing,
    /// The published value with its mark and brackets.
    pub published: Option<String>,
}

impl Cell {
    /// The mean of the seeds.
    fn mean(&self) -> f64 {
        mean_and_sd(&self.values).value
    }

    fn show(&self, decimals: usize, standing: Standing) -> Shown {
        let Measured { value, error } = mean_and_sd(&self.values);
        let single = self.spread.filter(|_| self.values.len() == 1);
        let measured = Measured { value, error: single.unwrap_or(error) };
        let value = match self.values[..] {
            [] => NOTHING.to_owned(),
            _ => format!("{measured:.decimals$}"),
        };
        let published = self.published.map(|Published { value, sd, mark }| {
            let measured = Measured { value, error: sd.unwrap_or(f64::NAN) };
            format!("[{measured:.decimals$}{mark}]")
        });
        Shown { value, standing, published }
    }
}

/// What Welch's test does with few seeds of equal spread, as its own tests count it.
const FEW_SEEDS: &str = " With fewer than four seeds the 5 % are nominal: of equal means of equal \
                         spread it tells 2 to 4 % apart where both sides have two or three seeds, \
                         and over 8 % where two stand against seven.";

impl ScoreTable {
    /// Panics if a row has more cells than there are columns.
    pub(super) fn check(&self) {
        for row in &self.rows {
            let (cells, columns) = (row.cells.len(), self.columns.len());
            assert!(cells <= columns, "row `{}`: {cells} cells in {columns} columns", row.name);
        }
    }

    /// What the cells show, row by row, as many as there are columns.
    pub(super) fn shown(&self) -> Vec<Vec<Shown>> {
        self.check();
        let nothing = Cell::default();
        let mut rows = vec![Vec::new(); self.rows.len()];
        for (number, column) in self.columns.iter().enumerate() {
            let cells: Vec<&Cell> =
                self.rows.iter().map(|row| row.cells.get(number).unwrap_or(&nothing)).collect();
            for ((cell, standing), row) in
                cells.iter().zip(standings(&cells, column.best)).zip(&mut rows)
            {
                row.push(cell.show(column.decimals, standing));
            }
        }
        rows
    }

    /// The sentences that explain what is used of ±, of the best's mark, and of †; then the notes.
    pub(super) fn all_notes(&self, shown: &[Vec<Shown>], best: &str) -> Vec<String> {
        let cells = || self.rows.iter().flat_map(|row| &row.cells);
        let seeds = || cells().map(|cell| cell.values.len()).filter(|&n| n >= 2);
        let any = |standing| shown.iter().flatten().any(|cell| cell.standing == standing);
        let mut notes = Vec::new();
        if let (Some(least), Some(most)) = (seeds().min(), seeds().max()) {
            let range = if least == most { String::new() } else { format!("{least} to ") };
            notes.push(format!("Mean ± standard deviation over {range}{most} seeds."));
        }
        if any(Standing::Best) {
            notes.push(format!("{best}: best mean of its column."));
        }
        if any(Standing::NotTold) {
            notes.push(format!(
                "{MARK}: not told from the best of its column by a two-sided Welch t-test at 5 %, \
                 uncorrected for the number of comparisons.{}",
                if seeds().any(|n| n < 4) { FEW_SEEDS } else { "" }
            ));
        }
        if any(Standing::Untested) {
            notes.push(format!(
                "No test, and so no {MARK}, where the cell or the best has fewer than two seeds."
            ));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }
}

/// How the cells of one column stand.
fn standings(cells: &[&Cell], best: Best) -> Vec<Standing> {
    let merit = |cell: &Cell| match best {
        Best::Highest => Some(cell.mean()),
        Best::Lowest => Some(-cell.mean()),
        Best::None => None,
    };
    let merit = |cell: &Cell| merit(cell).filter(|merit| merit.is_finite());
    let winner = cells.iter().filter(|cell| merit(cell).is_some()).max_by(|a, b| {
        let [a, b] = [a, b].map(|cell| merit(cell).unwrap_or(f64::NEG_INFINITY));
        a.total_cmp(&b)
    });
    let Some(winner) = winner else { return vec![Standing::Apart; cells.len()] };
    let standing = |cell: &&Cell| match merit(cell) {
        None => Standing::Apart,
        Some(own) if Some(own) == merit(winner) => Standing::Best,
        _ if cell.values.len() < 2 || winner.values.len() < 2 => Standing::Untested,
        // Without spread on either side any difference is one.
        Some(_) => match welch_p(&cell.values, &winner.values) {
            Some(p) if p > LEVEL => Standing::NotTold,
            _ => Standing::Told,
        },
    };
    cells.iter().map(standing).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::score_table::{Column, Row};
    use super::super::welch::tests::Uniform;
    use super::*;

    /// Names and values of many kinds: escaping, one seed, no result, spread over images, published
    /// values with and without deviation, ties and lowest-is-best.
    pub(crate) fn example() -> ScoreTable {
        let published = |value, sd, mark| Some(Published { value, sd, mark });
        let column =
            |heading: &str, decimals, best| Column { heading: heading.into(), decimals, best };
        let row = |name: &str, cells| Row { name: name.into(), cells };
        ScoreTable {
            title: "MNIST & Omniglot: 64 samples, 100 % of the data".into(),
            corner: "estimator_name".into(),
            columns: vec![
                column("log p̂", 2, Best::Highest),
                column("KL(q‖p) | nats", 1, Best::Lowest),
                column("SSIM", 3, Best::None),
            ],
            rows: vec![
                row(
                    "iwae",
                    vec![
                        Cell {
                            values: vec![-84.61, -84.52, -84.57],
                            published: published(-84.52, Some(0.02), "‡"),
                            ..Cell::default()
                        },
                        Cell::of(&[2.0, 2.5, 2.6]),
                        Cell { values: vec![0.58], spread: Some(0.11), ..Cell::default() },
                    ],
                ),
                row(
                    "ciwae_β=½",
                    vec![
                        Cell {
                            values: vec![-84.64, -84.5, -84.7],
                            published: published(-85.24, None, ""),
                            ..Cell::default()
                        },
                        Cell::of(&[1.9]),
                    ],
                ),
                row(
                    "<script>alert('p̂')</script>",
                    vec![Cell::of(&[-86.2, -86.3]), Cell::of(&[2.1, 2.12]), Cell::default()],
                ),
                row(
                    "none",
                    vec![Cell { published: published(-87.0, None, ""), ..Cell::default() }],
                ),
            ],
            notes: vec!["[…]: Rainforth et al. 2018, ‡ second-hand; *not* ours_at_all.".into()],
        }
    }

    fn standings_of(best: Best, cells: &[&[f64]]) -> Vec<Standing> {
        let cells: Vec<Cell> = cells.iter().map(|values| Cell::of(values)).collect();
        standings(&cells.iter().collect::<Vec<_>>(), best)
    }

    #[test]
    fn the_best_is_compared_with_the_others() {
        use Standing::{Apart, Best as Top, NotTold, Told, Untested};
        let cells: &[&[f64]] =
            &[&[1.0, 1.2], &[1.1, 1.0, 0.9], &[0.1, 0.2], &[0.7], &[], &[f64::NAN]];
        assert_eq!(
            standings_of(Best::Highest, cells),
            [Top, NotTold, Told, Untested, Apart, Apart]
        );
        assert_eq!(standings_of(Best::Lowest, cells), [Told, Told, Top, Untested, Apart, Apart]);
        assert_eq!(standings_of(Best::None, cells), [Apart; 6]);
        assert_eq!(standings_of(Best::Highest, &[&[3.0], &[1.0, 2.0]]), [Top, Untested]);
        assert_eq!(standings_of(Best::Highest, &[&[3.0], &[3.0], &[]]), [Top, Top, Apart]);
        assert_eq!(standings_of(Best::Highest, &[&[3.0, 3.0], &[2.0, 2.0]]), [Top, Told]);
    }

    /// How often one of `rows` equal rows of four seeds is told from the best of them: of all
    /// comparisons, and of 20,000 columns at least once.
    fn told_of_equal(rows: usize) -> [f64; 2] {
        let (columns, mut uniform) = (20_000, Uniform(rows as u64));
        let (mut told, mut any) = (0, 0);
        for _ in 0..columns {
            let cells: Vec<Cell> = (0..rows).map(|_| Cell::of(&uniform.sample(4, 1.0))).collect();
            let standings = standings(&cells.iter().collect::<Vec<_>>(), Best::Highest);
            let count = standings.iter().filter(|&&s| s == Standing::Told).count();
            told += count;
            any += usize::from(count > 0);
        }
        let rates = [(told, columns * (rows - 1)), (any, columns)];
        let [each, column] = rates.map(|(told, of)| told as f64 / of as f64);
        println!(
            "best of {rows} equal rows: told from {:.2} % of the others, in {:.2} % of columns",
            100.0 * each,
            100.0 * column
        );
        [each, column]
    }

    /// The best of several is picked from the same seeds that test it, and so is told from the
    /// others more often than one of a fixed pair is. The rates are those of docs/reliability.md; the
    /// bounds are five standard errors of the least accurate.
    #[test]
    fn welch_tells_equal_rows_from_the_best_of_many_more_often() {
        for (rows, each, column) in
            [(2, 0.044, 0.044), (3, 0.054, 0.098), (5, 0.071, 0.213), (8, 0.092, 0.375)]
        {
            let rates = told_of_equal(rows);
            let [off, column_off] = [rates[0] - each, rates[1] - column].map(f64::abs);
            assert!(off < 0.01 && column_off < 0.02, "{rows} rows: {rates:?}");
        }
    }

    #[test]
    fn cells_show_what_is_known() {
        let show = |cell: &Cell| cell.show(2, Standing::Apart).value;
        assert_eq!(show(&Cell::of(&[-86.1, -86.2])), "-86.15 ± 0.07");
        assert_eq!(show(&Cell { spread: Some(9.0), ..Cell::of(&[-86.1, -86.2]) }), "-86.15 ± 0.07");
        assert_eq!(show(&Cell { spread: Some(0.1), ..Cell::of(&[0.58]) }), "0.58 ± 0.10");
        assert_eq!(show(&Cell::of(&[0.58])), "0.58");
        assert_eq!(show(&Cell { spread: Some(0.1), ..Cell::default() }), "–");
    }

    #[test]
    fn marks_are_explained_only_where_they_stand() {
        let mut table = example();
        let notes = |table: &ScoreTable| table.all_notes(&table.shown(), "Bold");
        assert_eq!(notes(&table).len(), 5);
        table.columns.iter_mut().for_each(|column| column.best = Best::None);
        assert_eq!(
            notes(&table),
            ["Mean ± standard deviation over 2 to 3 seeds.", &table.notes[0]]
        );
        assert!(notes(&ScoreTable::default()).is_empty());
    }

    #[test]
    #[should_panic(expected = "row `iwae`: 3 cells in 2 columns")]
    fn cells_without_a_column_are_refused() {
        let mut table = example();
        table.columns.pop();
        table.shown();
    }
}
