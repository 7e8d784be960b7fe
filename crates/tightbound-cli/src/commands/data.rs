//! Say what a data set holds, and show some of it.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;
use tightbound::data::{Dataset, Images};
use tightbound_report::{Align, GridLayout, Table};

use crate::args::DataFolder;
use crate::outcome::Outcome;
use crate::output::{print, print_json, write_file};

/// Say what a data set holds: counts, sizes, means, hashes; and draw a montage of it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound data glyphs --montage glyphs.png
  tightbound data omniglot --data-dir ~/datasets
  tightbound data my-images.npz

Known by name: mnist, omniglot, binarized-mnist (found locally or downloaded), glyphs (built in).
By path: a folder or file of IDX, .amat, .mat, .npy or .npz images.")]
pub struct Args {
    /// Name or path of the data set
    #[arg(value_name = "NAME|PATH")]
    name: String,

    #[command(flatten)]
    folder: DataFolder,

    /// Write the first 100 training images as a PNG
    #[arg(long, value_name = "FILE")]
    montage: Option<PathBuf>,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// What is told of a data set.
#[derive(Serialize)]
struct Facts {
    name: String,
    hash: String,
    binary: bool,
    parts: Vec<Part>,
    sources: Vec<(String, String)>,
}

/// What is told of one part.
#[derive(Serialize)]
struct Part {
    part: &'static str,
    images: usize,
    height: usize,
    width: usize,
    classes: Option<usize>,
    mean: f64,
}

impl Part {
    fn new(part: &'static str, images: &Images) -> Self {
        let mean_image = images.mean_image();
        Self {
            part,
            images: images.len(),
            height: images.height,
            width: images.width,
            classes: images.labels.as_ref().map(|labels| {
                let mut classes = labels.clone();
                classes.sort_unstable();
                classes.dedup();
                classes.len()
            }),
            mean: mean_image.iter().sum::<f64>() / mean_image.len().max(1) as f64,
        }
    }
}

impl Facts {
    fn new(dataset: &Dataset) -> Self {
        let validation = dataset.validation.as_ref().map(|v| Part::new("validation", v));
        let parts = [Part::new("train", &dataset.train)].into_iter().chain(validation);
        let sources = dataset.sources.iter().map(|s| (s.file.clone(), s.sha256.clone()));
        Self {
            name: dataset.name.clone(),
            hash: dataset.hash(),
            binary: dataset.fixed,
            parts: parts.chain([Part::new("test", &dataset.test)]).collect(),
            sources: sources.collect(),
        }
    }
}

/// Runs `tightbound data`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let dataset = args.folder.load(&args.name)?;
    if let Some(path) = &args.montage {
        write_file(path, &montage(&dataset.train)?)?;
    }
    let facts = Facts::new(&dataset);
    if args.json {
        print_json(&facts)?;
    } else {
        print(&describe(&facts)?)?;
    }
    Ok(Outcome::Done)
}

fn describe(facts: &Facts) -> anyhow::Result<String> {
    let mut table = Table::new(&[
        ("part", Align::Left),
        ("images", Align::Right),
        ("size", Align::Right),
        ("classes", Align::Right),
        ("mean", Align::Right),
    ]);
    for part in &facts.parts {
        table.row([
            part.part.to_owned(),
            part.images.to_string(),
            format!("{}×{}", part.height, part.width),
            part.classes.map_or("unknown".to_owned(), |n| n.to_string()),
            format!("{:.6}", part.mean),
        ]);
    }
    let kind = if facts.binary { "every pixel is 0 or 1" } else { "grey" };
    let mut text = format!("{} (hash {}), {kind}\n\n{table}", facts.name, facts.hash);
    if !facts.sources.is_empty() {
        text += "\nread from, with SHA-256:\n";
    }
    for (file, sha256) in &facts.sources {
        writeln!(text, "  {file}  {sha256}")?;
    }
    Ok(text)
}

/// The first hundred images as a PNG.
fn montage(images: &Images) -> anyhow::Result<Vec<u8>> {
    let d = images.pixel_count();
    let mut values = vec![0.0; images.len().min(100) * d];
    for (index, out) in values.chunks_exact_mut(d).enumerate() {
        images.probabilities(index, out);
    }
    let layout = GridLayout { columns: 10, scale: 2, border: 2 };
    Ok(layout.arrange(&values, images.height, images.width).to_png()?)
}
