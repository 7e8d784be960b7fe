//! Bound log p(x) by annealed importance sampling, from one side or both.

mod command;
mod study;
mod text;

pub use command::{Args, run};
