//! Write the codes q(z|x) of images.

use std::path::PathBuf;

use tightbound::engine::{Batch, Engine};
use tightbound::evaluate::TestPixels;

use crate::args::{ImageArgs, ModelArgs, Shown};
use crate::numpy::{Archive, Array};
use crate::outcome::Outcome;
use crate::output::{print, print_json, shown, write_file};

/// Write the posterior mean and sd of every image's latent code
///
/// The .npz file holds `mean` and `sd` (images × latents), `id` and, where classes are known,
/// `label`. In Python: numpy.load("codes.npz")["mean"].
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound encode runs/demo/piwae --out codes.npz
  tightbound encode runs/demo/piwae --part train --out train-codes.npz")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    shown: ImageArgs,

    /// File to write
    #[arg(long, value_name = "FILE.npz")]
    out: PathBuf,

    /// Write what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Images that are encoded together.
const CHUNK: usize = 500;

/// Runs `tightbound encode`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut loaded = args.model.load()?;
    let Shown { name, images, .. } = args.shown.load(&loaded)?;
    let (part, seed) = (args.shown.part.name(), args.model.seed);
    let (mut mean, mut sd) = (Vec::new(), Vec::new());
    for start in (0..images.len()).step_by(CHUNK) {
        let range = start..(start + CHUNK).min(images.len());
        let pixels = TestPixels::Frozen.draw(&images, range.clone(), seed);
        let batch = Batch { pixels: &pixels, ids: &images.ids[range] };
        let posterior = loaded.engine.encode(&loaded.model.parameters, batch);
        mean.extend(posterior.mean);
        sd.extend(posterior.sd);
    }
    let (count, latents) = (images.len(), loaded.model.info.architecture.latents);
    let mut archive = Archive::new();
    archive.add("mean", Array { values: &mean, shape: &[count, latents] })?;
    archive.add("sd", Array { values: &sd, shape: &[count, latents] })?;
    archive.add("id", Array { values: &images.ids, shape: &[count] })?;
    if let Some(labels) = &images.labels {
        archive.add("label", Array { values: labels, shape: &[count] })?;
    }
    write_file(&args.out, &archive.into_bytes()?)?;
    if args.json {
        let labels = images.labels.is_some();
        print_json(&serde_json::json!({
            "file": shown(&args.out), "data": name, "part": part,
            "images": count, "latents": latents, "labels": labels, "seed": seed,
        }))?;
    } else {
        let file = args.out.display();
        print(&format!(
            "{file}: mean and sd of {count} {name} {part} images, {latents} latents\n"
        ))?;
    }
    Ok(Outcome::Done)
}
