//! Repeat the toy experiment on gradient noise, and show or write what came of it.

mod command;
mod figures;
mod files;
mod text;

pub use command::{Args, run};
