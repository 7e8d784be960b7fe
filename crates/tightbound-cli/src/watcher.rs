//! Watch a training: show it, score it, and pass signals on to it.

use serde_json::Value;
use tightbound::data::Dataset;
use tightbound::engine::Engine;
use tightbound::run::{EpochRecord, EvaluationRecord};
use tightbound::settings::Settings;
use tightbound::train::{Observer, Progress, Signal};

use crate::display::Display;
use crate::signals::Signals;

/// The observer of one training.
pub struct Watcher<'a> {
    display: Display,
    signals: &'a Signals,
    epochs: usize,
    stopped_by: Option<u8>,
}

impl<'a> Watcher<'a> {
    /// Watches a training on `dataset`.
    pub fn new(
        settings: &Settings,
        _dataset: &'a Dataset,
        display: Display,
        signals: &'a Signals,
    ) -> Self {
        Self { display, signals, epochs: settings.train.epochs, stopped_by: None }
    }

    /// Ends the display, and says which signal stopped the training.
    pub fn end(self) -> Option<u8> {
        self.display.end();
        self.stopped_by
    }
}

impl Observer for Watcher<'_> {
    fn step(&mut self, progress: &Progress) -> Signal {
        self.display.step(progress);
        self.stopped_by = self.signals.stop();
        if self.stopped_by.is_some() {
            return Signal::SaveAndStop;
        }
        if self.signals.take_save() {
            self.display.say("saved; going on");
            return Signal::Save;
        }
        Signal::Continue
    }

    fn evaluate(
        &mut self,
        _engine: &mut dyn Engine<Real = f32>,
        _parameters: &[f32],
        _epoch: usize,
    ) -> Option<Value> {
        Some(Value::Null)
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.display.epoch(record, record.epoch == self.epochs);
    }

    fn evaluated(&mut self, record: &EvaluationRecord) {
        self.display.say(&format!("epoch {}: {}", record.epoch, record.scores));
    }
}
