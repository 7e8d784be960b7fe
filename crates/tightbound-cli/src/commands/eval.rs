//! Score a model honestly.
use crate::cli::Outcome;
/// Score a model honestly
#[derive(Debug, clap::Args)]
pub struct Args {}
/// Runs it.
pub fn run(_: &Args) -> anyhow::Result<Outcome> {
    Ok(Outcome::Done)
}
