//! Make one step: draw the minibatch, compute the gradient, update the networks.

use std::ops::Range;

use crate::data::Images;
use crate::engine::{AdamUpdate, Batch, Engine, EngineError, Noise, Objective, StepReport};
use crate::estimators::Estimator;
use crate::model::{Network, ParameterTable};
use crate::random::{Purpose, Stream};
use crate::run::Checkpoint;
use crate::settings::{Binarisation, Settings, Update};

/// What all steps of a training share, and their buffers.
#[derive(Debug)]
pub struct Stepper<'a> {
    settings: &'a Settings,
    images: &'a Images,
    encoder: Range<usize>,
    decoder: Range<usize>,
    gradient: Vec<f32>,
    pixels: Vec<u8>,
    ids: Vec<u32>,
}

/// Which step to make.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// The epoch's number, from 1: the time of its random numbers.
    pub epoch: u32,
    /// The minibatch's number in the epoch, from 0.
    pub batch: u32,
    /// The step of Adam to be made, from 1.
    pub step: u64,
    /// The learning rate.
    pub rate: f64,
}

impl<'a> Stepper<'a> {
    /// The steps of a training with `settings` on `images`; `table` lists the parameters.
    pub fn new(settings: &'a Settings, images: &'a Images, table: &ParameterTable) -> Self {
        Self {
            settings,
            images,
            encoder: table.network_range(Network::Encoder),
            decoder: table.network_range(Network::Decoder),
            gradient: vec![0.0; table.total()],
            pixels: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Draws the binary pixels of the images at `positions`.
    pub fn draw(&mut self, positions: &[u32], epoch: u32) {
        let stream = Stream::new(self.settings.seed, Purpose::Binarisation);
        let time = match self.settings.data.binarisation {
            Binarisation::Dynamic => epoch,
            Binarisation::Fixed => 0,
        };
        let d = self.images.pixel_count();
        self.pixels.resize(positions.len() * d, 0);
        self.ids.clear();
        for (&position, row) in positions.iter().zip(self.pixels.chunks_exact_mut(d)) {
            self.images.binarise(position as usize, &stream, time, row);
            self.ids.push(self.images.ids[position as usize]);
        }
    }

    /// The minibatch that was drawn.
    pub fn drawn(&self) -> Batch<'_> {
        Batch { pixels: &self.pixels, ids: &self.ids }
    }

    /// Updates the networks by the minibatch that was drawn. The report is the first pass's. After
    /// an error `state` is as it was, whichever of two passes failed.
    pub fn step(
        &mut self,
        engine: &mut dyn Engine<Real = f32>,
        state: &mut Checkpoint,
        estimator: &dyn Estimator,
        at: Address,
    ) -> Result<StepReport, EngineError> {
        let report = self.pass(engine, state, estimator, Purpose::Noise, at)?;
        let Some((first, second)) = self.order(at) else {
            self.update(engine, state, 0..self.gradient.len(), at);
            return Ok(report);
        };
        let before = buffers(state).map(|buffer| buffer[first.clone()].to_vec());
        self.update(engine, state, first.clone(), at);
        if let Err(error) = self.pass(engine, state, estimator, Purpose::SecondPassNoise, at) {
            for (buffer, before) in buffers(state).into_iter().zip(before) {
                buffer[first.clone()].copy_from_slice(&before);
            }
            return Err(error);
        }
        self.update(engine, state, second, at);
        Ok(report)
    }

    /// The networks in the order of their updates, or nothing for one joint update.
    fn order(&self, at: Address) -> Option<(Range<usize>, Range<usize>)> {
        let encoder_first = match self.settings.train.update {
            Update::Joint => return None,
            Update::EncoderFirst => true,
            Update::Random => {
                let stream = Stream::new(self.settings.seed, Purpose::UpdateOrder);
                stream.below(2, at.epoch, at.batch, 0, 0) == 0
            }
        };
        let (encoder, decoder) = (self.encoder.clone(), self.decoder.clone());
        Some(if encoder_first { (encoder, decoder) } else { (decoder, encoder) })
    }

    fn pass(
        &mut self,
        engine: &mut dyn Engine<Real = f32>,
        state: &Checkpoint,
        estimator: &dyn Estimator,
        purpose: Purpose,
        at: Address,
    ) -> Result<StepReport, EngineError> {
        let stream = Stream::new(self.settings.seed, purpose);
        let objective = Objective {
            estimator,
            noise: Noise { stream, time: at.epoch },
            prune: self.settings.train.prune,
        };
        let batch = Batch { pixels: &self.pixels, ids: &self.ids };
        engine.gradient(&state.parameters, batch, objective, &mut self.gradient)
    }

    fn update(
        &self,
        engine: &mut dyn Engine<Real = f32>,
        state: &mut Checkpoint,
        range: Range<usize>,
        at: Address,
    ) {
        engine.adam(AdamUpdate {
            parameters: &mut state.parameters[range.clone()],
            gradient: &self.gradient[range.clone()],
            first_moment: &mut state.first_moment[range.clone()],
            second_moment: &mut state.second_moment[range],
            adam: self.settings.adam,
            rate: at.rate,
            step: at.step,
        });
    }
}

/// What a step changes.
fn buffers(state: &mut Checkpoint) -> [&mut Vec<f32>; 3] {
    [&mut state.parameters, &mut state.first_moment, &mut state.second_moment]
}
