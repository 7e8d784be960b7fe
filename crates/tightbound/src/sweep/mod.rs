//! Plan an experiment of many trainings: cells, each with all its settings and a name of its own.
//!
//! ```text
//! experiments/NAME.toml ──Experiment::parse──▶ settings × axes × seeds ──plan──▶ Plan (sweep.json)
//! ```
//!
//! A cell is a training and its scores. Its name ends with a hash of everything that determines the
//! weights but the number of epochs, because a training of fewer epochs is the beginning of a longer
//! one: planning more epochs makes the same cells go on. Whoever runs a cell twice, or continues what
//! somebody else left, gets the same bytes.
//!
//! | file of a sweep's folder | content |
//! |---|---|
//! | `sweep.json` | the [`Plan`]: title, budget, scoring, every cell's settings |
//! | `cells/ID/` | the run folder of a cell |
//! | `results/ID.json` | the [`CellResult`], written when all of the cell is done |
//! | `failures/ID.json` | the [`Failure`] of a cell that cannot go on |
//! | `results.json`, `results.csv` | all results, gathered |

mod budget;
mod experiment;
mod folder;
mod plan;
pub(crate) mod readers;
mod result;
#[cfg(test)]
mod tests;

pub use budget::{Budget, UnknownBudget};
pub use experiment::{Experiment, ExperimentError, Scoring};
pub use folder::{State, SweepError, SweepFolder};
pub use plan::{Cell, Choices, Plan};
pub use result::{CellResult, DataScores, Failure, results_csv};
