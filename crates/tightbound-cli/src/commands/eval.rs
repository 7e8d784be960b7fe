//! Score a trained model.

use std::ops::ControlFlow;

use clap::value_parser;
use tightbound::evaluate::{ScoreOptions, TestPixels, score};

use crate::args::{ImageArgs, Loaded, ModelArgs};
use crate::display::counting_bar;
use crate::failure::UsageError;
use crate::images::some_of;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk, write_file};
use crate::scoring::{Scored, ScoredOn, evaluation_file};

/// Score a trained model, on test images unless told otherwise
///
/// L_1, L_8, L_64 and L_K come from the same samples; each has its standard error over images. The
/// binary test pixels and the noise are fixed by --seed, so two models are scored on the same draws.
/// Writes evaluation.json into the run folder, or a file named after the images if they are others
/// than the test images of the training's data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound eval runs/demo/piwae
  tightbound eval runs/demo/piwae --k 500 --images 200 --json
  tightbound eval runs/mnist-iwae-1x64-seed1 --data omniglot
  tightbound eval runs/mnist-iwae-1x64-seed1 --part validation     select by this, never by test

What the scores mean:
  log p̂    L_K at K = --k, a lower bound on log p(x) that is nearly tight for large K
  −KL      L_64 − log p̂, never above zero beyond noise (Rainforth et al. 2018)
  KL(q‖p)  log p̂ − L_1, how far the encoder is from the true posterior")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    scored: ImageArgs,

    /// Samples per image behind log p̂
    #[arg(long, value_name = "K", default_value_t = 5000, value_parser = value_parser!(u32).range(1..=100_000_000))]
    k: u32,

    /// Score this many images, chosen by --seed [default: all]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    images: Option<u32>,

    /// Draw the binary test pixels once for all scores, or anew for this one (give another --draw
    /// each time)
    #[arg(long, value_name = "RULE", default_value = "frozen", value_parser = ["frozen", "redraw"])]
    test_pixels: String,

    /// Number of the redrawn pixels, with --test-pixels redraw [default: 1]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    draw: Option<u32>,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound eval`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let ModelArgs { run, seed, .. } = &args.model;
    let test_pixels = args.test_pixels()?;
    let mut loaded = args.model.load()?;
    let shown = args.scored.load(&loaded)?;
    let of = shown.images.len();
    let images = some_of(shown.images, args.images.map(|n| n as usize), *seed);
    let options = ScoreOptions { k: args.k, seed: *seed, test_pixels, ..ScoreOptions::default() };
    let bar = counting_bar("scoring", "images", images.len() as u64);
    let mut progress = |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let Loaded { model, engine } = &mut loaded;
    let scores = score(engine, &model.parameters, &images, options, &mut progress)?;
    bar.finish_and_clear();
    let data = format!("{} (hash {})", shown.name, shown.hash);
    let on = ScoredOn { data: &data, part: args.scored.part, of };
    let scored = Scored::new(scores, run, model, on, options)?;
    let json = scored.to_json(run, model.info.epoch, &model.info.digest);
    if let Some(path) = evaluation_file(run, &args.scored, &model.info.settings) {
        write_file(&path, (serde_json::to_string_pretty(&json)? + "\n").as_bytes())?;
        talk!("written to {}", path.display());
    }
    if args.json {
        print_json(&json)?
    } else {
        print(&scored.to_text())?
    }
    Ok(Outcome::Done)
}

impl Args {
    /// Whether the pixels are frozen; a number of redrawn pixels is for redrawn ones alone.
    fn test_pixels(&self) -> anyhow::Result<TestPixels> {
        match (self.test_pixels.as_str(), self.draw) {
            ("redraw", draw) => Ok(TestPixels::Redraw(draw.unwrap_or(1))),
            (_, None) => Ok(TestPixels::Frozen),
            (_, Some(_)) => {
                Err(UsageError("--draw numbers redrawn pixels: add --test-pixels redraw".into())
                    .into())
            }
        }
    }
}
