//! Print BibTeX for exactly what a run used.

mod bibliography;
mod command;

pub use command::{Args, run};
