//! Score a model on images, and say it in words, in JSON and under which protocol.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tightbound::data::{Images, sources_hash};
use tightbound::engine::Engine;
use tightbound::evaluate::{
    CurvePoint, Estimate, ScoreError, ScoreOptions, Scores, TestPixels, score,
};
use tightbound::run::{EVALUATION, Model, RunFolder};
use tightbound::settings::{ProtocolLine, ScoreProtocol, Settings};
use tightbound_report::{Align, Measured, Table};

use crate::args::{ImageArgs, Part, read_description};

/// L_1, L_8 and L_64 for the log of a training; nothing if `go_on` put an end to it.
///
/// A model that cannot be scored is no reason to end its training: the log says why.
pub fn quick_scores(
    engine: &mut dyn Engine<Real = f32>,
    parameters: &[f32],
    images: &Images,
    go_on: &dyn Fn() -> bool,
) -> Option<Value> {
    let options = ScoreOptions { k: 64, ..ScoreOptions::default() };
    let mut progress = |_, _| match go_on() {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    match score(engine, parameters, images, options, &mut progress) {
        Ok(scores) => Some(json!({
            "images": scores.images, "seed": options.seed, "l_k": scores.l_k,
        })),
        Err(ScoreError::Interrupted) => None,
        Err(error) => Some(json!({ "error": error.to_string() })),
    }
}

/// [`quick_scores`] in words: `test L_1 -105.20, L_8 -101.33, L_64 -99.01 ± 0.30`.
pub fn describe_scores(scores: &Value) -> Option<String> {
    if let Some(error) = scores.get("error").and_then(Value::as_str) {
        return Some(format!("no scores: {error}"));
    }
    let points: Vec<CurvePoint> = serde_json::from_value(scores.get("l_k")?.clone()).ok()?;
    let (last, others) = points.split_last()?;
    let mut text = "test ".to_owned();
    for point in others {
        text += &format!("L_{} {:.2}, ", point.k, point.estimate.value);
    }
    Some(text + &format!("L_{} {}", last.k, measured(last.estimate)))
}

/// The scores of a model, with the line that says how they came about.
pub struct Scored {
    /// The numbers.
    pub scores: Scores,
    /// The protocol.
    pub protocol: String,
}

/// The images that were scored.
#[derive(Clone, Copy, Debug)]
pub struct ScoredOn<'a> {
    /// The data set and its hash, in words.
    pub data: &'a str,
    /// The part of it.
    pub part: Part,
    /// How many images the part has.
    pub of: usize,
}

impl Scored {
    /// Adds the protocol to the scores of the `model` in `run`.
    pub fn new(
        scores: Scores,
        run: &Path,
        model: &Model,
        on: ScoredOn,
        options: ScoreOptions,
    ) -> anyhow::Result<Self> {
        let info = &model.info;
        let trained = if RunFolder::exists(run) {
            let identity = read_description(run)?.identity;
            let sha256s = identity.sources.iter().map(|source| source.sha256.as_str());
            format!("{} (hash {})", identity.data, sources_hash(sha256s))
        } else {
            info.settings.data.name.clone()
        };
        let from = info.from.as_ref().map(ToString::to_string);
        let protocol = ProtocolLine {
            settings: &info.settings,
            data: &trained,
            architecture: &info.architecture,
            epoch: info.epoch,
            from: from.as_deref(),
            name_estimator: true,
            score: Some(ScoreProtocol {
                data: on.data,
                part: on.part.name(),
                images: scores.images,
                of: on.of,
                k: options.k,
                redraw: match options.test_pixels {
                    TestPixels::Frozen => None,
                    TestPixels::Redraw(number) => Some(number),
                },
                seed: options.seed,
            }),
        };
        let protocol = protocol.to_string();
        Ok(Self { scores, protocol })
    }

    /// The scores as one flat object.
    pub fn to_json(&self, run: &Path, epoch: usize, digest: &str) -> Value {
        let Scores { images, l_k, log_p_hat, iwae_64, minus_kl, kl_q_p } = &self.scores;
        json!({
            "run": run,
            "epoch": epoch,
            "digest": digest,
            "images": images,
            "log_p_hat": log_p_hat.value,
            "log_p_hat_se": log_p_hat.se,
            "iwae_64": iwae_64.map(|e| e.value),
            "iwae_64_se": iwae_64.map(|e| e.se),
            "minus_kl": minus_kl.map(|e| e.value),
            "minus_kl_se": minus_kl.map(|e| e.se),
            "kl_q_p": kl_q_p.value,
            "kl_q_p_se": kl_q_p.se,
            "l_k": l_k,
            "protocol": self.protocol,
        })
    }

    /// The scores as a table with the protocol below.
    pub fn to_text(&self) -> String {
        let mut table = Table::new(&[
            ("score", Align::Left),
            ("nats", Align::Right),
            ("what it is", Align::Left),
        ]);
        let mut row = |name: &str, estimate: Estimate, meaning: &str| {
            table.row([name.to_owned(), measured(estimate).to_string(), meaning.to_owned()]);
        };
        let Scores { l_k, log_p_hat, minus_kl, kl_q_p, .. } = &self.scores;
        for point in l_k {
            let meaning = match point.k {
                1 => "the ELBO",
                64 => "IWAE-64",
                _ => "",
            };
            row(&format!("L_{}", point.k), point.estimate, meaning);
        }
        row("log p̂", *log_p_hat, "the best estimate of log p(x): L_K at the largest K");
        if let Some(minus_kl) = minus_kl {
            row("−KL", *minus_kl, "IWAE-64 − log p̂: how much 64 samples leave out");
        }
        row("KL(q‖p)", *kl_q_p, "log p̂ − L_1: how far the encoder is from the posterior");
        format!("{table}\n± is one standard error over images.\n{}\n", self.protocol)
    }
}

/// An estimate as the report writes it.
pub fn measured(estimate: Estimate) -> Measured {
    Measured { value: estimate.value, error: estimate.se }
}

/// Where the scores of the model in `run` are kept: `evaluation.json` for the test images of the
/// data it was trained on, a file of their own for others, none for a model outside a run folder.
pub fn evaluation_file(run: &Path, on: &ImageArgs, settings: &Settings) -> Option<PathBuf> {
    if !RunFolder::exists(run) {
        return None;
    }
    let data = on.data.as_deref().filter(|data| *data != settings.data.name);
    let part = Some(on.part).filter(|part| *part != Part::Test).map(Part::name);
    let words: Vec<_> = data.into_iter().chain(part).collect();
    if words.is_empty() {
        return Some(run.join(EVALUATION));
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = words.join("-").chars().map(plain).collect();
    Some(run.join(format!("evaluation-{name}.json")))
}
