//! Measure signal and noise of a model's gradients, with the estimators that were asked for.

use std::path::{Path, PathBuf};

use clap::value_parser;
use tightbound::diagnose::live::{LEAST_DRAWS, LiveError};
use tightbound::engine::Batch;
use tightbound::estimators::{EstimatorSettings, Gradient};
use tightbound::evaluate::TestPixels;
use tightbound::run::{RunFolder, SNR};

use super::study::{Plan, Study};
use super::text;
use crate::args::{DataFolder, EVALUATION_SEED, ImageArgs, Loaded, ModelArgs, Part, Shown};
use crate::failure::UsageError;
use crate::images::some_of;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk, write_file};

/// The outer samples that are measured where none are named.
const GRID_M: [u32; 4] = [1, 2, 4, 8];
/// The inner samples.
const GRID_K: [u32; 3] = [1, 8, 64];
/// Images of the minibatch.
const IMAGES: u32 = 20;

/// Measure how noisy a model's gradients are: signal-to-noise ratios for other M, K and bounds
///
/// One minibatch and its binary pixels stay fixed; every draw of the gradient has new latent noise.
/// All estimators see the same noise. A ratio that the draws resolve has a 95 % interval over that noise,
/// and a finding is stated only where what the draws leave open is apart: intervals, and all up to twice
/// the least that they resolve. Another minibatch, model or seed may find otherwise.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("part", |part| part.default_value("train")),
    after_help = "Examples:
  tightbound snr runs/mnist-iwae-1x64-seed1 --m 1,2,4,8 --k 1,8,64
  tightbound snr runs/demo/piwae --draws 50 --budget 16
  tightbound snr runs/demo/piwae --gradient dreg --no-what-if --layers

What the figures mean, for gradients g with mean E g:
  ratio     ‖E g‖ / √(tr Cov g) over all parameters of a network, noise taken out of the mean; with an
            interval from √(12/R) on for R draws: below, they do not find the mean well enough
  raw       mean over parameters of |mean| / sd, as in Rainforth et al. 2018, Eq. 8; noise alone has
            the floor √(2/(πR)) for R draws
  debiased  mean over parameters of √max(0, mean²/var − 1/R); noise alone still shows about 0.3/√R
  DSNR      mean of ‖g∥‖/‖g⊥‖ about the mean direction, which comes from the other half of the draws;
            noise that fills r directions shows about √(2/(πr)); none of fewer than 8 parameters
  ESS       effective sample size of the first draw's weights under one logarithm, from 1 to K"
)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    shown: ImageArgs,

    /// Outer samples: MIWAE(M, K) is measured for every M and K of the lists
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = GRID_M, value_parser = value_parser!(u32).range(1..=65_536))]
    m: Vec<u32>,

    /// Inner samples. MIWAE(M, 1) is the VAE, MIWAE(1, K) is IWAE
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = GRID_K, value_parser = value_parser!(u32).range(1..=16_777_216))]
    k: Vec<u32>,

    /// The encoder's gradient rule for these lists, one that `tightbound estimators miwae` names
    #[arg(long, value_name = "RULE", default_value = "plain")]
    gradient: Gradient,

    /// R, gradients drawn per estimator; intervals narrow as 1/√R, and lower ratios have one
    #[arg(long, value_name = "R", default_value_t = 100)]
    draws: u32,

    /// B, images of the minibatch, chosen by --seed
    #[arg(long, value_name = "N", default_value_t = IMAGES, value_parser = value_parser!(u32).range(1..))]
    images: u32,

    /// T = M·K of the what-if table [default: the run's own]
    #[arg(long, value_name = "T", value_parser = value_parser!(u32).range(1..=16_777_216))]
    budget: Option<u32>,

    /// Leave out the what-if table of all estimators at equal budget
    #[arg(long, conflicts_with = "budget")]
    no_what_if: bool,

    /// Print every layer, not only whole networks
    #[arg(long)]
    layers: bool,

    /// Write JSON, which always holds every layer
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound snr`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut loaded = args.model.load()?;
    let plan = args.plan(&loaded)?;
    let minibatch = Minibatch {
        run: &args.model.run,
        shown: args.shown.load(&loaded)?,
        part: args.shown.part,
        images: args.images,
        seed: args.model.seed,
    };
    let (subject, study) = minibatch.measure(&mut loaded, &plan)?;
    let json = text::to_json(&subject, &study);
    if RunFolder::exists(&args.model.run) {
        let path = write_snr(&args.model.run, &json)?;
        talk!("written to {}", path.display());
    }
    if args.json {
        print_json(&json)?;
    } else {
        print(&text::to_text(&subject, &study, args.layers))?;
    }
    Ok(Outcome::Done)
}

/// Measures the run `run` as `tightbound snr --no-what-if` does, with `draws` gradients per estimator, and
/// keeps what was found in its folder.
pub fn keep_snr(
    run: &Path,
    loaded: &mut Loaded,
    data: &DataFolder,
    draws: u32,
) -> anyhow::Result<()> {
    let part = Part::Train;
    let shown = ImageArgs { data: None, folder: data.clone(), part }.load(loaded)?;
    let minibatch = Minibatch { run, shown, part, images: IMAGES, seed: EVALUATION_SEED };
    let plan = Plan { grid: grid(&GRID_M, &GRID_K, Gradient::Plain)?, budget: None, draws };
    let (subject, study) = minibatch.measure(loaded, &plan)?;
    write_snr(run, &text::to_json(&subject, &study))?;
    Ok(())
}

/// The images whose gradients are drawn.
struct Minibatch<'a> {
    run: &'a Path,
    shown: Shown,
    part: Part,
    images: u32,
    seed: u64,
}

impl Minibatch<'_> {
    fn measure(self, loaded: &mut Loaded, plan: &Plan) -> anyhow::Result<(text::Subject, Study)> {
        let Self { run, shown, part, images, seed } = self;
        let of = shown.images.len();
        let images = some_of(shown.images, Some(images as usize), seed);
        let pixels = TestPixels::Frozen.draw(&images, 0..images.len(), seed);
        let batch = Batch { pixels: &pixels, ids: &images.ids };
        let Loaded { model, engine } = loaded;
        let study = Study::measure(engine, &model.parameters, batch, seed, plan)?;
        let info = &model.info;
        let subject = text::Subject {
            run: run.display().to_string(),
            settings: info.settings.clone(),
            epoch: info.epoch,
            digest: info.digest.clone(),
            data: format!("{} (hash {})", shown.name, shown.hash),
            part: part.name(),
            images: images.len(),
            of,
            draws: plan.draws,
            seed,
        };
        Ok((subject, study))
    }
}

/// Keeps what was found in the folder of `run`.
fn write_snr(run: &Path, json: &serde_json::Value) -> anyhow::Result<PathBuf> {
    let path = run.join(SNR);
    write_file(&path, (serde_json::to_string_pretty(json)? + "\n").as_bytes())?;
    Ok(path)
}

/// MIWAE(M, K) for every M and K.
fn grid(m: &[u32], k: &[u32], gradient: Gradient) -> anyhow::Result<Vec<EstimatorSettings>> {
    let mut grid = Vec::new();
    for (&m, &k) in m.iter().flat_map(|m| k.iter().map(move |k| (m, k))) {
        let settings =
            EstimatorSettings::new("miwae", m as usize, k as usize).with_gradient(gradient);
        settings.build()?;
        grid.push(settings);
    }
    Ok(grid)
}

impl Args {
    /// What is to be measured.
    fn plan(&self, loaded: &Loaded) -> anyhow::Result<Plan> {
        let grid = grid(&self.m, &self.k, self.gradient)?;
        let own = &loaded.model.info.settings.estimator;
        let budget = self.budget.map_or(own.m * own.k, |budget| budget as usize);
        if self.draws < LEAST_DRAWS {
            return Err(UsageError(LiveError::TooFewDraws(self.draws).to_string()).into());
        }
        Ok(Plan { grid, budget: (!self.no_what_if).then_some(budget), draws: self.draws })
    }
}
