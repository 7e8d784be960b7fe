//! Say whether a run folder is whole.

use std::path::PathBuf;

use tightbound::run::verify;

use crate::outcome::Outcome;
use crate::output::{print, print_json};

/// Say whether a run folder is whole, what is damaged, and what can still be used
///
/// Changes nothing. Ends with exit code 1 if anything is damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tightbound verify runs/demo/piwae")]
pub struct Args {
    /// The run folder
    run: PathBuf,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound verify`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let verification = verify(&args.run)?;
    if args.json {
        print_json(&verification)?;
    } else {
        print(&format!("{verification}\n"))?;
    }
    Ok(if verification.whole { Outcome::Done } else { Outcome::Unsound })
}
