//! Run the `tightbound` command line: parse, dispatch, end with the right exit code.
#![forbid(unsafe_code)]

mod args;
mod cli;
mod commands;
mod display;
mod failure;
mod images;
mod machine;
mod numpy;
mod outcome;
mod output;
mod reporting;
mod scoring;
mod signals;
mod sweep;
mod training;
mod watcher;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().command.run() {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => failure::report(&error),
    }
}
