//! Score a model on images, and say it in words, in JSON and under which protocol.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tightbound::data::{Images, sources_hash};
use tightbound::engine::Engine;
use tightbound::evaluate::{
    ACTIVE_VARIANCE, Code, CurvePoint, Estimate, Evaluation, ImageRow, ParetoK, ScoreError,
    ScoreOptions, ScoredImages, Scores, SsimScore, TestPixels, examine, image_rows, score,
    score_images, write_rows,
};
use tightbound::run::{EVALUATION, Model, RunDescription, RunFolder, sha256_hex, short_digest};
use tightbound::settings::{ProtocolLine, ScoreProtocol, Settings};
use tightbound_report::{Align, Measured, Table};

use crate::args::{ImageArgs, Loaded, Part};
use crate::output::write_file;

/// L_1, L_2, L_4, … L_k for the log of a training; nothing if `go_on` put an end to it.
///
/// A model that cannot be scored is no reason to end its training: the log says why.
pub fn quick_scores(
    engine: &mut dyn Engine<Real = f32>,
    parameters: &[f32],
    images: &Images,
    k: u32,
    go_on: &dyn Fn() -> bool,
) -> Option<Value> {
    let options = ScoreOptions { k, ..ScoreOptions::default() };
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
    let points: Vec<_> = shown_points(&points).collect();
    let (last, others) = points.split_last()?;
    let mut text = "test ".to_owned();
    for point in others {
        text += &format!("L_{} {:.2}, ", point.k, point.estimate.value);
    }
    Some(text + &format!("L_{} {}", last.k, measured(last.estimate)))
}

/// What is scored, and how.
pub struct Scoring<'a> {
    /// The run folder or model file.
    pub run: &'a Path,
    /// The images that are scored, all or some of the part.
    pub images: &'a Images,
    /// Where they come from.
    pub on: ScoredImages,
    /// K, seed and pixels.
    pub options: ScoreOptions,
}

impl Scoring<'_> {
    /// Scores the model, on the engine's own threads; a line for every image comes with it. `progress`
    /// hears how many images are done, and may stop it.
    pub fn evaluate(
        &self,
        loaded: &mut Loaded,
        progress: &mut (dyn FnMut(usize) -> ControlFlow<()> + Send),
    ) -> anyhow::Result<(Evaluation, Vec<ImageRow>)> {
        let Self { images, options, .. } = *self;
        let Loaded { model, engine } = loaded;
        let pool = engine.pool();
        let (scores, examination) = pool.run(|| {
            let mut progress = |done, _| progress(done);
            let parameters = &model.parameters;
            let scores = score_images(engine, parameters, images, options, &mut progress)?;
            let examination = examine(engine, parameters, images, options, &mut progress)?;
            Ok::<_, ScoreError>((scores, examination))
        })?;
        let rows = image_rows(images, &scores, options.k, &examination.per_image);
        let evaluation = Evaluation {
            epoch: model.info.epoch,
            digest: model.info.digest.clone(),
            on: self.on.clone(),
            options,
            per_image: short_digest(&sha256_hex(&write_rows(&rows))).to_owned(),
            protocol: self.protocol(model)?,
            scores: Scores::of(&scores, options.k),
            units: examination.units,
            ssim: examination.ssim,
        };
        Ok((evaluation, rows))
    }

    /// The protocol in one line.
    fn protocol(&self, model: &Model) -> anyhow::Result<String> {
        let info = &model.info;
        let trained = if RunFolder::exists(self.run) {
            let identity = RunDescription::read(self.run)?.identity;
            let sha256s = identity.sources.iter().map(|source| source.sha256.as_str());
            format!("{} (hash {})", identity.data, sources_hash(sha256s))
        } else {
            info.settings.data.name.clone()
        };
        let from = info.from.as_ref().map(ToString::to_string);
        let data = format!("{} (hash {})", self.on.data, self.on.hash);
        let line = ProtocolLine {
            settings: &info.settings,
            data: &trained,
            architecture: &info.architecture,
            epoch: info.epoch,
            from: from.as_deref(),
            name_estimator: true,
            score: Some(ScoreProtocol {
                data: &data,
                part: &self.on.part,
                images: self.images.len(),
                of: self.on.of,
                k: self.options.k,
                redraw: match self.options.test_pixels {
                    TestPixels::Frozen => None,
                    TestPixels::Redraw(number) => Some(number),
                },
                seed: self.options.seed,
            }),
        };
        Ok(line.to_string())
    }
}

/// An evaluation in words: the scores, how far they can be relied on, and the protocol.
pub fn describe_evaluation(evaluation: &Evaluation) -> String {
    let Evaluation { scores, units, ssim, options, protocol, .. } = evaluation;
    let mut table =
        Table::new(&[("score", Align::Left), ("nats", Align::Right), ("what it is", Align::Left)]);
    let mut row = |name: &str, estimate: Estimate, meaning: &str| {
        table.row([name.to_owned(), measured(estimate).to_string(), meaning.to_owned()]);
    };
    for point in shown_points(&scores.l_k) {
        let meaning = match point.k {
            1 => "the ELBO",
            64 => "IWAE-64",
            _ => "",
        };
        row(&format!("L_{}", point.k), point.estimate, meaning);
    }
    row("log p̂", scores.log_p_hat, "the best bound on log p(x): L_K at the largest K");
    if let Some(jackknife) = scores.jackknife {
        row("jackknife", jackknife, "log p̂ without its bias of order 1/K; no bound");
    }
    if let Some(minus_kl) = scores.minus_kl {
        row("−KL", minus_kl, "IWAE-64 − log p̂: how much 64 samples leave out");
    }
    row("KL(q‖p)", scores.kl_q_p, "log p̂ − L_1: how far the encoder is from the posterior");

    let mut text = format!("{table}\n");
    let effective = &scores.effective_samples;
    text += &format!(
        "effective samples  median {:.1} of {} (a twentieth of the images below {:.1})\n",
        effective.median, options.k, effective.q05
    );
    if let Some(ParetoK { quantiles, limit, above }) = &scores.pareto_k {
        text += &format!(
            "Pareto k̂           median {:.2}, above {limit:.2} for {:.1} % of the images{}\n",
            quantiles.median,
            100.0 * above,
            if *above > 0.0 { ": there log p̂ may be far too low" } else { "" }
        );
    }
    text += &format!(
        "active units       {} of {} (variance of the mean above {ACTIVE_VARIANCE})\n",
        units.active,
        units.kl.len()
    );
    for SsimScore { code, border, mean, sd } in ssim {
        let code = match code {
            Code::Sample => "a posterior draw",
            Code::Mean => "the posterior mean",
        };
        text += &format!("SSIM               {mean:.3} ± {sd:.3} from {code}, {border}\n");
    }
    let spread = if ssim.is_empty() { "" } else { "; of SSIM, one standard deviation" };
    text + &format!("\n± is one standard error over images{spread}.\n{protocol}\n")
}

/// Writes the scores to `path`, and those of single images beside them, whose path is returned.
pub fn write_evaluation(
    path: &Path,
    evaluation: &Evaluation,
    rows: &[ImageRow],
) -> anyhow::Result<PathBuf> {
    let per_image = path.with_extension("csv");
    write_file(&per_image, &write_rows(rows))?;
    write_file(path, (serde_json::to_string_pretty(evaluation)? + "\n").as_bytes())?;
    Ok(per_image)
}

/// Every third point of the curve, L_1, L_8, L_64, …, and the last one.
fn shown_points(l_k: &[CurvePoint]) -> impl Iterator<Item = &CurvePoint> {
    let last = l_k.len().saturating_sub(1);
    l_k.iter().enumerate().filter(move |(i, _)| i % 3 == 0 || *i == last).map(|(_, point)| point)
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
