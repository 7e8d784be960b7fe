//! Show what a model makes of images.

use std::path::PathBuf;

use clap::value_parser;
use tightbound::evaluate::{ScoreOptions, reconstruct};
use tightbound_report::GridLayout;

use crate::args::{ImageArgs, Loaded, ModelArgs, Shown};
use crate::images::some_of;
use crate::outcome::Outcome;
use crate::output::{print, print_json, shown, write_file};

/// Show images, their binary pixels, and what the model makes of them
///
/// Rows of the picture, in threes: the grey originals; the binary pixels the encoder sees; the
/// pixel probabilities of one draw from the posterior.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound reconstruct runs/demo/piwae --out reconstructions.png
  tightbound reconstruct runs/mnist --data omniglot --images 48")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    shown: ImageArgs,

    /// How many images, chosen by --seed
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..=10_000))]
    images: u32,

    /// PNG file to write
    #[arg(long, value_name = "FILE.png", default_value = "reconstructions.png")]
    out: PathBuf,

    /// Write what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Images per row of the picture.
const COLUMNS: usize = 16;

/// Runs `tightbound reconstruct`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut loaded = args.model.load()?;
    let Shown { name, images, .. } = args.shown.load(&loaded)?;
    let (part, seed) = (args.shown.part.name(), args.model.seed);
    let images = some_of(images, Some(args.images as usize), seed);
    let count = images.len();

    let options = ScoreOptions { seed, ..ScoreOptions::default() };
    let Loaded { model, engine } = &mut loaded;
    let back = reconstruct(engine, &model.parameters, &images, 0..count, options);

    let d = images.pixel_count();
    let mut originals = vec![0.0; count * d];
    for (index, out) in originals.chunks_exact_mut(d).enumerate() {
        images.probabilities(index, out);
    }
    let binary: Vec<f32> = back.pixels.iter().map(|&p| f32::from(p)).collect();
    let mut values = Vec::with_capacity(3 * count * d);
    let row = COLUMNS.min(count) * d;
    for start in (0..count * d).step_by(row) {
        for source in [&originals, &binary, &back.from_sample] {
            let end = (start + row).min(source.len());
            values.extend_from_slice(&source[start..end]);
            // An incomplete row is filled up, so that the next one begins at the left.
            values.resize(values.len() + row - (end - start), 0.0);
        }
    }
    let layout = GridLayout { columns: COLUMNS, scale: 2, border: 2 };
    write_file(&args.out, &layout.arrange(&values, images.height, images.width).to_png()?)?;
    if args.json {
        print_json(&serde_json::json!({
            "png": shown(&args.out), "data": name, "part": part, "images": count, "seed": seed,
        }))?;
    } else {
        let file = args.out.display();
        print(&format!("{file}: {count} {name} {part} images: grey, binary, reconstructed\n"))?;
    }
    Ok(Outcome::Done)
}
