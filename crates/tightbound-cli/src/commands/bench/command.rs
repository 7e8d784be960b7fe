//! Choose between training steps and scoring, and print what was measured.

use std::fmt::Write;

use clap::Subcommand;
use serde::Serialize;

use super::meter::Speed;
use super::{score, step};
use crate::outcome::Outcome;
use crate::output::{counted, print, print_json};

/// Measure the speed of training steps, or of scoring
///
/// One configuration, on this machine, beside what its arithmetic units can do. `bench/run.py` in the
/// sources compares with PyTorch and JAX.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound bench step --estimator iwae --k 64 --batch 20 --prune off
  tightbound bench step --model runs/mnist-iwae-1x64-seed1 --json
  tightbound bench score --k 5000 --threads 1
  tightbound bench step --set model.encoder=[400,400] --set model.latents=20

What is counted: 3·2·B·S·(decoder weights) + 3·2·B·(encoder weights) operations per step, a third of it
for scoring; no padding, and rows that pruning skips count as done. The peak is measured before and
after, with the same instructions and threads; the larger number counts.")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to measure.
#[derive(Debug, Subcommand)]
enum What {
    Step(Box<step::Args>),
    Score(score::Args),
}

/// Runs `tightbound bench`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    match &args.what {
        What::Step(args) => show(&step::measure(args)?, args.common.json),
        What::Score(args) => show(&score::measure(args)?, args.common.json),
    }
}

/// A measurement that can be printed.
pub trait Measurement: Serialize {
    /// What was measured, in words.
    fn title(&self) -> String;
    /// The headline: a number and its unit.
    fn headline(&self) -> String;
    /// How fast it was.
    fn speed(&self) -> &Speed;
    /// Part of the samples that took part in the backward pass, where there is one.
    fn kept_fraction(&self) -> Option<f64>;
}

fn show(measurement: &impl Measurement, json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(measurement)?;
        return Ok(Outcome::Done);
    }
    let speed = measurement.speed();
    let mut text = format!("{}\n\n", measurement.title());
    writeln!(text, "speed    {}", measurement.headline())?;
    writeln!(
        text,
        "useful   {:.1} GFLOP/s, {:.1} % of the peak of {:.1} GFLOP/s",
        speed.gflops,
        100.0 * speed.fma_peak_fraction,
        speed.fma_peak_gflops,
    )?;
    if let Some(kept) = measurement.kept_fraction() {
        writeln!(text, "kept     {:.1} % of the samples", 100.0 * kept)?;
    }
    if let Some(bytes) = speed.peak_memory_bytes {
        writeln!(text, "memory   {:.0} MB at most, data included", bytes as f64 / 1e6)?;
    }
    writeln!(text, "on       {} with {}", speed.kernels, counted(speed.threads, "thread"))?;
    print(&text)?;
    Ok(Outcome::Done)
}
