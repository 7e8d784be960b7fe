//! Measure the scoring of test images with K samples each.

use std::ops::ControlFlow;

use anyhow::bail;
use clap::value_parser;
use serde::Serialize;
use tightbound::evaluate::{ScoreOptions, score};

use super::command::Measurement;
use super::meter::Speed;
use super::subject::{Common, Facts, Subject};
use crate::args::EVALUATION_SEED;
use crate::args::SettingsArgs;

/// Measure the scoring of test images with K samples each
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Images: mnist, omniglot, binarized-mnist, glyphs (built in), or a file or folder
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,

    /// Samples per image
    #[arg(long, value_name = "K", default_value_t = 5000, value_parser = value_parser!(u32).range(1..=100_000_000))]
    k: u32,

    /// Images that are scored together
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    batch: u32,

    /// Any setting of the model, such as model.latents=20; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    pub common: Common,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    k: u32,
    batch: usize,
    /// Of the median batch.
    images_per_s: f64,
    /// Of all batches.
    mean_images_per_s: f64,
    #[serde(flatten)]
    speed: Speed,
    #[serde(flatten)]
    facts: Facts,
}

impl Measurement for Report {
    fn title(&self) -> String {
        format!("scoring with {} samples per image: {}", self.k, self.facts.describe())
    }

    fn headline(&self) -> String {
        format!("{:.1} images/s", self.images_per_s)
    }

    fn speed(&self) -> &Speed {
        &self.speed
    }

    fn kept_fraction(&self) -> Option<f64> {
        None
    }
}

/// Measures what `args` ask for.
pub fn measure(args: &Args) -> anyhow::Result<Report> {
    let settings =
        SettingsArgs { data: args.data.clone(), set: args.set.clone(), ..SettingsArgs::default() };
    let mut subject = Subject::new(&settings, &args.common)?;
    let batch = args.batch as usize;
    let test = &subject.dataset.test;
    if batch > test.len() {
        let (images, data) = (test.len(), &subject.facts.data);
        bail!("--batch {batch} is more than the {images} test images of {data}");
    }
    let positions: Vec<usize> = (0..test.len()).collect();
    let mut batches = positions.chunks_exact(batch).cycle();
    let options = ScoreOptions { k: args.k, seed: EVALUATION_SEED, ..ScoreOptions::default() };
    let operations = subject.work().forward(batch, args.k as usize);
    let speed = subject.meter(&args.common, operations).measure(|| {
        let images = test.select(batches.next().expect("there is a whole batch"));
        let progress = &mut |_, _| ControlFlow::Continue(());
        score(&mut subject.engine, &subject.parameters, &images, options, progress)?;
        Ok(())
    })?;
    Ok(Report {
        k: args.k,
        batch,
        images_per_s: batch as f64 / speed.median_seconds,
        mean_images_per_s: batch as f64 / speed.mean_seconds,
        speed,
        facts: subject.facts,
    })
}
