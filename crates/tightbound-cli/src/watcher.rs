//! Watch a training: show it, score it, and pass signals on to it.

use serde_json::Value;
use tightbound::data::Images;
use tightbound::engine::Engine;
use tightbound::run::{BetaRecord, EpochRecord, EvaluationRecord, SnrFigures, SnrRecord};
use tightbound::settings::TrainSettings;
use tightbound::train::{Observer, Progress, Signal};

use crate::display::Display;
use crate::scoring::{describe_scores, quick_scores};
use crate::signals::{SaveRequests, Signals};

/// The observer of one training.
pub struct Watcher<'a> {
    display: Display,
    signals: &'a Signals,
    saves: SaveRequests,
    epochs: usize,
    eval_k: u32,
    test: &'a Images,
    stopped_by: Option<u8>,
}

impl<'a> Watcher<'a> {
    /// Watches a training, and scores it on `test`.
    pub fn new(
        train: &TrainSettings,
        test: &'a Images,
        display: Display,
        signals: &'a Signals,
    ) -> Self {
        let &TrainSettings { epochs, eval_k, .. } = train;
        Self {
            display,
            signals,
            saves: SaveRequests::new(),
            epochs,
            eval_k,
            test,
            stopped_by: None,
        }
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
        if self.saves.take() {
            self.display.say("saving, and going on");
            return Signal::Save;
        }
        Signal::Continue
    }

    fn evaluate(
        &mut self,
        engine: &mut dyn Engine<Real = f32>,
        parameters: &[f32],
        _epoch: usize,
    ) -> Option<Value> {
        let go_on = || self.signals.stop().is_none();
        let scores = quick_scores(engine, parameters, self.test, self.eval_k, &go_on);
        if scores.is_none() {
            self.stopped_by = self.signals.stop();
        }
        scores
    }

    fn go_on(&mut self) -> bool {
        self.stopped_by = self.signals.stop();
        self.stopped_by.is_none()
    }

    fn beta_chosen(&mut self, record: &BetaRecord) {
        self.display.say(&describe_choice(record));
    }

    fn monitored(&mut self, record: &SnrRecord) {
        let epoch = record.epoch;
        match (&record.figures, &record.error) {
            (Some(SnrFigures { encoder, decoder, effective_samples, .. }), _) => {
                self.display.say(&format!(
                    "epoch {epoch}: signal-to-noise ratio of the encoder {encoder}, of the decoder \
                     {decoder}, ESS {effective_samples:.1}"
                ));
            }
            (None, error) => {
                let error = error.as_deref().unwrap_or("unknown");
                self.display.say(&format!("epoch {epoch}: no signal-to-noise ratio: {error}"));
            }
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.display.epoch(record, record.epoch == self.epochs);
    }

    fn evaluated(&mut self, record: &EvaluationRecord) {
        if let Some(text) = describe_scores(&record.scores) {
            self.display.say(&format!("epoch {}: {text}", record.epoch));
        }
    }
}

/// `β 0.12 from epoch 3 on: the encoder's signal-to-noise ratio there is 0.51`.
fn describe_choice(record: &BetaRecord) -> String {
    let BetaRecord { epoch, beta, target, reached, evidence } = record;
    let own = evidence.iter().find(|e| e.beta == *beta).and_then(|e| e.value);
    let value = own.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.3}"));
    let why = match (target, reached) {
        (None, _) => format!("the best held-out L_64 of a short trial, {value}"),
        (Some(_), true) => format!("the encoder's signal-to-noise ratio there is {value}"),
        (Some(target), false) => format!(
            "no β gives the encoder a signal-to-noise ratio of {target}, and this one the largest, {value}"
        ),
    };
    format!("β {beta} from epoch {epoch} on: {why}")
}
