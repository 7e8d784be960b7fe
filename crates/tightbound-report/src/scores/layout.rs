//! Decide what every cell of a score table shows and which marks it bears.

use super::score_table::{Best, Cell, Published, ScoreTable};
use super::welch::{FEWEST_SEEDS, LEVEL, OverSeeds, tested_means};
use crate::number::{Measured, mean_and_sd};

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
                "{MARK}: not told from the best of its column at 5 % by the Games–Howell test: Welch's \
                 t-test, corrected for all pairs of the column."
            ));
        }
        if any(Standing::Untested) {
            notes.push(format!(
                "No test, and so no {MARK}, where the cell or the best has fewer than {FEWEST_SEEDS} seeds."
            ));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }
}

/// How the cells of one column stand.
///
/// The best is picked by the same seeds that test it, so any pair may come to be tested: all rows with enough
/// seeds count.
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
    let compared = cells.iter().filter(|cell| merit(cell).is_some());
    let means = tested_means(compared.map(|cell| cell.values.as_slice()));
    let standing = |cell: &&Cell| match merit(cell) {
        None => Standing::Apart,
        Some(own) if Some(own) == merit(winner) => Standing::Best,
        Some(_) => match OverSeeds::test(&cell.values, &winner.values, means) {
            OverSeeds::TooFew => Standing::Untested,
            OverSeeds::P(p) if p > LEVEL => Standing::NotTold,
            // Without spread on either side any difference is one.
            OverSeeds::P(_) | OverSeeds::Undefined => Standing::Told,
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
                            values: vec![-84.61, -84.52, -84.57, -84.57],
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
                            values: vec![-84.64, -84.5, -84.7, -84.6],
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
        let cells: &[&[f64]] = &[
            &[1.0, 1.2, 1.1, 1.0],
            &[1.1, 1.0, 0.9, 1.0, 1.1],
            &[0.1, 0.2, 0.1, 0.0],
            &[0.7, 0.7, 0.8],
            &[],
            &[f64::NAN],
        ];
        assert_eq!(
            standings_of(Best::Highest, cells),
            [Top, NotTold, Told, Untested, Apart, Apart]
        );
        assert_eq!(standings_of(Best::Lowest, cells), [Told, Told, Top, Untested, Apart, Apart]);
        assert_eq!(standings_of(Best::None, cells), [Apart; 6]);
        assert_eq!(standings_of(Best::Highest, &[&[3.0], &[1.0; 4]]), [Top, Untested]);
        assert_eq!(standings_of(Best::Highest, &[&[3.0], &[3.0], &[]]), [Top, Top, Apart]);
        assert_eq!(standings_of(Best::Highest, &[&[3.0; 4], &[2.0; 4]]), [Top, Told]);
    }

    /// p of two means is below 5 %, that of the same two among three above. A row that is not tested does not count.
    #[test]
    fn more_rows_tell_less() {
        use Standing::{Best as Top, NotTold, Told, Untested};
        let (best, next) = ([1.0, 2.0, 3.0, 4.0], [-0.9, 0.1, 0.6, 1.1]);
        let far = [-90.0, -91.0, -92.0, -93.0];
        let p = super::super::welch_p(&best, &next).unwrap();
        assert!(p < LEVEL && 3.0 * p > LEVEL, "{p}");
        let OverSeeds::P(of_three) = OverSeeds::test(&best, &next, 3) else { panic!("tested") };
        assert!(of_three > LEVEL && of_three < 3.0 * p, "{of_three}");
        assert_eq!(standings_of(Best::Highest, &[&best, &next]), [Top, Told]);
        assert_eq!(standings_of(Best::Highest, &[&best, &next, &far]), [Top, NotTold, Told]);
        assert_eq!(standings_of(Best::Highest, &[&best, &next, &far[..3]]), [Top, Told, Untested]);
    }

    /// How often a row is told from the best though all means are equal, in so many columns of rows with so
    /// many seeds of such a spread.
    fn columns_that_tell_falsely(columns: u32, rows: &[(usize, f64)]) -> f64 {
        let mut uniform = Uniform(rows.len() as u64);
        let told = (0..columns).filter(|_| {
            let cells: Vec<Cell> =
                rows.iter().map(|&(n, sd)| Cell::of(&uniform.sample(n, sd))).collect();
            standings(&cells.iter().collect::<Vec<_>>(), Best::Highest).contains(&Standing::Told)
        });
        let rate = told.count() as f64 / f64::from(columns);
        println!("column of equal means, (seeds, sd) {rows:?}: {:.2} % tell", 100.0 * rate);
        rate
    }

    /// Two rows are one pair, told apart in up to 6 % where spreads and seeds are most unlike. Of twenty rows, some have
    /// so small a spread by chance that more are told. One per cent is 6.5 standard errors of 20,000 columns, 3.2 of 5,000.
    #[test]
    fn columns_of_equal_rows_tell_in_five_per_cent() {
        let unlike = columns_that_tell_falsely(20_000, &[(4, 3.0), (10, 1.0)]);
        assert!(unlike > 0.05 && unlike < 0.065, "{unlike}");
        let twenty = columns_that_tell_falsely(5_000, &[(4, 1.0); 20]);
        assert!(twenty > 0.055 && twenty < 0.08, "{twenty}");
        let many = [(4, 3.0), (4, 1.0), (7, 1.0), (4, 1.0), (10, 2.0)];
        for rows in [&[(4, 1.0); 2][..], &[(4, 1.0); 3], &[(4, 1.0); 5], &[(4, 1.0); 8], &many] {
            let rate = columns_that_tell_falsely(20_000, rows);
            assert!((rate - 0.05).abs() < 0.01, "{rows:?}: {rate}");
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
            ["Mean ± standard deviation over 2 to 4 seeds.", &table.notes[0]]
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
