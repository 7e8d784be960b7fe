//! Test what is read from run folders, what is put together, and what is said of it.

mod figures;
mod findings;
mod fixture;
mod grouping;
mod reading;
mod shown;
mod tables;
