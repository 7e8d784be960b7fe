//! Turn run folders into findings, tables, figures and one page.

mod comparison;
mod curves;
mod figure;
mod findings;
mod pages;
mod pictures;
mod report;
mod run;
mod tables;
mod warnings;

pub use figure::{Drawing, Figure};
pub use report::{Report, Subjects};
pub use run::{Run, is_run};
pub use tables::NamedTable;
