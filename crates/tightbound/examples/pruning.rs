//! Print what lossless pruning changes on trained models:
//! `cargo run --release --example pruning -- MODEL...`, each a run folder or a `model.safetensors`.
//!
//! The gradients of 20 MNIST test images under IWAE, with S samples each: how many samples were kept,
//! and the relative L2 distance of the pruned gradient to the exact one, both from the f32 engine.

use std::path::Path;
use std::thread::available_parallelism;

use tightbound::data::{Finder, load};
use tightbound::engine::cpu::CpuEngine;
use tightbound::engine::{Batch, Engine, Noise, Objective, Prune};
use tightbound::estimators::EstimatorSettings;
use tightbound::model::{Network, ParameterTable};
use tightbound::random::{Purpose, Stream};
use tightbound::run::Model;

const IMAGES: usize = 20;
const SAMPLES: [usize; 7] = [64, 128, 256, 512, 1024, 2048, 4096];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let dataset = load("mnist", &Finder::new(None), &())?;
    let images = &dataset.test;
    let stream = Stream::new(0, Purpose::TestPixels);
    let mut pixels = vec![0; IMAGES * images.pixel_count()];
    for (i, row) in pixels.chunks_exact_mut(images.pixel_count()).enumerate() {
        images.binarise(i, &stream, 0, row);
    }
    let batch = Batch { pixels: &pixels, ids: &images.ids[..IMAGES] };
    println!("| model | S | kept | encoder | decoder |\n|---|---|---|---|---|");
    for path in std::env::args().skip(1) {
        let model = Model::load(Path::new(&path))?;
        let threads = available_parallelism().map_or(1, usize::from);
        let mut engine = CpuEngine::new(model.info.architecture.clone(), threads)?;
        let name = format!(
            "{} × {}, {} epochs",
            model.info.settings.estimator.name, model.info.settings.estimator.k, model.info.epoch
        );
        let table = ParameterTable::new(&model.info.architecture);
        for k in SAMPLES {
            let estimator = EstimatorSettings::new("iwae", 1, k).build()?;
            let noise = Noise { stream: Stream::new(0, Purpose::Noise), time: 0 };
            let mut gradient = |prune| -> Outcome<(Vec<f32>, f64)> {
                let objective = Objective { estimator: &*estimator, noise, prune };
                let mut gradient = vec![0.0; table.total()];
                let report = engine.gradient(&model.parameters, batch, objective, &mut gradient)?;
                Ok((gradient, report.kept_fraction))
            };
            let (exact, _) = gradient(Prune::Off)?;
            let (pruned, kept) = gradient(Prune::Lossless)?;
            let [encoder, decoder] = [Network::Encoder, Network::Decoder].map(|network| {
                let own = table.network_range(network);
                let (mut error, mut size) = (0.0, 0.0);
                for (&p, &e) in pruned[own.clone()].iter().zip(&exact[own]) {
                    error += f64::from(p - e).powi(2);
                    size += f64::from(e).powi(2);
                }
                (error / size).sqrt()
            });
            println!("| {name} | {k} | {kept:.3} | {encoder:.1e} | {decoder:.1e} |");
        }
    }
    Ok(())
}
