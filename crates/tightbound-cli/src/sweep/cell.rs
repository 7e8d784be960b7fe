//! Run one cell: train it, score it, keep the result.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use tightbound::evaluate::{Evaluation, ScoreError, ScoreOptions, ScoredImages};
use tightbound::run::RunFolder;
use tightbound::sweep::{Cell, CellResult, DataScores, Plan, State, SweepFolder};
use tightbound::train::TrainError;

use crate::args::{DataFolder, ImageArgs, Loaded, Part, Shown};
use crate::commands::snr::keep_snr;
use crate::display::Display;
use crate::failure::explain;
use crate::images::some_of;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::talk;
use crate::scoring::{Scoring, evaluation_file, write_evaluation};
use crate::signals::Signals;
use crate::sweep::CellProgress;
use crate::training::Job;

/// Who runs the cells of a sweep.
#[derive(Clone, Copy)]
pub struct Worker<'a> {
    /// The sweep's folder.
    pub folder: &'a SweepFolder,
    /// What is to be done.
    pub plan: &'a Plan,
    /// Where the images are.
    pub data: &'a DataFolder,
    /// How the machine is used.
    pub threads: &'a Threads,
    /// Who asks to stop.
    pub signals: &'a Signals,
}

/// How the work on a cell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its result is kept.
    Done,
    /// It cannot go on, and why is kept.
    Failed(String),
    /// A signal stopped it; what was done is kept.
    Interrupted(u8),
}

impl Ended {
    /// What the shell is told.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Done => Outcome::Done,
            Self::Failed(message) => {
                talk!("error: {message}");
                Outcome::Unsound
            }
            Self::Interrupted(signal) => Outcome::Interrupted { signal: *signal },
        }
    }
}

impl Worker<'_> {
    /// Does what is left of `cell`; a cell that is done, or failed before, is left as it is.
    ///
    /// # Errors
    /// What may go better next time: a full disk, a folder that has gone, another process at the same
    /// cell.
    pub fn run(&self, cell: &Cell, progress: &CellProgress) -> anyhow::Result<Ended> {
        match self.folder.state(self.plan, cell)? {
            State::Done(_) => return Ok(Ended::Done),
            State::Failed(failure) => return Ok(Ended::Failed(failure.message)),
            State::Beyond { epochs } => anyhow::bail!(
                "{} was trained for {epochs} epochs already, and the plan says {}: plan as many \
                 epochs, or another folder",
                self.folder.run(cell).display(),
                cell.settings.train.epochs
            ),
            State::Waiting | State::Begun { .. } => {}
        }
        match self.train_and_score(cell, progress) {
            Err(error) if cannot_go_on(&error) => {
                let message = explain(&error);
                self.folder.fail(cell, message.clone())?;
                Ok(Ended::Failed(message))
            }
            ended => ended,
        }
    }

    fn train_and_score(&self, cell: &Cell, progress: &CellProgress) -> anyhow::Result<Ended> {
        let run = self.folder.run(cell);
        if RunFolder::exists(&run) {
            // An earlier plan may have said more.
            RunFolder::open(&run)?.end_after(cell.settings.train.epochs)?;
        }
        let job = Job {
            settings: cell.settings.clone(),
            out: run.clone(),
            resume: true,
            from: None,
            data: self.data,
            threads: self.threads,
            signals: self.signals,
            display: Display::Cell(progress.clone()),
        };
        let outcome = job.run()?.outcome;
        if !outcome.complete {
            return Ok(Ended::Interrupted(self.signals.stop().unwrap_or_default()));
        }
        let mut loaded = Loaded::read(&run, self.threads)?;
        let names = self.plan.scored_on(cell);
        let mut scores = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let share = |fraction| (index as f64 + fraction) / names.len() as f64;
            let Some(found) =
                self.score(&run, name, &mut loaded, &|f| progress.scored(share(f)))?
            else {
                return Ok(Ended::Interrupted(self.signals.stop().unwrap_or_default()));
            };
            scores.push(DataScores::from(&found));
        }
        if let Some(draws) = self.plan.score.snr {
            keep_snr(&run, &mut loaded, self.data, draws)?;
        }
        let result = CellResult {
            id: cell.id.clone(),
            epochs: outcome.epoch,
            steps: outcome.step,
            skipped: outcome.skipped,
            digest: outcome.digest,
            score: self.plan.score.clone(),
            scores,
        };
        self.folder.finish(cell, &result)?;
        Ok(Ended::Done)
    }

    /// Scores the model on the test images of `name`, unless that was done before; none if a signal
    /// stopped it.
    fn score(
        &self,
        run: &Path,
        name: &str,
        loaded: &mut Loaded,
        progress: &(dyn Fn(f64) + Sync),
    ) -> anyhow::Result<Option<Evaluation>> {
        let options = ScoreOptions { k: self.plan.score.k, ..ScoreOptions::default() };
        let (data, part) = (Some(name.to_owned()), Part::Test);
        let scored = ImageArgs { data, folder: self.data.clone(), part };
        let Shown { name: data, hash, images } = scored.load(loaded)?;
        let on = ScoredImages { data, hash, part: part.name().to_owned(), of: images.len() };
        let wanted = self.plan.score.images.map(|n| n as usize);
        let images = some_of(images, wanted, options.seed);
        let path = evaluation_file(run, &scored, &loaded.model.info.settings)
            .context("the run folder has gone while it was scored")?;
        let kept = fs_err::read(&path).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Evaluation>(&bytes).ok());
        let is_this = |e: &Evaluation| {
            e.digest == loaded.model.info.digest
                && e.options == options
                && e.on == on
                && e.scores.images == images.len()
        };
        if let Some(evaluation) = kept.filter(is_this) {
            return Ok(Some(evaluation));
        }
        let scoring = Scoring { run, images: &images, on, options };
        let evaluated = scoring.evaluate(loaded, &mut |done| {
            progress(done as f64 / images.len() as f64);
            match self.signals.stop() {
                None => ControlFlow::Continue(()),
                Some(_) => ControlFlow::Break(()),
            }
        });
        let (evaluation, rows) = match evaluated {
            Err(error) if error.downcast_ref() == Some(&ScoreError::Interrupted) => {
                return Ok(None);
            }
            evaluated => evaluated?,
        };
        write_evaluation(&path, &evaluation, &rows)?;
        Ok(Some(evaluation))
    }
}

/// Whether the same cell would end with `error` again, on any machine and at any time.
fn cannot_go_on(error: &anyhow::Error) -> bool {
    let diverged = error.downcast_ref::<TrainError>().is_some_and(|error| {
        matches!(
            error,
            TrainError::NonFinite { .. } | TrainError::Diverged { .. } | TrainError::Beta { .. }
        )
    });
    diverged || matches!(error.downcast_ref(), Some(ScoreError::NonFinite { .. }))
}
