//! Show what models make of images: reconstructions, samples, traversals, and codes by class.

use tightbound::data::Images;
use tightbound::engine::cpu::{CpuEngine, KernelPath};
use tightbound::engine::{Engine, EngineError};
use tightbound::evaluate::{ScoreOptions, Units, reconstruct};
use tightbound::model::{Activation, ParameterTable};
use tightbound::random::{Purpose, Stream};
use tightbound::run::{Model, RunError};

use super::comparison::{Comparison, Method};
use super::figure::{Drawing, Figure};
use super::report::Subjects;
use super::tables::report_ssim;
use crate::figures::{Axis, Cloud, ImageRow, ImageRows, Scale, Scatter};
use crate::page::{DenseLayer, Example, Explorer, Nonlinearity, Unit};

/// Images in a row.
const COLUMNS: usize = 12;

/// Images whose codes are drawn.
const CODES: usize = 2000;

/// Units that are traversed, and the places on the way.
const TRAVERSED: usize = 6;
const PLACES: [f32; 11] = [-3.0, -2.4, -1.8, -1.2, -0.6, 0.0, 0.6, 1.2, 1.8, 2.4, 3.0];

/// Side of the square that a pixel becomes.
const SCALE: usize = 2;

/// Why a model has no pictures.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    #[error(transparent)]
    Model(#[from] RunError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A trained model that is shown.
pub(super) struct Portrait<'a> {
    method: &'a Method<'a>,
    model: Model,
    engine: CpuEngine,
}

impl<'a> Portrait<'a> {
    /// Loads the model of the method's first seed.
    pub fn new(method: &'a Method<'a>, subjects: &Subjects) -> Result<Self, PictureError> {
        let model = Model::load(&method.runs[0].path)?;
        let path = subjects.kernels.unwrap_or_else(KernelPath::fastest);
        let architecture = model.info.architecture.clone();
        let engine = CpuEngine::with_path(architecture, subjects.threads, path)?;
        Ok(Self { method, model, engine })
    }

    /// What its method is called.
    pub fn label(&self) -> &'a str {
        &self.method.label
    }

    /// log p̂ of its method on the test images of `data`, by seed.
    pub fn log_p_hat(&self, data: &str) -> Vec<f64> {
        self.method.scores(data, |e| Some(e.scores.log_p_hat.value))
    }

    /// The latent units that were measured, if the model was scored.
    fn units(&self) -> Option<&'a Units> {
        Some(&self.method.runs[0].own()?.units)
    }

    /// Unit numbers, the most informative first; all in order where none was measured.
    fn order(&self) -> Vec<usize> {
        let latents = self.model.info.architecture.latents;
        self.units().map_or_else(|| (0..latents).collect(), Units::by_information)
    }

    fn decode(&mut self, latents: &[f32]) -> Vec<f32> {
        self.engine.decode(&self.model.parameters, latents)
    }

    /// μ of q(z|x) of the images at `positions`, whose pixels are those of scores.
    fn means(&mut self, images: &Images) -> Vec<f32> {
        let options = ScoreOptions::default();
        let range = 0..images.len();
        reconstruct(&mut self.engine, &self.model.parameters, images, range, options).posterior.mean
    }

    /// The decoder, for the page's script.
    pub fn explorer(&mut self, name: String, images: &Images) -> Explorer {
        let shown = images.select(&one_of_each(images));
        let means = self.means(&shown);
        let latents = self.model.info.architecture.latents;
        let examples = (0..shown.len()).map(|index| Example {
            label: caption(&shown, index),
            mean: means[index * latents..(index + 1) * latents].to_vec(),
            pixels: grey(&shown, index),
        });
        let kl = self.units().map(|units| &units.kl);
        let unit = |index: usize| Unit {
            index,
            note: kl.map_or_else(String::new, |kl| format!("KL {:.2} nats", kl[index])),
        };
        Explorer {
            name,
            height: images.height,
            width: images.width,
            latents,
            layers: decoder(&self.model),
            nonlinearity: match self.model.info.architecture.activation {
                Activation::Tanh => Nonlinearity::Tanh,
                Activation::Relu => Nonlinearity::Relu,
                Activation::Softplus => Nonlinearity::Softplus,
            },
            units: self.order().into_iter().map(unit).collect(),
            examples: examples.collect(),
        }
    }
}

/// All pictures of a comparison's models on `images`, the test images of the data `name`.
pub(super) fn reconstructions(
    comparison: &Comparison,
    portraits: &mut [Portrait],
    name: &str,
    images: &Images,
) -> Figure {
    let shown = images.select(&one_of_each(images));
    let binary = |portrait: &mut Portrait| {
        let range = 0..shown.len();
        let options = ScoreOptions::default();
        reconstruct(&mut portrait.engine, &portrait.model.parameters, &shown, range, options)
    };
    let mut rows = vec![ImageRow {
        label: "grey originals".into(),
        images: (0..shown.len()).flat_map(|index| grey(&shown, index)).collect(),
        captions: Vec::new(),
    }];
    for (index, portrait) in portraits.iter_mut().enumerate() {
        let back = binary(portrait);
        if index == 0 {
            rows.push(ImageRow {
                label: "binary pixels\n(what encoders see)".into(),
                images: back.pixels.iter().map(|&pixel| f32::from(pixel)).collect(),
                captions: Vec::new(),
            });
        }
        let ssim = portrait.method.runs[0].on(name).and_then(report_ssim);
        let ssim =
            ssim.map_or_else(String::new, |(mean, sd)| format!("\nSSIM {mean:.2} ± {sd:.2}"));
        rows.push(ImageRow {
            label: format!("{}{ssim}", portrait.method.label),
            images: back.from_sample,
            captions: Vec::new(),
        });
    }
    let title = format!("{name} reconstructed by models of {}", comparison.name());
    let drawing = ImageRows {
        title,
        rows,
        height: images.height,
        width: images.width,
        scale: SCALE,
        footnote: Some(
            "Pixel probabilities decoded from one posterior draw. SSIM against the binary pixels, \
             zero-padded, ± sd over all scored images."
                .into(),
        ),
        ..ImageRows::default()
    };
    Figure {
        name: comparison.stem(&format!("reconstructions {name}")),
        caption: "Every model sees the same binary pixels.".to_owned(),
        drawing: Drawing::Images(drawing),
    }
}

/// Draws of the prior, decoded by every model: the same draws for all of them.
pub(super) fn samples(
    comparison: &Comparison,
    portraits: &mut [Portrait],
    images: &Images,
) -> Figure {
    let latents = comparison.architecture.latents;
    let stream = Stream::new(0, Purpose::Sampling);
    let mut draws = vec![0.0; COLUMNS * latents];
    for (number, z) in draws.chunks_exact_mut(latents).enumerate() {
        stream.normals(0, number as u32, 0, z);
    }
    let rows = portraits.iter_mut().map(|portrait| ImageRow {
        label: portrait.method.label.clone(),
        images: portrait.decode(&draws),
        captions: Vec::new(),
    });
    let title = format!("Samples from the prior: {}", comparison.name());
    let drawing = ImageRows {
        title,
        rows: rows.collect(),
        height: images.height,
        width: images.width,
        scale: SCALE,
        footnote: Some("Pixel probabilities; all models decode the same draws.".into()),
        ..ImageRows::default()
    };
    let caption = "What the decoders make of noise.".to_owned();
    Figure { name: comparison.stem("samples"), caption, drawing: Drawing::Images(drawing) }
}

/// One model's images along its most informative units, from the code of the first image.
pub(super) fn traversals(
    comparison: &Comparison,
    portrait: &mut Portrait,
    images: &Images,
) -> Figure {
    let latents = comparison.architecture.latents;
    let start = portrait.means(&images.select(&[0]));
    let rows = portrait.order().into_iter().take(TRAVERSED).map(|unit| {
        let mut codes = Vec::with_capacity(PLACES.len() * latents);
        for place in PLACES {
            codes.extend_from_slice(&start);
            let last = codes.len() - latents;
            codes[last + unit] = place;
        }
        let kl = portrait.units().map(|units| format!("\nKL {:.2} nats", units.kl[unit]));
        let label = format!("unit {unit}{}", kl.unwrap_or_default());
        ImageRow { label, images: portrait.decode(&codes), captions: Vec::new() }
    });
    let rows = rows.collect();
    let title = format!("Along the units of {}: {}", portrait.method.label, comparison.name());
    let drawing = ImageRows {
        title,
        columns: PLACES.iter().map(|place| format!("{place}")).collect(),
        rows,
        height: images.height,
        width: images.width,
        scale: SCALE,
        footnote: Some(
            "The other units stay at the posterior mean of the first test image.".into(),
        ),
    };
    Figure {
        name: comparison.stem("traversals"),
        caption: "One unit moves, the others stay.".to_owned(),
        drawing: Drawing::Images(drawing),
    }
}

/// The posterior means of one model in its two most informative units, by class; none without classes.
pub(super) fn codes(
    comparison: &Comparison,
    portrait: &mut Portrait,
    images: &Images,
) -> Option<Figure> {
    let all = images.labels.as_ref()?;
    let step = images.len().div_ceil(CODES).max(1);
    let positions: Vec<usize> = (0..images.len()).step_by(step).collect();
    let means = portrait.means(&images.select(&positions));
    let latents = comparison.architecture.latents;
    let order = portrait.order();
    let [first, second, ..] = order[..] else { return None };
    let mut classes: Vec<u16> = all.clone();
    classes.sort_unstable();
    classes.dedup();
    if classes.len() > MOST_CLASSES {
        return None;
    }
    let clouds = classes.into_iter().map(|class| {
        let own = positions.iter().zip(means.chunks_exact(latents));
        let own = own.filter(|(position, _)| all[**position] == class);
        let points = own.map(|(_, code)| (f64::from(code[first]), f64::from(code[second])));
        Cloud { name: class.to_string(), points: points.collect() }
    });
    let title = format!("Codes of test images by {}: {}", portrait.method.label, comparison.name());
    let axis = |unit: usize| Axis { label: format!("μ of unit {unit}"), scale: Scale::Linear };
    let drawing = Scatter {
        title,
        x: axis(first),
        y: axis(second),
        clouds: clouds.collect(),
        footnote: Some("The two units whose KL is largest.".into()),
    };
    Some(Figure {
        name: comparison.stem("codes"),
        caption: "Where the encoder puts the images; it never saw the classes.".to_owned(),
        drawing: Drawing::Points(drawing),
    })
}

/// Classes that colours can tell apart.
const MOST_CLASSES: usize = 10;

/// Positions of one image of each class, filled up to a row with those that come first.
fn one_of_each(images: &Images) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    if let Some(labels) = &images.labels {
        let mut classes = labels.clone();
        classes.sort_unstable();
        classes.dedup();
        let first = |class: &u16| labels.iter().position(|label| label == class);
        chosen.extend(classes.iter().take(COLUMNS).filter_map(first));
    }
    let others: Vec<usize> = (0..images.len()).filter(|i| !chosen.contains(i)).collect();
    let step = (others.len() / COLUMNS).max(1);
    chosen.extend(others.into_iter().step_by(step));
    chosen.truncate(COLUMNS);
    chosen
}

fn grey(images: &Images, index: usize) -> Vec<f32> {
    let mut values = vec![0.0; images.pixel_count()];
    images.probabilities(index, &mut values);
    values
}

fn caption(images: &Images, index: usize) -> String {
    match &images.labels {
        Some(labels) => format!("class {}, image {}", labels[index], images.ids[index]),
        None => format!("image {}", images.ids[index]),
    }
}

/// The decoder's layers as the parameter table names them.
fn decoder(model: &Model) -> Vec<DenseLayer> {
    let table = ParameterTable::new(&model.info.architecture);
    let widths = &model.info.architecture.decoder;
    let inputs = [model.info.architecture.latents].into_iter().chain(widths.iter().copied());
    let outputs = widths.iter().copied().chain([model.info.architecture.pixels]);
    let range = table.network_range(tightbound::model::Network::Decoder);
    let mut rest = &model.parameters[range];
    let mut layers = Vec::new();
    for (inputs, outputs) in inputs.zip(outputs) {
        let (weights, after) = rest.split_at(inputs * outputs);
        let (biases, after) = after.split_at(outputs);
        layers.push(DenseLayer { inputs, outputs, weights: weights.into(), biases: biases.into() });
        rest = after;
    }
    layers
}
