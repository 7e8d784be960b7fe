//! Make or continue one training in a run folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tightbound::VERSION;
use tightbound::data::Dataset;
use tightbound::model::{Architecture, ParameterTable};
use tightbound::run::{
    Checkpoint, Identity, METRICS, Machine, Model, Origin, Record, RunDescription, RunFolder,
    read_log,
};
use tightbound::settings::{BetaObjective, Binarisation, Settings};
use tightbound::train::{self, Training};

use crate::args::DataFolder;
use crate::display::Display;
use crate::failure::UsageError;
use crate::machine::Threads;
use crate::output::talk;
use crate::signals::Signals;
use crate::watcher::Watcher;

/// One training: what to train, where its folder is, and with what.
#[derive(Debug)]
pub struct Job<'a> {
    /// Everything that determines it.
    pub settings: Settings,
    /// Its run folder.
    pub out: PathBuf,
    /// Whether a run that is there may be continued.
    pub resume: bool,
    /// The run or model to start from, if not from new weights.
    pub from: Option<&'a Path>,
    /// Where the images are.
    pub data: &'a DataFolder,
    /// How the machine is used.
    pub threads: &'a Threads,
    /// Who asks to stop or save.
    pub signals: &'a Signals,
    /// Where its progress is shown.
    pub display: Display,
}

/// What came of a job.
#[derive(Clone, Debug)]
pub struct Trained {
    /// How the training ended.
    pub outcome: train::Outcome,
    /// The signal that stopped it, if one did.
    pub stopped_by: Option<u8>,
    /// Mean training bound of the last epoch, in nats.
    pub bound: Option<f64>,
    /// The last scores on test images.
    pub scores: Option<serde_json::Value>,
}

impl Job<'_> {
    /// Trains until the end, or until a signal stops it.
    pub fn run(mut self) -> anyhow::Result<Trained> {
        let dataset = self.data.load_for(&self.settings)?;
        self.signals.hold_back();
        if dataset.fixed {
            // Pixels that are 0 or 1 already are the same at every use.
            self.settings.data.binarisation = Binarisation::Fixed;
        }
        if self.settings.train.beta_objective == BetaObjective::Validation
            && dataset.validation.is_none()
        {
            let text = "--beta-objective validation needs held-out images: hold some out with \
                        --validation 1000, say";
            return Err(UsageError(text.into()).into());
        }
        let architecture = self.settings.architecture(dataset.train.pixel_count());
        architecture.validate().map_err(|error| UsageError(error.to_string()))?;
        let mut engine = self.threads.engine(&architecture)?;
        let machine = Machine { cpu: engine.path().to_string(), threads: self.threads.count() };
        let description = |from: Option<Origin>| RunDescription {
            settings: self.settings.clone(),
            identity: identity(&dataset, &architecture, from),
            machine: machine.clone(),
        };
        let (mut run, state) = if self.resume && RunFolder::exists(&self.out) {
            let mut run = RunFolder::open(&self.out)?;
            let origin = run.description().identity.from.clone();
            self.check_origin(origin.as_ref())?;
            run.continue_as(&description(origin.clone()))?;
            let state = match run.latest()? {
                Some(latest) => {
                    if let Some(reason) = latest.passed_over {
                        talk!(
                            "the newest checkpoint cannot be used ({reason}); going on from the one before"
                        );
                    }
                    latest.checkpoint
                }
                None => {
                    let start = self.start(&dataset, &architecture, origin.as_ref())?;
                    Checkpoint::start(start)
                }
            };
            (run, state)
        } else {
            let origin = self.from.map(origin_of).transpose()?;
            let state = self.start(&dataset, &architecture, origin.as_ref())?;
            (RunFolder::create(&self.out, description(origin))?, Checkpoint::start(state))
        };
        let mut watcher =
            Watcher::new(&self.settings.train, &dataset.test, self.display, self.signals);
        let pool = engine.pool();
        let result = pool.run(|| {
            let (engine, observer) = (&mut engine, &mut watcher);
            train::train(
                &mut run,
                state,
                Training {
                    images: &dataset.train,
                    held_out: dataset.validation.as_ref(),
                    engine,
                    observer,
                },
            )
        });
        let stopped_by = watcher.end();
        let outcome = result?;
        let (bound, scores) = last_records(&self.out)?;
        Ok(Trained { outcome, stopped_by, bound, scores })
    }

    /// Refuses to continue a run from something else than it began with.
    fn check_origin(&self, origin: Option<&Origin>) -> anyhow::Result<()> {
        let Some(from) = self.from else { return Ok(()) };
        if origin.is_some_and(|origin| Path::new(&origin.run) == from) {
            return Ok(());
        }
        let (out, from) = (self.out.display(), from.display());
        let began = origin.map_or("new weights".to_owned(), |o| format!("`{}`", o.run));
        bail!(
            "{out} began with {began}, not `{from}`: leave --from out to continue it, or start \
             another run with --out"
        )
    }

    /// The parameters to start from: new ones, or those of `origin`.
    fn start(
        &self,
        dataset: &Dataset,
        architecture: &Architecture,
        origin: Option<&Origin>,
    ) -> anyhow::Result<Vec<f32>> {
        let Some(origin) = origin else {
            return Ok(self.settings.first_parameters(architecture, &dataset.train.mean_image()));
        };
        let parent = parent_model(Path::new(&origin.run))?;
        if parent.info.digest != origin.digest {
            bail!(
                "the weights of `{}` have changed since this run began with them (digest {}, now \
                 {}): begin again in a new folder with --out",
                origin.run,
                origin.digest,
                parent.info.digest
            );
        }
        if parent.info.architecture != *architecture {
            bail!(
                "`{}` holds the model `{}`, but `{architecture}` is asked for: leave the model's \
                 settings and the data's size as they were",
                origin.run,
                parent.info.architecture
            );
        }
        Ok(parent.parameters)
    }
}

/// The run or model at `path`, to start a training from.
pub fn parent_model(path: &Path) -> anyhow::Result<Model> {
    Model::load(path).with_context(|| format!("cannot start from `{}`", path.display()))
}

/// Describes the run or model at `path`.
fn origin_of(path: &Path) -> anyhow::Result<Origin> {
    if path.to_str().is_none() {
        let path = path.display();
        bail!("cannot start from `{path}`: its name is not UTF-8, as run.toml is; rename it");
    }
    let info = parent_model(path)?.info;
    Ok(Origin { run: path.display().to_string(), epoch: info.epoch, digest: info.digest })
}

/// What a training on `dataset` depends on beside its settings.
fn identity(dataset: &Dataset, architecture: &Architecture, from: Option<Origin>) -> Identity {
    Identity {
        version: VERSION.to_owned(),
        data: dataset.name.clone(),
        pixels: architecture.pixels,
        parameters: ParameterTable::new(architecture).total(),
        sources: dataset.sources.clone(),
        from,
    }
}

/// The last epoch's bound and the last scores of a run's log.
fn last_records(run: &Path) -> anyhow::Result<(Option<f64>, Option<serde_json::Value>)> {
    let (mut bound, mut scores) = (None, None);
    for record in read_log(&run.join(METRICS))?.records {
        match record {
            Record::Epoch(epoch) => bound = epoch.bound,
            Record::Evaluation(evaluation) => scores = Some(evaluation.scores),
            _ => {}
        }
    }
    Ok((bound, scores))
}
