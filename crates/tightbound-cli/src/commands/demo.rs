//! Show in about a minute what the program is for: three bounds, one data set, honest scores.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tightbound::engine::Engine;
use tightbound::evaluate::{ScoreError, ScoreOptions, curve_sizes, score_images};
use tightbound::run::{Model, short_digest};
use tightbound::settings::{Assignment, ProtocolLine, Resolver, ScoreProtocol, Settings};
use tightbound_report::{Align, Measured, Table};

use crate::args::{DataFolder, Loaded};
use crate::display::Display;
use crate::failure::UsageError;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::{as_text, print, print_json, quoted, talk};
use crate::signals::Signals;
use crate::training::Job;

/// Train VAE, IWAE and PIWAE on built-in images, and compare them: about a minute, no download
///
/// All three get the same budget of 64 samples per image. They are scored on the same test pixels
/// with the same noise, so their differences are known far better than the scores themselves.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound demo
  tightbound demo --epochs 13 --out runs/longer-demo

A demo that was interrupted goes on where it was.")]
pub struct Args {
    /// Passes over the 10,000 training images, in all
    #[arg(long, value_name = "N", default_value_t = 8)]
    epochs: u32,

    /// Seed of every random number of the trainings
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,

    /// Any other setting, such as model.latents=20; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    threads: Threads,

    /// Folder of the three run folders
    #[arg(long, value_name = "FOLDER", default_value = "runs/demo")]
    out: PathBuf,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// What is compared: the loosest bound first, for the others are measured against it.
const ESTIMATORS: [&str; 3] = ["vae", "iwae", "piwae"];

/// Samples per image behind log p̂.
const K: u32 = 1000;

/// One line of the comparison.
#[derive(Serialize)]
struct Line {
    estimator: String,
    m: usize,
    k: usize,
    log_p_hat: f64,
    log_p_hat_se: f64,
    above_vae: f64,
    above_vae_se: f64,
    minus_kl: f64,
    minus_kl_se: f64,
    kl_q_p: f64,
    kl_q_p_se: f64,
    digest: String,
    #[serde(serialize_with = "as_text")]
    run: PathBuf,
}

/// The bounds of every test image under one model.
struct Bounds {
    elbo: Vec<f64>,
    l_64: Vec<f64>,
    log_p: Vec<f64>,
}

/// Runs `tightbound demo`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let signals = Signals::install()?;
    let data = DataFolder::default();
    for estimator in ESTIMATORS {
        let settings = args.settings(estimator)?;
        let job = Job {
            settings,
            out: args.out.join(estimator),
            resume: true,
            from: None,
            data: &data,
            threads: &args.threads,
            signals: &signals,
            display: Display::new(&format!("{estimator:5}")),
        };
        let trained = job.run()?;
        if let Some(signal) = trained.stopped_by.filter(|_| !trained.outcome.complete) {
            talk!("saved; the same command goes on");
            return Ok(Outcome::Interrupted { signal });
        }
    }
    talk!("scoring");
    let mut lines = Vec::new();
    let mut vae: Option<Vec<f64>> = None;
    let mut protocol = String::new();
    for estimator in ESTIMATORS {
        let run = args.out.join(estimator);
        let mut loaded = Loaded::read(&run, &args.threads)?;
        let Some(bounds) = bounds(&mut loaded, &data, &signals)? else {
            talk!("nothing is lost; the same command goes on");
            return Ok(Outcome::Interrupted { signal: signals.stop().unwrap_or_default() });
        };
        let baseline = vae.get_or_insert_with(|| bounds.log_p.clone());
        lines.push(Line::new(&loaded.model, run, &bounds, baseline));
        protocol = protocol_line(&loaded, &data)?;
    }
    if args.json {
        print_json(&serde_json::json!({ "models": lines, "protocol": protocol }))?;
    } else {
        print(&describe(&lines, &protocol))?;
        talk!("{}", next(&args.out));
    }
    Ok(Outcome::Done)
}

impl Args {
    fn settings(&self, estimator: &str) -> anyhow::Result<Settings> {
        let mut layer = vec![
            Assignment::flag("--data", "data.name", "glyphs"),
            Assignment::flag("--estimator", "estimator.name", estimator),
            Assignment::flag("--epochs", "train.epochs", i64::from(self.epochs)),
            Assignment::flag("--seed", "seed", i64::from(self.seed)),
        ];
        for text in &self.set {
            layer.push(Assignment::parse(text)?);
        }
        let settings = Resolver::new().layer(layer).resolve()?;
        for (key, shown, set) in [
            ("data.name", "glyphs", &settings.data.name),
            ("estimator.name", estimator, &settings.estimator.name),
        ] {
            if set != shown {
                return Err(UsageError(format!(
                    "{key} is the demo's own: for `{set}` use `tightbound train`"
                ))
                .into());
            }
        }
        Ok(settings)
    }
}

/// How every model is scored.
fn options() -> ScoreOptions {
    ScoreOptions { k: K, ..ScoreOptions::default() }
}

/// Scores a model; nothing if a signal came in between.
fn bounds(
    loaded: &mut Loaded,
    data: &DataFolder,
    signals: &Signals,
) -> anyhow::Result<Option<Bounds>> {
    let dataset = loaded.dataset(None, data)?;
    let Loaded { model, engine } = loaded;
    let engine: &mut dyn Engine<Real = f32> = engine;
    let mut progress = |_, _| match signals.stop() {
        None => ControlFlow::Continue(()),
        Some(_) => ControlFlow::Break(()),
    };
    let scores = score_images(engine, &model.parameters, &dataset.test, options(), &mut progress);
    let scores = match scores {
        Err(ScoreError::Interrupted) => return Ok(None),
        scores => scores?,
    };
    let column = |k: u32| {
        let point =
            curve_sizes(K).iter().position(|&size| size == k).expect("a point of the curve");
        scores.iter().map(|image| image.curve[point]).collect::<Vec<f64>>()
    };
    Ok(Some(Bounds { elbo: column(1), l_64: column(64), log_p: column(K) }))
}

/// The protocol that all lines share but for the estimator.
fn protocol_line(loaded: &Loaded, data: &DataFolder) -> anyhow::Result<String> {
    let dataset = loaded.dataset(None, data)?;
    let info = &loaded.model.info;
    let name = format!("{} (hash {})", dataset.name, dataset.hash());
    let line = ProtocolLine {
        settings: &info.settings,
        data: &name,
        architecture: &info.architecture,
        epoch: info.epoch,
        from: None,
        name_estimator: false,
        score: Some(ScoreProtocol {
            data: &name,
            part: "test",
            images: dataset.test.len(),
            of: dataset.test.len(),
            k: K,
            redraw: None,
            seed: options().seed,
        }),
    };
    Ok(line.to_string())
}

impl Line {
    fn new(model: &Model, run: PathBuf, bounds: &Bounds, vae: &[f64]) -> Self {
        let estimator = &model.info.settings.estimator;
        let Bounds { elbo, l_64, log_p } = bounds;
        let mean = Measured::mean(log_p);
        let above_vae = Measured::mean_difference(log_p, vae);
        let minus_kl = Measured::mean_difference(l_64, log_p);
        let kl_q_p = Measured::mean_difference(log_p, elbo);
        Self {
            estimator: estimator.name.clone(),
            m: estimator.m,
            k: estimator.k,
            log_p_hat: mean.value,
            log_p_hat_se: mean.error,
            above_vae: above_vae.value,
            above_vae_se: above_vae.error,
            minus_kl: minus_kl.value,
            minus_kl_se: minus_kl.error,
            kl_q_p: kl_q_p.value,
            kl_q_p_se: kl_q_p.error,
            digest: model.info.digest.clone(),
            run,
        }
    }
}

/// The comparison as a table, its protocol, and the digests of the weights.
fn describe(lines: &[Line], protocol: &str) -> String {
    let mut table = Table::new(&[
        ("bound", Align::Left),
        ("M×K", Align::Right),
        ("log p̂", Align::Right),
        ("above VAE", Align::Right),
        ("−KL", Align::Right),
        ("KL(q‖p)", Align::Right),
    ]);
    let measured = |value, error| Measured { value, error }.to_string();
    for (index, line) in lines.iter().enumerate() {
        let above = match index {
            0 => "–".to_owned(),
            _ => measured(line.above_vae, line.above_vae_se),
        };
        table.row([
            line.estimator.clone(),
            format!("{}×{}", line.m, line.k),
            measured(line.log_p_hat, line.log_p_hat_se),
            above,
            measured(line.minus_kl, line.minus_kl_se),
            measured(line.kl_q_p, line.kl_q_p_se),
        ]);
    }
    let digest = |line: &Line| format!("{} {}", line.estimator, short_digest(&line.digest));
    let digests: Vec<_> = lines.iter().map(digest).collect();
    format!("{table}\n{protocol}\ndigests  {}\n", digests.join("  "))
}

/// Where to look next.
fn next(out: &Path) -> String {
    let run = out.join("piwae");
    let run = quoted(&run);
    format!(
        "\nlog p̂ = L_{K} in nats on the test images, ± one standard error over images; differences are\n\
         taken image by image. −KL = L_64 − log p̂, KL(q‖p) = log p̂ − L_1 (the encoder's error).\n\n\
         next:\n  \
         tightbound estimators                     which bound when\n  \
         tightbound sample {run} --out samples.png\n  \
         tightbound eval {run}\n  \
         tightbound train --data mnist --estimator piwae --epochs 13"
    )
}
