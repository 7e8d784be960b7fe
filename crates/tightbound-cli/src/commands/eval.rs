//! Score a trained model.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::value_parser;
use indicatif::{ProgressBar, ProgressStyle};
use tightbound::evaluate::{ScoreOptions, TestPixels, score};

use crate::args::DataFolder;
use crate::commands::shared::{EVALUATION_SEED, Loaded};
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk, write_file};
use crate::scoring::{Scored, evaluation_file, some_of};

/// Score a trained model on test images
///
/// L_1, L_8, L_64 and L_K come from the same samples; each has its standard error over images. The
/// binary test pixels and the noise are fixed by --seed, so two models are scored on the same draws.
/// Writes evaluation.json into the run folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound eval runs/demo/piwae
  tightbound eval runs/demo/piwae --k 500 --images 200 --json
  tightbound eval runs/mnist-iwae-1x64-seed1 --data omniglot

What the scores mean:
  log p̂    L_K at K = --k, a lower bound on log p(x) that is nearly tight for large K
  −KL      L_64 − log p̂, never above zero beyond noise (Rainforth et al. 2018)
  KL(q‖p)  log p̂ − L_1, how far the encoder is from the true posterior")]
pub struct Args {
    /// A run folder or model.safetensors
    run: PathBuf,

    /// Other images than the model was trained on
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,

    #[command(flatten)]
    folder: DataFolder,

    #[command(flatten)]
    threads: Threads,

    /// Samples per image behind log p̂
    #[arg(long, value_name = "K", default_value_t = 5000, value_parser = value_parser!(u32).range(1..=100_000_000))]
    k: u32,

    /// Score this many test images, drawn by --seed [default: all]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    images: Option<u32>,

    /// Draw the binary test pixels once for all scores, or anew for this one (give another --draw
    /// each time)
    #[arg(long, value_name = "RULE", default_value = "frozen", value_parser = ["frozen", "redraw"])]
    test_pixels: String,

    /// Number of the redrawn pixels, with --test-pixels redraw
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    draw: u32,

    /// Seed of pixels and noise; independent of the training's
    #[arg(long, value_name = "N", default_value_t = EVALUATION_SEED)]
    seed: u64,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound eval`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut loaded = Loaded::read(&args.run, &args.threads)?;
    let dataset = loaded.dataset(args.data.as_deref(), &args.folder)?;
    let images = some_of(&dataset.test, args.images.map(|n| n as usize), args.seed);
    let test_pixels = match args.test_pixels.as_str() {
        "redraw" => TestPixels::Redraw(args.draw),
        _ => TestPixels::Frozen,
    };
    let options =
        ScoreOptions { k: args.k, seed: args.seed, test_pixels, ..ScoreOptions::default() };
    let bar = bar(images.len());
    let mut progress = |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let Loaded { model, engine } = &mut loaded;
    let scores = score(engine, &model.parameters, &images, options, &mut progress)?;
    bar.finish_and_clear();
    let scored = Scored::new(scores, &args.run, &loaded, &dataset, options)?;
    let info = &loaded.model.info;
    let json = scored.to_json(&args.run, info.epoch, &info.digest);
    let trained_on = &info.settings.data.name;
    let data = args.data.as_deref().unwrap_or(trained_on);
    if let Some(path) = evaluation_file(&args.run, data, trained_on) {
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

/// A bar over images on a terminal, nothing elsewhere.
fn bar(images: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "scoring {bar:24} {pos}/{len} images  {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    ProgressBar::new(images as u64).with_style(style)
}
