//! Score a trained model.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::value_parser;
use tightbound::evaluate::{ScoreOptions, ScoredImages, TestPixels, write_rows};

use crate::args::{ImageArgs, ModelArgs};
use crate::display::counting_bar;
use crate::failure::UsageError;
use crate::images::some_of;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk, write_file};
use crate::scoring::{Scoring, describe_evaluation, evaluation_file, write_evaluation};

/// Score a trained model, on test images unless told otherwise
///
/// The bounds L_1, L_2, L_4, … L_K come from the same samples; each has its standard error over
/// images. With them come what says how far they can be relied on (effective sample size, Pareto k̂),
/// active units, and SSIM of reconstructions. The binary test pixels and the noise are fixed by
/// --seed, so two models are scored on the same draws: see `tightbound compare`. Writes
/// evaluation.json and evaluation.csv (a line per image) into the run folder, or files named after the
/// images if they are others than the test images of the training's data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound eval runs/demo/piwae
  tightbound eval runs/demo/piwae --k 500 --images 200 --json
  tightbound eval runs/mnist-iwae-1x64-seed1 --data omniglot
  tightbound eval runs/mnist-iwae-1x64-seed1 --part validation     select by this, never by test
  tightbound eval model.safetensors --per-image anomaly-scores.csv

What the scores mean:
  log p̂      L_K at K = --k, a lower bound on log p(x) that is nearly tight for large K
  jackknife  log p̂ without its bias of order 1/K, but no bound (Nowozin 2018)
  −KL        L_64 − log p̂, never above zero beyond noise (Rainforth et al. 2018)
  KL(q‖p)    log p̂ − L_1, how far the encoder is, at least, from the true posterior
  k̂          above min(1 − 1/log₁₀ K, 0.7) an image's log p̂ may be far too low (Vehtari et al. 2024)
  SSIM       of binary pixels and decoded probabilities (Wang et al. 2004); the border mode matters")]
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

    /// Write the lines of single images here too: log p̂, effective sample size, k̂, SSIM
    #[arg(long, value_name = "FILE.csv")]
    per_image: Option<PathBuf>,

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
    let part = args.scored.part.name().to_owned();
    let on = ScoredImages { data: shown.name, hash: shown.hash, part, of };
    let scoring = Scoring { run, images: &images, on, options };
    let bar = counting_bar("scoring", "images", images.len() as u64);
    let (evaluation, rows) = scoring.evaluate(&mut loaded, &mut |done| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    if evaluation.ssim.is_empty() {
        talk!(
            "no SSIM: the shape of images of one row is not known; store them as \
             images × height × width"
        );
    }
    if let Some(path) = evaluation_file(run, &args.scored, &loaded.model.info.settings) {
        let per_image = write_evaluation(&path, &evaluation, &rows)?;
        talk!("written to {} and, image by image, {}", path.display(), per_image.display());
    }
    if let Some(path) = &args.per_image {
        write_file(path, &write_rows(&rows))?;
    }
    if args.json {
        print_json(&evaluation)?;
    } else {
        print(&describe_evaluation(&evaluation))?;
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
