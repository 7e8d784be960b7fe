//! Draw images from a model.

use std::path::PathBuf;

use clap::value_parser;
use tightbound::engine::Engine;
use tightbound::random::{Purpose, Stream};
use tightbound_report::GridLayout;

use crate::args::ModelArgs;
use crate::numpy::Array;
use crate::outcome::Outcome;
use crate::output::{print, print_json, shown, write_file};

/// Draw images from the model: z from the prior, then each pixel's probability
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound sample runs/demo/piwae --out samples.png
  tightbound sample runs/demo/piwae --count 1000 --out samples.png --npy samples.npy")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    /// How many images
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=100_000))]
    count: u32,

    /// PNG file to write
    #[arg(long, value_name = "FILE.png", default_value = "samples.png")]
    out: PathBuf,

    /// Also write the probabilities (images × pixels)
    #[arg(long, value_name = "FILE.npy")]
    npy: Option<PathBuf>,

    /// Write what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound sample`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut loaded = args.model.load()?;
    let architecture = loaded.model.info.architecture.clone();
    let stream = Stream::new(args.model.seed, Purpose::Sampling);
    let mut latents = vec![0.0; args.count as usize * architecture.latents];
    for (item, z) in latents.chunks_exact_mut(architecture.latents).enumerate() {
        stream.normals(0, item as u32, 0, z);
    }
    let probabilities = loaded.engine.decode(&loaded.model.parameters, &latents);
    let (height, width) = sides(architecture.pixels);
    let columns = (1..).find(|n| n * n >= args.count as usize).unwrap_or(1);
    let layout = GridLayout { columns, scale: 2, border: 2 };
    write_file(&args.out, &layout.arrange(&probabilities, height, width).to_png()?)?;
    if let Some(path) = &args.npy {
        let shape = [args.count as usize, architecture.pixels];
        write_file(path, &Array { values: &probabilities, shape: &shape }.to_npy())?;
    }
    if args.json {
        print_json(&serde_json::json!({
            "png": shown(&args.out), "npy": args.npy.as_deref().map(shown),
            "images": args.count, "seed": args.model.seed,
        }))?;
    } else {
        print(&format!("{}: {} draws from the prior\n", args.out.display(), args.count))?;
    }
    Ok(Outcome::Done)
}

/// Height and width of `pixels` pixels: the nearest to a square. A model does not know its images'
/// shape, and all the known data sets are square.
fn sides(pixels: usize) -> (usize, usize) {
    let height = (1..=pixels.isqrt()).rev().find(|h| pixels.is_multiple_of(*h)).unwrap_or(1);
    (height, pixels / height)
}

#[cfg(test)]
mod tests {
    #[test]
    fn squares_stay_square() {
        for (pixels, expected) in [(784, (28, 28)), (12, (3, 4)), (7, (1, 7)), (1, (1, 1))] {
            assert_eq!(super::sides(pixels), expected);
        }
    }
}
