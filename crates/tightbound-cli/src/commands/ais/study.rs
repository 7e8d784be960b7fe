//! Anneal images, and score the same images by L_K.

use std::ops::ControlFlow;

use indicatif::ProgressBar;
use serde::Serialize;
use tightbound::data::Images;
use tightbound::evaluate::ais::{
    AisOptions, AnnealedImage, EngineTarget, SandwichedImage, Simulated, forward, sandwich,
    simulate,
};
use tightbound::evaluate::{ImageScore, ScoreOptions, score_images};
use tightbound_report::Measured;

use crate::args::Loaded;
use crate::display::{bar, counting_bar};

/// One image with all that bounds its log p(x), in nats.
#[derive(Clone, Debug, Serialize)]
pub struct Bounded {
    /// Its number in its data set.
    pub image: u32,
    /// From below, annealed.
    pub lower: f64,
    /// From above, annealed, if the model drew the image.
    pub upper: Option<f64>,
    /// From below, by importance sampling from the encoder.
    pub l_k: f64,
    /// How many chains carry the lower bound.
    pub effective_chains: f64,
    /// Mean acceptance of the lower bound's moves.
    pub acceptance: f64,
}

/// All images.
pub struct Study {
    /// In the order of the images.
    pub images: Vec<Bounded>,
}

impl Study {
    /// Bounds images that the model draws, from both sides.
    pub fn of_simulated(
        loaded: &mut Loaded,
        count: u32,
        options: AisOptions,
        k: u32,
    ) -> anyhow::Result<Self> {
        let Loaded { model, engine } = loaded;
        let parameters = &model.parameters;
        // A model does not know its images' height and width, and no bound depends on them.
        let shape = [1, model.info.architecture.pixels];
        let Simulated { images, latents } =
            simulate(engine, parameters, count, shape, options.seed);
        let mut target = EngineTarget::new(engine, parameters, &images, options.seed);
        let bar = annealing_bar();
        let bounds = sandwich(&mut target, &latents, options, &mut follow(&bar))?;
        bar.finish_and_clear();
        let scores = scores(loaded, &images, options.seed, k)?;
        let pairs = bounds.images.into_iter().zip(scores);
        let both = pairs.map(|(SandwichedImage { lower, upper }, l_k)| Bounded {
            upper: Some(upper),
            ..Bounded::below(lower, l_k)
        });
        Ok(Self { images: both.collect() })
    }

    /// Bounds `images` from below.
    pub fn of_images(
        loaded: &mut Loaded,
        images: &Images,
        options: AisOptions,
        k: u32,
    ) -> anyhow::Result<Self> {
        let Loaded { model, engine } = loaded;
        let mut target = EngineTarget::new(engine, &model.parameters, images, options.seed);
        let bar = annealing_bar();
        let bounds = forward(&mut target, options, &mut follow(&bar))?;
        bar.finish_and_clear();
        let scores = scores(loaded, images, options.seed, k)?;
        let below = bounds.into_iter().zip(scores).map(|(lower, l_k)| Bounded::below(lower, l_k));
        Ok(Self { images: below.collect() })
    }

    /// Mean over images of what `of` makes of each, with its standard error.
    pub fn mean(&self, of: impl Fn(&Bounded) -> f64) -> Measured {
        Measured::mean(&self.images.iter().map(of).collect::<Vec<_>>())
    }

    /// The same of the upper bound, if there is one.
    pub fn upper_mean(&self, of: impl Fn(&Bounded, f64) -> f64) -> Option<Measured> {
        let values: Option<Vec<f64>> =
            self.images.iter().map(|image| image.upper.map(|upper| of(image, upper))).collect();
        values.map(|values| Measured::mean(&values))
    }
}

impl Bounded {
    fn below(lower: AnnealedImage, l_k: f64) -> Self {
        let AnnealedImage { image, log_p_hat, effective_chains, acceptance } = lower;
        Self { image, lower: log_p_hat, upper: None, l_k, effective_chains, acceptance }
    }
}

/// L_K of each image, on the pixels that were annealed: their differences from other bounds are known
/// much better than their mean.
fn scores(loaded: &mut Loaded, images: &Images, seed: u64, k: u32) -> anyhow::Result<Vec<f64>> {
    let Loaded { model, engine } = loaded;
    let options = ScoreOptions { k, seed, ..ScoreOptions::default() };
    let bar = counting_bar("scoring", "images", images.len() as u64);
    let mut progress = |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let scores = score_images(engine, &model.parameters, images, options, &mut progress)?;
    bar.finish_and_clear();
    Ok(scores.iter().map(ImageScore::log_p_hat).collect())
}

fn annealing_bar() -> ProgressBar {
    bar("annealing {bar:24} {percent} %  {eta} left", 0)
}

fn follow(bar: &ProgressBar) -> impl FnMut(u64, u64) -> ControlFlow<()> {
    |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        ControlFlow::Continue(())
    }
}
