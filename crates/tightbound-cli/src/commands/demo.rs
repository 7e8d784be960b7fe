//! Show in a minute.
use crate::cli::Outcome;
/// Show in a minute
#[derive(Debug, clap::Args)]
pub struct Args {}
/// Runs it.
pub fn run(_: &Args) -> anyhow::Result<Outcome> {
    Ok(Outcome::Done)
}
