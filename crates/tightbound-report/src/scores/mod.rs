//! Tabulate scores over seeds as papers do, and write the table in five formats.

mod csv;
mod html;
mod latex;
mod layout;
mod markdown;
mod score_table;
mod studentized_range;
mod text;
mod welch;

pub use score_table::{Best, Cell, Column, Published, Row, ScoreTable};
pub use welch::welch_p;
pub(crate) use welch::{FEWEST_SEEDS, LEVEL, OverSeeds, pairs, tested_means};
