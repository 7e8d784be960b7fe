//! Define a table of scores over seeds, beside what was published.

/// Scores of several methods, one row each, over seeds.
///
/// A cell shows the mean of its seeds ± their sample standard deviation, and published values in
/// brackets. The best mean of a column stands in bold. A † stands on every other cell that the
/// Games–Howell test at 5 %, Welch's t-test corrected for all pairs of the column, does not tell from the best: read
/// it as "do not claim a difference". Where all means are equal, a column tells a cell from the best about
/// once in twenty times, more often with very many rows. A cell with fewer than four seeds, or one beside a best of fewer, is not tested.
///
/// A row may have fewer cells than there are columns; the others are empty. All formats escape every
/// name, heading, title and note. They are [`to_markdown`](Self::to_markdown),
/// [`to_latex`](Self::to_latex), [`to_html`](Self::to_html), [`to_csv`](Self::to_csv), and aligned
/// text by `Display`; each panics if a row has more cells than there are columns.
///
/// ```
/// use tightbound_report::{Best, Cell, Column, Published, Row, ScoreTable};
///
/// let published = Published { value: -86.21, sd: Some(0.19), mark: "" };
/// let row = |name: &str, values: &[f64], published| Row {
///     name: name.into(),
///     cells: vec![Cell { values: values.into(), published, ..Cell::default() }],
/// };
/// let table = ScoreTable {
///     title: "MNIST, 3280 epochs".into(),
///     corner: "bound".into(),
///     columns: vec![Column { heading: "log p̂".into(), decimals: 2, best: Best::Highest }],
///     rows: vec![
///         row("iwae", &[-84.60, -84.52, -84.56, -84.56], None),
///         row("vae", &[-86.30, -86.18, -86.24, -86.24], Some(published)),
///     ],
///     notes: vec!["[…]: Rainforth et al. 2018.".into()],
/// };
/// let expected = "\
/// MNIST, 3280 epochs
///
/// bound            log p̂
/// ─────  ───────────────
/// iwae    -84.56 ± 0.03*
/// vae     -86.24 ± 0.05
///        [-86.21 ± 0.19]
///
/// Mean ± standard deviation over 4 seeds.
/// *: best mean of its column.
/// […]: Rainforth et al. 2018.
/// ";
/// assert_eq!(table.to_string(), expected);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreTable {
    /// What the table shows.
    pub title: String,
    /// The heading of the column of names.
    pub corner: String,
    /// The scores.
    pub columns: Vec<Column>,
    /// The methods.
    pub rows: Vec<Row>,
    /// Sentences below, after those that explain the marks: how the numbers came about, and whose
    /// the published ones are.
    pub notes: Vec<String>,
}

/// One score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The score's name.
    pub heading: String,
    /// Digits after the point.
    pub decimals: usize,
    /// Which mean is the best.
    pub best: Best,
}

/// Which mean of a column is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Best {
    /// The highest, as of a log-likelihood.
    Highest,
    /// The lowest, as of an error.
    Lowest,
    /// None: nothing is in bold, and nothing is tested.
    #[default]
    None,
}

/// One method's scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The method's name.
    pub name: String,
    /// One cell per column.
    pub cells: Vec<Cell>,
}

/// One score of one method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// One value per seed; empty where there is no result, which shows as –.
    pub values: Vec<f64>,
    /// How much a single value spreads otherwise, such as over images; shown after ±, of no account
    /// where there are several values.
    pub spread: Option<f64>,
    /// What was published for this.
    pub published: Option<Published>,
}

/// A value from the literature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The value.
    pub value: f64,
    /// Its standard deviation.
    pub sd: Option<f64>,
    /// A mark behind the value, which the notes explain; may be empty.
    pub mark: &'static str,
}

impl Cell {
    /// A cell of one value per seed.
    pub fn of(values: &[f64]) -> Self {
        Self { values: values.to_vec(), ..Self::default() }
    }
}
